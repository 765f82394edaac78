"""The Faust app and worker of a role: they end rather than hang, and say why."""

from __future__ import annotations

import signal
from tempfile import TemporaryDirectory
from typing import Any, NoReturn, Protocol

import faust

from agents.process import FAILED, StopDeadline, collect_seldom, leave
from agents.settings import Settings
from agents.transport import Flusher, Plan
from agents.work import NoState


class Lifecycle(Protocol):
    """What is started before Faust joins a group and stopped after it has left."""

    async def prepare(self) -> None:
        """Look whether the world is as it must be."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class Worker(faust.Worker):  # type: ignore[misc]
    """Stops within a deadline: Faust's own stop waits for the broker without bound."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Without Faust's spinner, whose escape codes end up in logs."""
        super().__init__(*args, **kwargs)
        self.spinner = None

    def _on_sigterm(self) -> None:
        self.app.stop_deadline.start("SIGTERM")
        super()._on_sigterm()

    # Without Faust's cry of "-INT- -INT-".
    def _on_sigint(self) -> None:
        self.app.stop_deadline.start("SIGINT")
        self._schedule_shutdown(signal.SIGINT)
        self._flag_as_shutdown_by_signal()


class App(faust.App):  # type: ignore[misc]
    """A Faust app that ends rather than hang, and says why. Its transport reads `plan` and `flusher`."""

    def __init__(
        self, name: str, *, plan: Plan, settings: Settings, scratch: TemporaryDirectory[str], **options: Any
    ) -> None:
        """Nothing is connected yet. `scratch` is removed with the app."""
        self._scratch = scratch
        self.plan = plan
        self.settings = settings
        self.flusher: Flusher = NoState()
        self.stop_deadline = StopDeadline(settings.forewarn_stop_deadline)
        self.lifecycle: Lifecycle | None = None
        super().__init__(name, **options)

    def fatal(self, reason: str) -> NoReturn:
        """End now, with nothing acknowledged."""
        leave(FAILED, reason)

    def _crash(self, reason: BaseException) -> None:
        if not self.should_stop:
            self.fatal(f"a part of the worker failed: {reason!r}")
        super()._crash(reason)  # the deadline of the stop runs already

    async def on_first_start(self) -> None:
        """Look whether the world is as it must be, before Faust joins a group."""
        collect_seldom()
        await super().on_first_start()
        if self.lifecycle is not None:
            await self.lifecycle.prepare()

    async def on_stop(self) -> None:
        """Stop as Faust does, then what was started before it."""
        await super().on_stop()
        if self.lifecycle is not None:
            await self.lifecycle.close()

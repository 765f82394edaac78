"""A program under test: started with its output in a file, ended by its process id, never outliving the test run."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import pytest

from forewarn.parent import die_with_parent, end

POLL_S = 0.05
PATIENCE_S = 120  # a wait that ends tells a failure from a slow machine; it is no bound of the product's
TAIL_LINES = 40


def wait_for(
    condition: Callable[[], object], what: str, *, within_s: float = PATIENCE_S, explain: Callable[[], str] = str
) -> None:
    """Return as soon as `condition()` is true; fail the test, naming `what`, if it is not within the deadline."""
    deadline = monotonic() + within_s
    pause = threading.Event()
    while not condition():
        if monotonic() > deadline:
            pytest.fail(f"waited {within_s:g} s in vain: {what}\n{explain()}", pytrace=False)
        pause.wait(POLL_S)


class Process:
    """A started program. `log` holds what it wrote to stdout and stderr.

    Start it from the main thread: on Linux it dies with the thread that started it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start `command` in its own session, with `env` on top of this environment."""
        self.name = name
        handle, path = tempfile.mkstemp(prefix=f"forewarn-{name}-", suffix=".log")
        self.log = Path(path)
        with os.fdopen(handle, "wb") as output:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the tests start processes from their main thread
            )

    @property
    def pid(self) -> int:
        """The process id; the only thing it is ever ended by."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative if a signal ended it."""
        return self._popen.poll()

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines it wrote."""
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(
            [f"--- last lines of {self.name} (pid {self.pid}, exit code {self.exit_code})", *text[-lines:]]
        )

    def wait_for_log(self, text: str, *, within_s: float = PATIENCE_S) -> None:
        """Return once it wrote `text`; fail with its log if it ended or if the deadline passed."""

        def wrote() -> bool:
            if text in self.log.read_text(errors="replace"):
                return True
            if self.exit_code is not None:
                pytest.fail(f"{self.name} ended before it wrote {text!r}\n{self.log_tail()}", pytrace=False)
            return False

        wait_for(wrote, f"{self.name} to write {text!r}", within_s=within_s, explain=self.log_tail)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal (SIGSTOP, SIGCONT, …)."""
        self._popen.send_signal(number)

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM); does not wait."""
        self._popen.terminate()

    def kill(self) -> None:
        """End it at once (SIGKILL) and reap it."""
        self._popen.kill()
        self._popen.wait()

    def wait(self, *, within_s: float = PATIENCE_S) -> int:
        """Its exit code once it has ended; fails with its log if it has not within the deadline."""
        wait_for(lambda: self.exit_code is not None, f"{self.name} to end", within_s=within_s, explain=self.log_tail)
        return self._popen.wait()

    def stop(self, *, within_s: float = 10) -> None:
        """SIGTERM, then SIGKILL when the deadline has passed; fine if it has ended already. Removes the log."""
        end(self._popen, within_s=within_s)
        self.log.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """The process, to be stopped at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it; when the block failed, print the end of its log first (pytest shows it with the failure)."""
        if error is not None:
            print(self.log_tail())  # noqa: T201
        self.stop()

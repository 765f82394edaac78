"""An asyncio loop whose time is virtual and whose order is seeded: the same seed, the same schedule.

Everything runs in a process: a worker's tasks in theirs, the broker and the producers in the world's. Within a process
the order is asyncio's own, first come, first served, for that is what one process may rely on; which process goes on
next, and for how long, is drawn. Time passes when nobody has anything left to do.
"""

from __future__ import annotations

import asyncio
import random
from asyncio.events import Handle, TimerHandle
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

BURST_MAX = 6


class Ended(BaseException):
    """Stands for the end of a process: no code of its own may go on behind this."""


@dataclass(eq=False, slots=True)
class Process:
    """What one operating system process has to do next. `fuse` counts callbacks until it is killed."""

    name: str
    ready: deque[Handle] = field(default_factory=deque)
    is_frozen: bool = False
    is_dead: bool = False
    fuse: int | None = None
    skew_ms: int = 0  # how far its clock is off
    on_kill: Callable[[], None] = lambda: None
    callbacks_count: int = 0

    def kill(self) -> None:
        """Kill -9: nothing of it runs again, no `finally`, no handler."""
        if not self.is_dead:
            self.is_dead = True
            self.ready.clear()
            self.on_kill()


PROCESS: ContextVar[Process] = ContextVar("process")


class SeededLoop(asyncio.SelectorEventLoop):
    """See the module. `steps_count` is how many callbacks have run."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._at = 0.0
        self._timers: list[tuple[float, int, TimerHandle]] = []
        self._number = count()
        self.world = Process("world")
        self.processes = [self.world]
        self.steps_count = 0
        self.errors: list[dict[str, Any]] = []
        self._is_over = False
        self._kept: list[asyncio.Task[Any]] = []  # collected as garbage, a killed task would run its `finally`
        super().__init__()
        self.set_task_factory(self._new_task)
        self.set_exception_handler(self._note)

    def _new_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, context: Any = None) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, context=context)
        self._kept.append(task)
        return task

    def _note(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Ended):
            self.errors.append(context)

    def spawn(self, name: str) -> Process:
        """A new process."""
        process = Process(name)
        self.processes.append(process)
        return process

    def start(self, process: Process, coroutine: Any) -> asyncio.Task[Any]:
        """A task of a process: all that it calls is of the same one."""
        context = copy_context()
        context.run(PROCESS.set, process)
        return self.create_task(coroutine, context=context)

    def time(self) -> float:
        return self._at

    # -- asyncio's own hooks

    def _call_soon(self, callback: Any, args: Any, context: Context | None) -> Handle:
        handle = Handle(callback, args, self, context)
        process = handle._context.get(PROCESS, self.world)  # type: ignore[attr-defined]
        if not process.is_dead and not self._is_over:
            process.ready.append(handle)
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> TimerHandle:
        handle = TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (max(when, self._at), next(self._number), handle))
        return handle

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        """A cancelled timer is dropped when it is due."""

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """A killed process finishes nothing."""

    def _run_once(self) -> None:
        dice, processes = self._dice, self.processes
        while not self._stopping:  # type: ignore[attr-defined]
            runnable = [process for process in processes if process.ready and not process.is_frozen]
            if not runnable:
                self._pass_time()
                continue
            process = runnable[0] if len(runnable) == 1 else runnable[dice.randrange(len(runnable))]
            burst = dice.randrange(1, BURST_MAX)
            ready = process.ready
            while ready and burst and not process.is_frozen and not self._stopping:  # type: ignore[attr-defined]
                burst -= 1
                self._run(process, ready.popleft())

    def _run(self, process: Process, handle: Handle) -> None:
        if process.fuse is not None:
            process.fuse -= 1
            if process.fuse < 0:
                process.kill()
                return
        self.steps_count += 1
        process.callbacks_count += 1
        if not handle.cancelled():
            handle._run()

    def _pass_time(self) -> None:
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if not timers:
            raise RuntimeError("nothing is left to happen")
        self._at = max(self._at, timers[0][0])
        while timers and timers[0][0] <= self._at:
            handle = heappop(timers)[2]
            process = handle._context.get(PROCESS, self.world)  # type: ignore[attr-defined]
            if not handle.cancelled() and not process.is_dead:
                process.ready.append(handle)

    def forget(self) -> None:
        """Throw away what is pending: the schedule is over."""
        self._is_over = True
        for task in self._kept:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._kept.clear()
        self._timers.clear()
        self.world.ready.clear()
        self.processes.clear()
        self.close()

    def _check_closed(self) -> None:
        """What is thrown away may still try to tell the loop."""

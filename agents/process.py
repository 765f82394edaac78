"""What a worker does to its own process: how it ends when it must not go on, how it looks for garbage."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

WRONG_USE: Final = 2
REFUSES_TO_START: Final = 3
FAILED: Final = 70  # sysexits.h EX_SOFTWARE: something that the worker needs does not work
STOPPED_LATE: Final = 75  # sysexits.h EX_TEMPFAIL: the stop took longer than its deadline

COLLECT_AFTER_COUNT: Final = 50_000
MIDDLE_AFTER_COUNT: Final = 10  # looks at the newest
ALL_AFTER_COUNT: Final = 100  # looks at those that were there for longer; Python: 10

log = logging.getLogger("forewarn.worker")


def collect_seldom() -> None:
    """Look for garbage in cycles less often than Python does, which is after every 700 new objects.

    A fetch brings thousands, none of them in a cycle, and each look costs as much as reading some hundred records. One
    at all objects goes through the whole state: nobody decides meanwhile, for almost half a second with 1,750 streams.
    """
    gc.set_threshold(COLLECT_AFTER_COUNT, MIDDLE_AFTER_COUNT, ALL_AFTER_COUNT)


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage inside, where much is made at once and all of it stays: each look would go through it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def leave(code: int, message: str) -> NoReturn:
    """Say why in one line and end at once: no flush, no commit, no acknowledgement (docs/decisions/0013).

    Faust's own way out acknowledges the message at hand, commits, and may wait for ever for an agent that hangs.
    """
    log.critical("%s", message)
    with suppress(OSError, ValueError):  # whoever read our output may be gone, and that must not keep us here
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


class StopDeadline:
    """Ends the process when a stop takes too long; runs beside the event loop, which may be what hangs."""

    def __init__(self, after_s: float) -> None:
        """`after_s` counts from the first call of `start`."""
        self._after_s = after_s
        self._timer: threading.Timer | None = None

    def start(self, reason: str) -> None:
        """Start the countdown; only the first call does."""
        if self._timer is None:
            late = f"{reason}, and the worker did not stop within {self._after_s:g} s: ended without a last commit"
            self._timer = threading.Timer(self._after_s, leave, (STOPPED_LATE, late))
            self._timer.daemon = True
            self._timer.start()

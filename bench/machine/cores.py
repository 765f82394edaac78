"""Who runs where: what is measured has one core to itself, the broker and the producers have the others."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MINE: Final = frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset[int]()
MEASURED: Final = frozenset({max(_MINE)}) if len(_MINE) > 1 else _MINE
OTHERS: Final = _MINE - MEASURED or _MINE


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """What is started inside the block runs on these cores, and so does what it starts itself.

    Outside Linux nothing is pinned, and `told` says so.
    """
    if sys.platform == "linux" and cores:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)
    else:
        yield


def told() -> str:
    """How the cores were shared out, in words."""
    if MEASURED == OTHERS:
        return "one core for all, or no pinning on this system: figures of rates mean little"
    others = ", ".join(map(str, sorted(OTHERS)))
    return f"core {min(MEASURED)} for what is measured, {others} for the broker and producers"

"""What runs beside the batches: when it fails, the worker ends, and nothing more is acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from agents.heads import SourceReplaced
from agents.process import REFUSES_TO_START, leave
from agents.shell import StateUnreadable

log = logging.getLogger("forewarn.worker")


async def guarded(work: Awaitable[None], role: str, task: str, fatal: Callable[[str], object]) -> None:
    """Do it until it is cancelled; `fatal` is told which `task` failed, a finding about the state refuses to start."""
    try:
        await work
    except (SourceReplaced, StateUnreadable) as finding:
        leave(REFUSES_TO_START, f"{role} does not go on: {finding}")
    except Exception:
        log.exception("%s cannot %s", role, task)
        fatal(f"{role} can no longer {task}")

"""When a message is tried again, and when it is given up: the one policy of all channels."""

from __future__ import annotations

from typing import Final, NamedTuple

from notifiers.protocol import Delivered, Failed, Outcome
from sla.units import MINUTE_MS, SECOND_MS

PAUSE_FIRST_MS: Final = SECOND_MS
PAUSE_LONGEST_MS: Final = 5 * MINUTE_MS
TRIES_MAX: Final = 20
GIVE_UP_AFTER_MS: Final = 30 * MINUTE_MS
GIVE_UP_CRITICAL_AFTER_MS: Final = 5 * MINUTE_MS  # somebody else must hear of it in time


class Done(NamedTuple):
    """The channel took it."""


class Again(NamedTuple):
    """Try again at an instant, and why."""

    at: int
    why: str


class Over(NamedTuple):
    """It is given up, and why: the fallback is told."""

    why: str


Verdict = Done | Again | Over


def gives_up_at(severity: str | None, taken_at: int) -> int:
    """From when on a message is not tried any more, if it was taken at an instant."""
    return taken_at + (GIVE_UP_CRITICAL_AFTER_MS if severity == "critical" else GIVE_UP_AFTER_MS)


def given_up(tries_count: int, taken_at: int, now: int, why: str) -> Over:
    """The end of a message that has waited for long enough."""
    return Over(f"given up after {tries_count} tries in {max(0, now - taken_at) // SECOND_MS} s: {why}")


def judge(
    outcome: Outcome, *, tries_count: int, severity: str | None, taken_at: int, now: int, jitter: float
) -> Verdict:
    """What follows from the outcome of the latest try. `tries_count` includes it; `jitter` is in [0, 1).

    Pauses double and are shortened by up to a half, so that what failed together does not come back together. A wait
    that the channel asked for is kept.
    """
    if isinstance(outcome, Delivered):
        return Done()
    if isinstance(outcome, Failed):
        return Over(outcome.detail)
    longest_ms = min(PAUSE_FIRST_MS << min(tries_count - 1, 16), PAUSE_LONGEST_MS)
    pause_ms = max(longest_ms - int(longest_ms * jitter / 2), outcome.after_ms or 0)
    if tries_count >= TRIES_MAX or now + pause_ms > gives_up_at(severity, taken_at):
        return given_up(tries_count, taken_at, now, outcome.detail)
    return Again(now + pause_ms, outcome.detail)

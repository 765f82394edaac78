"""How late a record may be, and how far back a stream must remember."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sla.catalogue import CalendarPeriod, Objective, Rolling, Unit
from sla.reach import edge_of
from sla.units import DAY_MS, HOUR_MS

FOREVER_MS: Final = 1 << 62
"""The grace of a stream without objectives: nobody minds."""

_LONGEST_MS: Final = {
    Unit.DAY: DAY_MS + 2 * HOUR_MS,
    Unit.WEEK: 8 * DAY_MS,
    Unit.MONTH: 32 * DAY_MS,
    Unit.QUARTER: 93 * DAY_MS,
    Unit.YEAR: 367 * DAY_MS,
}


class Lateness(NamedTuple):
    """How late a record is, and whether it still counts; None of it where it is on time."""

    late_ms: int
    counts: bool


def keep_ms_of(
    objectives: Iterable[Objective], calendars: Iterable[CalendarPeriod], correct_for_ms: int, now: int
) -> int:
    """The longest window or period, and for how long it can be corrected after."""
    rolling = [_reach_ms(objective, now - correct_for_ms) for objective in objectives]
    longest_ms = max([*rolling, *(_LONGEST_MS[calendar.unit] for calendar in calendars)], default=0)
    return max(longest_ms, 3 * DAY_MS) + correct_for_ms + HOUR_MS


def _reach_ms(objective: Objective, at: int) -> int:
    """How far back the windows of an objective reach at an instant, on the wall's clock."""
    windows = [objective.window.window_ms] if isinstance(objective.window, Rolling) else []
    if objective.hours.is_always:
        return max(windows, default=0)
    windows += [HOUR_MS, *(tier.long_ms for tier in objective.tiers)]
    return at - min(edge_of(objective.hours, window_ms, at) for window_ms in windows)

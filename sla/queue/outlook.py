"""How many clocks of a queue will be missed? Scenarios, as for budgets (`sla.forecast`), not a formula.

Each of up to 28 past days is one way the coming hours may go: so many clocks were stopped in each of its hours. Until
there are two, each of the last six whole hours is a scenario that repeats. The clock due first is taken first: the one
at place i (from 1) is in time if at least i clocks are stopped by its deadline. Clocks that are late already are worked
on too, yet they are not counted again. Not seen: tickets that are still to come and are more urgent than these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sla.forecast import DAYS_LEAST, HOURS_MAX, Outlook, days_of
from sla.units import DAY_MS, HOUR_MS, floor_to

HORIZON_MS: Final = DAY_MS
"""How far ahead: each past day tells of one day to come."""

StoppedBy = Callable[[int], int]
"""Instant → how many clocks are stopped between now and then, in one scenario."""


class QueueOutlook(NamedTuple):
    """What the scenarios say: `counts` of missed clocks, ascending; `first` is when the first is missed.

    `by_at` is the last deadline that is missed in the middle scenario, None if none is.
    """

    counts: tuple[int, ...]
    first: Outlook
    by_at: int | None

    def quantile(self, percent: int) -> int:
        """Nearest-rank order statistic of the count."""
        return self.counts[max(0, -(-percent * len(self.counts) // 100) - 1)]


def look_ahead(at: int, deadlines: Sequence[int], scenarios: Sequence[StoppedBy]) -> QueueOutlook:
    """Take the clocks of a queue, by their deadlines in order, through every scenario; there is at least one."""
    missed = sorted((_missed(at, deadlines, stopped_by) for stopped_by in scenarios), key=_count_then_first)
    first_ats = sorted(each[0] for each in missed if each)
    middle = missed[max(0, -(-len(missed) // 2) - 1)]
    return QueueOutlook(
        tuple(len(each) for each in missed),
        Outlook(tuple(first_ats), len(scenarios)),
        middle[-1] if middle else None,
    )


def _missed(at: int, deadlines: Sequence[int], stopped_by: StoppedBy) -> list[int]:
    horizon_at = at + HORIZON_MS
    return [
        deadline
        for place, deadline in enumerate(deadlines, 1)
        if at < deadline <= horizon_at and stopped_by(deadline) < place
    ]


def _count_then_first(missed: Sequence[int]) -> tuple[int, Sequence[int]]:
    return len(missed), missed


def scenarios_of(at: int, stopped_in: Mapping[int, int], first_stop_at: int) -> list[StoppedBy]:
    """The ways the coming hours may go. `stopped_in` counts the clocks that were stopped, by the start of the hour."""
    this_hour = floor_to(at, HOUR_MS)
    days_count = days_of(max(0, this_hour - first_stop_at))
    if days_count >= DAYS_LEAST:
        return [_like_day(at, stopped_in, day * DAY_MS) for day in range(1, days_count + 1)]
    starts = (this_hour - back * HOUR_MS for back in range(1, HOURS_MAX + 1))
    known = [stopped_in.get(start, 0) for start in starts if start >= floor_to(first_stop_at, HOUR_MS)]
    return [_like_hour(at, count) for count in known]


def _like_hour(at: int, count: int) -> StoppedBy:
    return lambda until: count * (until - at) // HOUR_MS


def _like_day(at: int, stopped_in: Mapping[int, int], back_ms: int) -> StoppedBy:
    """Counts are spread evenly inside their hour; kept as count × milliseconds, to round only at the end."""
    start = floor_to(at, HOUR_MS)
    sums = [0]
    for hour in range(start - back_ms, start - back_ms + HORIZON_MS + HOUR_MS, HOUR_MS):
        sums.append(sums[-1] + stopped_in.get(hour, 0))

    def since_start(instant: int) -> int:
        hours, into_ms = divmod(instant - start, HOUR_MS)
        return sums[hours] * HOUR_MS + (sums[hours + 1] - sums[hours]) * into_ms

    before = since_start(at)
    return lambda until: (since_start(until) - before) // HOUR_MS

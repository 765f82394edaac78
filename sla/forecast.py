"""When will the budget end? Scenarios, not a formula (semantics.md 1, Forecast).

Each of up to 28 past days is one way the coming hours may go: its traffic scaled to the present hour's, its bad events
scaled likewise, and what the present hour has beyond that goes on. Until there are two past days, each of the last
six hours is a scenario that repeats. A scenario is walked hour by hour over the buckets that leave the window; the
breach instant lies where the budget's margin falls below zero, spread evenly inside the hour. A day that cannot hold
the breach is passed in one step: 28 scenarios of 720 hours, each minute, would cost more than all else together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sla.units import DAY_MS, HOUR_MS, MILLION

DAYS_MAX: Final = 28
DAYS_LEAST: Final = 2
HOURS_MAX: Final = 6
HOURS_PER_DAY: Final = 24
LEAST_SEEN_MS: Final = HOUR_MS
LEAST_BAD_COUNT: Final = 3
"""Fewer bad events in the present hour than this may be luck; the rule does not fire on them."""


class Pace(NamedTuple):
    """What an hour brings."""

    total: int
    bad: int


Scenario = Sequence[Pace]
"""The hours to come, in order, repeated without end."""


class Outlook(NamedTuple):
    """What the scenarios say: the breach instants in order, out of how many scenarios."""

    breach_ats: tuple[int, ...]
    scenarios_count: int

    def quantile(self, percent: int) -> int | None:
        """Nearest-rank order statistic of the breach instant; None if fewer than half of the scenarios breach."""
        count = len(self.breach_ats)
        if not count or 2 * count < self.scenarios_count:
            return None
        return self.breach_ats[max(0, -(-percent * count // 100) - 1)]

    def share_ppm(self, until: int | None = None) -> int:
        """The share of scenarios that breach (at or before `until`)."""
        count = len(self.breach_ats) if until is None else sum(1 for at in self.breach_ats if at <= until)
        return count * MILLION // self.scenarios_count if self.scenarios_count else 0


class Walk(NamedTuple):
    """The present and what is known of the window's future; index k is the end of the hour k after now.

    `left` holds the totals that will have left the window by then, so they never fall; `allowed` maps (k, total) to the
    budget. The budget never falls with the total, nor rises with k before `full_from`, nor changes with k from there.
    """

    at: int
    present: Pace  # the sums of the window now
    left: Sequence[Pace]
    allowed: Callable[[int, int], int]
    full_from: int  # the first k at whose end the window is full, and its total taken as it is


def of_days(present: Pace, hour_of: Callable[[int, int], Pace], days_count: int) -> list[Scenario]:
    """One scenario per past day; `hour_of(day, k)` is what the k-th hour from now brought that many days ago."""
    return [_scaled(present, [hour_of(day, k) for k in range(HOURS_PER_DAY)]) for day in range(1, days_count + 1)]


def _scaled(present: Pace, hours: list[Pace]) -> Scenario:
    first = hours[0]
    up, down = (present.total, first.total) if first.total else (1, 1)
    usual = first.bad * up // down
    if present.bad >= usual:  # worse than that day: what is beyond it goes on
        excess = present.bad - usual
        return [Pace(h.total * up // down, h.bad * up // down + excess) for h in hours]
    return [Pace(h.total * up // down, h.bad * up * present.bad // (down * max(1, usual))) for h in hours]


def of_hours(present: Pace, hours: Sequence[Pace]) -> list[Scenario]:
    """Each of the last hours repeats, at the present traffic."""
    return [[Pace(present.total, h.bad * present.total // h.total)] for h in hours if h.total]


def outlook(walk: Walk, scenarios: Sequence[Scenario]) -> Outlook:
    """Walk every scenario to its breach or to the end of what can be seen ahead (`len(walk.left)` hours)."""
    found = sorted(at for at in (_breach_at(walk, scenario) for scenario in scenarios) if at is not None)
    return Outlook(tuple(found), len(scenarios))


def _breach_at(walk: Walk, scenario: Scenario) -> int | None:
    total, bad = walk.present
    hours_count, last = len(scenario), len(walk.left) - 1
    repeats, rest = divmod(HOURS_PER_DAY, hours_count)
    day = _sum_of(scenario, repeats) if not rest else None
    margin = walk.allowed(-1, total) - bad
    k = 0
    while k <= last:
        end = k + HOURS_PER_DAY - 1
        if day is not None and k % HOURS_PER_DAY == 0 and end <= last and _is_safe(walk, Pace(total, bad), day, k):
            total += day.total
            bad += day.bad
            gone = walk.left[end]
            margin = walk.allowed(end, total - gone.total) - (bad - gone.bad)
            k = end + 1
            continue
        pace, gone = scenario[k % hours_count], walk.left[k]
        total += pace.total
        bad += pace.bad
        now_margin = walk.allowed(k, total - gone.total) - (bad - gone.bad)
        if now_margin < 0:
            into_ms = HOUR_MS * (margin + 1) // (margin - now_margin) if margin >= 0 else 0
            return walk.at + k * HOUR_MS + min(into_ms, HOUR_MS)
        margin = now_margin
        k += 1
    return None


def _sum_of(scenario: Scenario, repeats: int) -> Pace:
    return Pace(repeats * sum(pace.total for pace in scenario), repeats * sum(pace.bad for pace in scenario))


def _is_safe(walk: Walk, so_far: Pace, day: Pace, k: int) -> bool:
    """Whether no hour of the day from hour k on can breach: not even with all its bad and none of its traffic."""
    end = k + HOURS_PER_DAY - 1
    if k < walk.full_from <= end:
        return False
    most_bad = so_far.bad + day.bad - walk.left[k].bad
    return most_bad <= walk.allowed(end, so_far.total - walk.left[end].total)


def days_of(seen_ms: int) -> int:
    """How many whole past days, hour for hour, are there to learn from."""
    return min(DAYS_MAX, seen_ms // DAY_MS)

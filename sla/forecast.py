"""When will the budget end? Scenarios, not a formula (semantics.md 1, Forecast).

Each of up to 28 past days is one way the coming hours may go: its traffic scaled to the present hour's, its bad events
scaled likewise, and what the present hour has beyond that goes on. Until there are two past days, each of the last
six hours is a scenario that repeats. A scenario is walked hour by hour over the buckets that leave the window; the
breach instant lies where the budget's margin falls below zero, spread evenly inside the hour. Days that cannot hold
the breach are passed many at once, first those of all scenarios together: 28 scenarios of 720 hours, each minute,
would cost more than all else together. Most promises are safe by a bound on all scenarios, which are not made then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from operator import sub
from typing import Final, NamedTuple

from sla.budget import allowed_count, extrapolated
from sla.units import DAY_MS, HOUR_MS, MILLION

DAYS_MAX: Final = 28
DAYS_LEAST: Final = 2
HOURS_MAX: Final = 6
HOURS_PER_DAY: Final = 24
LEAST_SEEN_MS: Final = HOUR_MS
LEAST_BAD_COUNT: Final = 3
"""Fewer bad events in the present hour than this may be luck; the rule does not fire on them."""
_RATE: Final = 1 << 64
_DAYS_AT_FIRST: Final = 8  # most promises are safe so far ahead; a power of 2


class Pace(NamedTuple):
    """What an hour brings."""

    total: int
    bad: int


class Day(NamedTuple):
    """What the hours of a past day brought, the hour that is now first."""

    totals: Sequence[int]
    bads: Sequence[int]
    whole: Pace


class Scenario(NamedTuple):
    """The day to come, repeated without end: `total * up // down` and `bad * bad_up // bad_down + excess` an hour."""

    day: Day
    up: int
    down: int
    bad_up: int
    bad_down: int
    excess: int

    def scaled(self) -> Day:
        """The day to come, its sums from the start to the end of each hour."""
        day, up, down, bad_up, bad_down, excess = self
        totals = list(accumulate([total * up // down for total in day.totals]))
        bads = list(accumulate([bad * bad_up // bad_down + excess for bad in day.bads]))
        return Day(totals, bads, Pace(totals[-1], bads[-1]))

    def bounds(self) -> Pace:
        """No more total than the scaled day brings, and no less bad, found without scaling its hours.

        A sum of n floors lies less than n below the floor of the sum.
        """
        total, bad = self.day.whole
        least = total * self.up // self.down - (HOURS_PER_DAY - 1)
        return Pace(max(0, least), bad * self.bad_up // self.bad_down + self.excess * HOURS_PER_DAY)


class Days:
    """Past days, and bounds on how any of them may go on from its first hour."""

    __slots__ = ("each", "least_idle", "least_total", "most_bad", "most_idle")

    def __init__(self, days: Sequence[Day]) -> None:
        self.each = days
        firsts = [(day.whole, day.totals[0]) for day in days]
        # What the whole day has to one of its first hour's, in parts of `_RATE`; of days that begin idle the whole day.
        self.least_total = min((whole.total * _RATE // first for whole, first in firsts if first), default=None)
        self.most_bad = max((whole.bad * _RATE // first + 1 for whole, first in firsts if first), default=0)
        self.least_idle = min((whole.total for whole, first in firsts if not first), default=None)
        self.most_idle = max((whole.bad for whole, first in firsts if not first), default=0)

    def bound(self, present: Pace) -> Pace:
        """See `Scenario.bounds`, for all that go on from this hour: no more total, no less bad than any of them."""
        totals = [] if self.least_idle is None else [self.least_idle]
        if self.least_total is not None:
            totals.append(self.least_total * present.total // _RATE)
        most = max(self.most_idle, self.most_bad * present.total // _RATE + 1)
        return Pace(max(0, min(totals) - (HOURS_PER_DAY - 1)), most + present.bad * HOURS_PER_DAY)


class Scenarios:
    """The ways in which it may go on from an hour: how many, a bound on all of them, and each, made when asked for."""

    def __init__(self, count: int, bound: Pace, make: Callable[[], list[Scenario]]) -> None:
        self.count = count
        self.bound = bound
        self._made = cache(make)

    @property
    def each(self) -> list[Scenario]:
        """All of them; the objectives of one ledger share them."""
        return self._made()


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


class Allowance(NamedTuple):
    """The budget at the end of the hour k after now, by the window's total then.

    It never falls with the total, nor rises with k before `full_from`, nor changes with k from there.
    """

    now: int
    is_fixed: bool  # neither time nor traffic changes it
    target_ppm: int
    window_ms: int
    counted_ms: int
    full_from: int  # the first k at whose end the window is full, and its total taken as it is

    def at(self, k: int, total: int) -> int:
        """How many bad events are tolerated; -1 is now."""
        if self.is_fixed or k < 0:
            return self.now
        if k >= self.full_from:
            return allowed_count(total, self.target_ppm)
        whole = extrapolated(total, self.window_ms, max(1, self.counted_ms + (k + 1) * HOUR_MS))
        return allowed_count(whole, self.target_ppm)


class Walk(NamedTuple):
    """The present and what is known of the window's future; index k is the end of the hour k after now.

    What will have left the window by then never falls with k, and is never more than it holds now.
    """

    at: int
    present: Pace  # the sums of the window now
    left_totals: Sequence[int]
    left_bads: Sequence[int]
    allowance: Allowance


def of_days(present: Pace, days: Days) -> Scenarios:
    """One scenario per past day, which begins at the hour that is now."""
    return Scenarios(len(days.each), days.bound(present), lambda: [_scaled(present, day) for day in days.each])


def _scaled(present: Pace, day: Day) -> Scenario:
    total, bad = day.totals[0], day.bads[0]
    up, down = (present.total, total) if total else (1, 1)
    usual = bad * up // down
    if present.bad >= usual:  # worse than that day: what is beyond it goes on
        return Scenario(day, up, down, up, down, present.bad - usual)
    return Scenario(day, up, down, up * present.bad, down * max(1, usual), 0)


def of_hours(present: Pace, hours: Sequence[Pace]) -> Scenarios:
    """Each of the last hours repeats, at the present traffic."""
    found = [_repeated(present.total, h.bad * present.total // h.total) for h in hours if h.total]
    return Scenarios(len(found), _bound_of(found), lambda: found)


def _bound_of(scenarios: Sequence[Scenario]) -> Pace:
    bounds = [scenario.bounds() for scenario in scenarios]
    return Pace(min((pace.total for pace in bounds), default=0), max((pace.bad for pace in bounds), default=0))


def _repeated(total: int, bad: int) -> Scenario:
    whole = Pace(total * HOURS_PER_DAY, bad * HOURS_PER_DAY)
    return Scenario(Day([total] * HOURS_PER_DAY, [bad] * HOURS_PER_DAY, whole), 1, 1, 1, 1, 0)


def outlook(walk: Walk, scenarios: Scenarios) -> Outlook:
    """Walk every scenario to its breach or to the end of what can be seen ahead."""
    count = len(walk.left_totals)
    start = _next_unsafe(walk, scenarios.bound, 0)  # no scenario breaches before
    if start < count:
        start = _next_unsafe(walk, _bound_of(scenarios.each), start)
    if start >= count:
        return _holds(scenarios.count)
    found = sorted(at for at in (_breach_at(walk, scenario, start) for scenario in scenarios.each) if at is not None)
    return Outlook(tuple(found), scenarios.count)


@lru_cache(maxsize=DAYS_MAX + 1)
def _holds(scenarios_count: int) -> Outlook:
    """That of most promises, which share it."""
    return Outlook((), scenarios_count)


def _next_unsafe(walk: Walk, day: Pace, k: int) -> int:
    """The first day at or after the one that begins with hour k in which a breach is possible; the end if in none.

    A stretch is safe if it would hold all its bad and none of its traffic. Twice as long a one is tried after each
    that is safe, and half of one that is not. What the days before have brought is often enough, and what leaves last
    is dear to find.
    """
    _, present, left_totals, left_bads, allowance = walk
    count, full_from = len(left_totals), allowance.full_from
    days_count = _DAYS_AT_FIRST
    while days_count > 1 and k + days_count * HOURS_PER_DAY >= count:
        days_count //= 2
    while k < count:
        after = min(k + days_count * HOURS_PER_DAY, count)
        passed = k // HOURS_PER_DAY
        brought = passed * day.total
        bad = present.bad + (passed + days_count) * day.bad - left_bads[k]
        if not k < full_from < after and (
            (passed and bad <= allowance.at(after - 1, brought))
            or bad <= allowance.at(after - 1, brought + present.total - left_totals[after - 1])
        ):
            k = after
            days_count *= 2
        elif days_count == 1:
            return k
        else:
            days_count //= 2
    return count


def _breach_at(walk: Walk, scenario: Scenario, start: int) -> int | None:
    day = scenario.scaled()
    k = _next_unsafe(walk, day.whole, start)
    while k < len(walk.left_totals):
        found = _breach_within(walk, day, k)
        if found is not None:
            return found
        k = _next_unsafe(walk, day.whole, k + HOURS_PER_DAY)
    return None


def _breach_within(walk: Walk, day: Day, first: int) -> int | None:
    """The breach in the day that begins with hour `first`, if there is one; `day` holds its running sums."""
    passed = first // HOURS_PER_DAY
    total, bad = walk.present.total + passed * day.whole.total, walk.present.bad + passed * day.whole.bad
    gone_totals = walk.left_totals[first : first + HOURS_PER_DAY]
    nets = list(map(sub, day.bads, walk.left_bads[first : first + HOURS_PER_DAY]))
    most = _least_allowed(walk, total, gone_totals, first) - bad
    if max(nets) <= most:
        return None
    allowed_ppm = MILLION - walk.allowance.target_ppm
    is_full = not walk.allowance.is_fixed and first >= walk.allowance.full_from
    for j, (net, more, gone) in enumerate(zip(nets, day.totals, gone_totals, strict=False)):
        # The second is `now_margin >= 0` without the division: of some hundred hours each minute.
        if net <= most or (is_full and (total + more - gone) * allowed_ppm >= (bad + net) * MILLION):
            continue
        k = first + j
        now_margin = walk.allowance.at(k, total + more - gone) - (bad + net)
        if now_margin >= 0:
            continue
        before = (total + day.totals[j - 1], bad + day.bads[j - 1]) if j else (total, bad)
        margin = _margin(walk, *before, k - 1)
        into_ms = HOUR_MS * (margin + 1) // (margin - now_margin) if margin >= 0 else 0
        return walk.at + k * HOUR_MS + min(into_ms, HOUR_MS)
    return None


def _least_allowed(walk: Walk, total: int, gone_totals: Sequence[int], first: int) -> int:
    """A floor under the budget of a day's hours: by its end, with none of its traffic."""
    last = first + len(gone_totals) - 1
    if first < walk.allowance.full_from <= last:
        return min(walk.allowance.at(k, total - gone_totals[-1]) for k in (walk.allowance.full_from - 1, last))
    return walk.allowance.at(last, total - gone_totals[-1])


def _margin(walk: Walk, total: int, bad: int, k: int) -> int:
    """What is left of the budget at the end of the hour k."""
    gone_total, gone_bad = (walk.left_totals[k], walk.left_bads[k]) if k >= 0 else (0, 0)
    return walk.allowance.at(k, total - gone_total) - (bad - gone_bad)


def days_of(seen_ms: int) -> int:
    """How many whole past days, hour for hour, are there to learn from."""
    return min(DAYS_MAX, seen_ms // DAY_MS)

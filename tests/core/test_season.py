"""What is kept of the past for an hour is what would be found anew at each of its minutes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.detect.season import Leaving, Season
from sla.forecast import Day, Days, Pace
from sla.ledger import Ledger
from sla.reach import ahead_of
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, floor_to
from sla.working_time import ALWAYS, WorkingTime

from .test_hours import CALENDARS
from .world import T0

KEEP_MS = 7 * DAY_MS
WINDOWS = (30 * MINUTE_MS, HOUR_MS, 7 * HOUR_MS, DAY_MS, 3 * DAY_MS, 4 * DAY_MS, 5 * DAY_MS)


def days_anew(ledger: Ledger, at: int, count: int) -> list[Day]:
    """Hour by hour from the ledger; a day is 24 hours that count."""
    this_hour, days = floor_to(at, HOUR_MS), []
    for day in range(1, count + 1):
        edges = [ledger.hours.before(this_hour, (24 * day - k) * HOUR_MS) or 0 for k in range(25)]
        sums = [ledger.between(edges[k], edges[k + 1]) for k in range(24)]
        totals, bads = [each.total for each in sums], [each.bad for each in sums]
        days.append(Day(totals, bads, Pace(sum(totals), sum(bads))))
    return days


def leaving_anew(ledger: Ledger, window_ms: int, at: int, first_at: int) -> Leaving:
    """Edge by edge from the ledger."""
    edge = ledger.windows[window_ms].edge
    ahead = [ahead_of(ledger.hours, at, (k + 1) * HOUR_MS) for k in range(max(1, window_ms // HOUR_MS))]
    untils = [ledger.edge(window_ms, each) for each in ahead]
    gone = [ledger.between(edge, until) for until in untils]
    full_from = sum(until < first_at for until in untils)
    return Leaving([sums.total for sums in gone], [sums.bad for sums in gone], full_from)


def plain(found: Leaving) -> Leaving:
    return Leaving(list(found.totals), list(found.bads), found.full_from)


def told(days: Days) -> list[Day]:
    return [Day(list(day.totals), list(day.bads), day.whole) for day in days.each]


def some(rng: random.Random, ledger: Ledger, earliest: int, latest: int) -> None:
    at = rng.randrange(earliest, latest)
    if ledger.hours.is_open(at):
        ledger.add(at, rng.randrange(1, 50), rng.randrange(2))


@pytest.mark.parametrize("hours", [ALWAYS, *CALENDARS.values()], ids=["always", *CALENDARS])
@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.sets(st.sampled_from(WINDOWS), min_size=1, max_size=2), st.integers(0, 59))
def test_a_season_is_what_the_ledger_says_at_every_minute(
    hours: WorkingTime, rng: random.Random, windows: set[int], minute: int
) -> None:
    start = T0 + minute * MINUTE_MS
    ledger, first_at = Ledger(), T0 - rng.randrange(1, 6) * DAY_MS
    ledger.hours = hours
    for at in range(first_at, start, 40 * MINUTE_MS):
        some(rng, ledger, at, at + 40 * MINUTE_MS)
    ledger.compact(start, start - KEEP_MS)
    ledger.watch(sorted(windows), start)
    season = Season(ledger)
    for now in range(start, start + 75 * MINUTE_MS, rng.choice([2, 5]) * MINUTE_MS):
        ledger.advance(now)
        assert told(season.days(now, 2)) == days_anew(ledger, now, 2)
        for window_ms in windows:
            found = season.leaving(window_ms, ledger.windows[window_ms].edge, now, first_at)
            assert plain(found) == leaving_anew(ledger, window_ms, now, first_at)
            first, last = rng.randrange(130), rng.randrange(130)
            assert found.bads[first:last] == list(found.bads)[first:last]
        if rng.randrange(2):
            season.let_go()
        some(rng, ledger, now, now + MINUTE_MS)
        match rng.randrange(24):
            case 0:  # late, by minutes or days
                some(rng, ledger, now - rng.choice([HOUR_MS, 3 * DAY_MS]), now)
            case 1:
                begins = now - rng.randrange(DAY_MS)
                ledger.exclude([(begins, begins + rng.randrange(1, 9 * HOUR_MS))], now)
            case 2:
                ledger.exclude([], now)
            case 3:
                ledger.compact(now, now - rng.choice([KEEP_MS, DAY_MS]))
            case _:
                pass


def test_what_is_kept_serves_the_whole_hour() -> None:
    ledger = Ledger()
    ledger.watch([5 * DAY_MS], T0)
    season = Season(ledger)
    first = season.days(T0, 3)
    for now in range(T0, T0 + HOUR_MS, MINUTE_MS):
        ledger.advance(now)
        ledger.add(now, 10, 1)
        assert season.days(now, 3) is first
    assert season.days(T0 + HOUR_MS, 3) is not first


def test_an_hour_that_is_over_leaves_nothing_behind() -> None:
    ledger = Ledger()
    ledger.watch([5 * DAY_MS], T0)
    season = Season(ledger)
    days = season.days(T0, 3)
    season.rest(T0 + HOUR_MS)
    assert (again := season.days(T0, 3)) is not days
    assert told(again) == told(days)


@pytest.mark.parametrize("count", [9, 1 << 32, 1 << 62])
def test_a_past_of_any_size_is_kept_exactly(count: int) -> None:
    ledger = Ledger()
    ledger.watch([5 * DAY_MS], T0)
    ledger.add(T0 - DAY_MS, count, 1)
    ledger.advance(T0)
    assert Season(ledger).days(T0, 2).each[0].totals[0] == count

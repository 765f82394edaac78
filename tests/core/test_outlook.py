"""A walk over the scenarios passes days that cannot breach unwalked, and must find what one over every hour finds."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from sla.forecast import Allowance, Day, Days, Pace, Scenario, Walk, of_days, of_hours, outlook
from sla.units import HOUR_MS

T = 1_795_428_000_000
TARGET_PPM = 900_000


def hours_of(present: Pace, day: Day) -> list[Pace]:
    """A past day scaled to the present hour, as the semantics have it."""
    hours = [Pace(*each) for each in zip(day.totals, day.bads, strict=True)]
    up, down = (present.total, hours[0].total) if hours[0].total else (1, 1)
    usual = hours[0].bad * up // down
    if present.bad >= usual:
        return [Pace(h.total * up // down, h.bad * up // down + present.bad - usual) for h in hours]
    return [Pace(h.total * up // down, h.bad * up * present.bad // (down * max(1, usual))) for h in hours]


def hour_by_hour(walk: Walk, hours: list[Pace]) -> int | None:
    total, bad = walk.present
    margin = walk.allowance.at(-1, total) - bad
    for k, (gone_total, gone_bad) in enumerate(zip(walk.left_totals, walk.left_bads, strict=True)):
        pace = hours[k % len(hours)]
        total, bad = total + pace.total, bad + pace.bad
        before, margin = margin, walk.allowance.at(k, total - gone_total) - (bad - gone_bad)
        if margin < 0:
            into_ms = HOUR_MS * (before + 1) // (before - margin) if before >= 0 else 0
            return walk.at + k * HOUR_MS + min(into_ms, HOUR_MS)
    return None


@st.composite
def paces(draw: st.DrawFn, size: int, most_bad: int) -> list[Pace]:
    bads = draw(st.lists(st.integers(0, most_bad), min_size=size, max_size=size))
    return [Pace(bad + draw(st.integers(0, 60)), bad) for bad in bads]


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    hours_count = draw(st.integers(1, 200))
    window = draw(paces(hours_count, draw(st.integers(0, 8))))
    totals, bads = list(accumulate(p.total for p in window)), list(accumulate(p.bad for p in window))
    full_from = draw(st.sampled_from([0, hours_count, draw(st.integers(0, hours_count))]))
    present = Pace(totals[-1], bads[-1])
    counted_ms = max(1, hours_count - full_from) * HOUR_MS
    now = present.total // 10 + draw(st.integers(0, 20))
    allowance = Allowance(now, draw(st.booleans()), TARGET_PPM, hours_count * HOUR_MS, counted_ms, full_from)
    if full_from == hours_count and draw(st.booleans()):  # a calendar period: nothing leaves
        totals = bads = [0] * hours_count
    return Walk(T, present, totals, bads, allowance)


@st.composite
def past_days(draw: st.DrawFn) -> Day:
    hours = draw(paces(24, draw(st.integers(0, 10))))
    totals, bads = [each.total for each in hours], [each.bad for each in hours]
    return Day(totals, bads, Pace(sum(totals), sum(bads)))


@given(walks(), st.integers(1, 60), st.integers(0, 10), st.lists(past_days(), min_size=1, max_size=4))
def test_days_passed_unwalked_hide_no_breach(walk: Walk, total: int, bad: int, days: list[Day]) -> None:
    present = Pace(total + bad, bad)
    found = [hour_by_hour(walk, hours_of(present, day)) for day in days]
    expected = tuple(sorted(at for at in found if at is not None))
    assert outlook(walk, of_days(present, Days(days))) == (expected, len(days))


@given(walks(), st.integers(1, 60), st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_an_hour_that_repeats_is_walked_like_a_day(walk: Walk, total: int, bads: list[int]) -> None:
    present = Pace(total, 1)
    found = [hour_by_hour(walk, [Pace(total, bad * total // 60)]) for bad in bads]
    expected = tuple(sorted(at for at in found if at is not None))
    assert outlook(walk, of_hours(present, [Pace(60, bad) for bad in bads])) == (expected, len(bads))


@given(st.integers(0, 900), st.integers(0, 900), past_days())
def test_the_bounds_of_a_scenario_hold_its_scaled_day(total: int, bad: int, day: Day) -> None:
    scenario: Scenario = of_days(Pace(total + bad, bad), Days([day])).each[0]
    least, most = scenario.bounds()
    whole = scenario.scaled().whole
    assert least <= whole.total
    assert most >= whole.bad

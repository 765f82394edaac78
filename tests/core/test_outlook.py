"""A walk over the scenarios passes quiet days in one step, and must find what a walk over every hour finds."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from sla.forecast import Pace, Scenario, Walk, outlook
from sla.units import HOUR_MS

T = 1_795_428_000_000
TARGET_PPM = 900_000


def hour_by_hour(walk: Walk, scenario: Scenario) -> int | None:
    total, bad = walk.present
    margin = walk.allowed(-1, total) - bad
    for k, gone in enumerate(walk.left):
        pace = scenario[k % len(scenario)]
        total, bad = total + pace.total, bad + pace.bad
        before, margin = margin, walk.allowed(k, total - gone.total) - (bad - gone.bad)
        if margin < 0:
            into_ms = HOUR_MS * (before + 1) // (before - margin) if before >= 0 else 0
            return walk.at + k * HOUR_MS + min(into_ms, HOUR_MS)
    return None


@st.composite
def paces(draw: st.DrawFn, size: int, most_bad: int) -> list[Pace]:
    bads = draw(st.lists(st.integers(0, most_bad), min_size=size, max_size=size))
    return [Pace(bad + draw(st.integers(0, 60)), bad) for bad in bads]


@st.composite
def walks(draw: st.DrawFn) -> tuple[Walk, Scenario]:
    hours_count = draw(st.integers(1, 80))
    window = draw(paces(hours_count, draw(st.integers(0, 8))))
    left = [Pace(*sums) for sums in accumulate(window, lambda a, b: Pace(a.total + b.total, a.bad + b.bad))]
    full_from = draw(st.integers(0, hours_count))

    def allowed(k: int, total: int) -> int:
        whole = total if k >= full_from else total * (hours_count + 3) // (hours_count + 2 - full_from + k + 1)
        return whole * (1_000_000 - TARGET_PPM) // 1_000_000

    scenario = draw(paces(draw(st.sampled_from([1, 24])), draw(st.integers(0, 10))))
    return Walk(T, left[-1], left, allowed, full_from), scenario


@given(walks())
def test_a_day_passed_in_one_step_hides_no_breach(case: tuple[Walk, Scenario]) -> None:
    walk, scenario = case
    expected = hour_by_hour(walk, scenario)
    assert outlook(walk, [scenario]).breach_ats == (() if expected is None else (expected,))


def test_a_month_of_quiet_days_costs_a_step_each() -> None:
    asked: list[int] = []

    def allowed(k: int, total: int) -> int:
        asked.append(k)
        return total // 10

    left = [Pace(100 * (k + 1), k + 1) for k in range(720)]
    assert not outlook(Walk(T, left[-1], left, allowed, 0), [[Pace(100, 1)]]).breach_ats
    assert len(asked) <= 2 * 30 + 1

"""The ledger's running sums against a recount by hand, whatever is added, merged, excluded and restored in between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.archive import Archive, cells_of
from sla.buckets import Buckets, Totals
from sla.catalogue import CalendarPeriod, Unit
from sla.cells import rolling_edge
from sla.intervals import Interval, counted_ms, merged
from sla.ledger import Ledger, Span
from sla.periods import period_at
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

from .world import T0

KEEP_MS = 6 * DAY_MS
SPANS: Sequence[Span] = (
    *(5 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS),
    *(7 * HOUR_MS, DAY_MS, 3 * DAY_MS),
    4 * DAY_MS,
    CalendarPeriod(Unit.DAY, "Asia/Kathmandu", "day calendar"),
)


class Add(NamedTuple):
    back_ms: int
    total: int
    bad: int


class Pass(NamedTuple):
    ms: int


class Exclude(NamedTuple):
    intervals: tuple[tuple[int, int], ...]  # (how far back, how long), in minutes


class Compact(NamedTuple):
    pass


class Restart(NamedTuple):
    pass


Act = Add | Pass | Exclude | Compact | Restart

BACKS = st.one_of(st.just(0), st.integers(0, 3 * MINUTE_MS), st.integers(0, 5 * DAY_MS))
ADDS = st.tuples(BACKS, st.integers(0, 50), st.integers(0, 50)).map(lambda t: Add(t[0], t[1] + t[2], t[2]))
PASSES = st.one_of(st.integers(1, 3 * MINUTE_MS), st.integers(1, 30 * HOUR_MS)).map(Pass)
STRETCHES = st.tuples(st.integers(-120, 2 * 24 * 60), st.integers(1, 300))
EXCLUDES = st.lists(STRETCHES, max_size=3).map(lambda found: Exclude(tuple(found)))
ACTS = st.lists(
    st.one_of(ADDS, ADDS, ADDS, PASSES, PASSES, EXCLUDES, st.just(Compact()), st.just(Restart())), max_size=40
)


def recount(ledger: Ledger, start: int) -> Totals:
    """The rows that begin at or after `start` and are not excluded, added up one by one."""
    kept = [row for row in ledger.rows(start) if not any(a < row.end and b > row.start for a, b in ledger.excluded)]
    return Totals(sum(r.total for r in kept), sum(r.bad for r in kept), sum(r.marked for r in kept))


def start_of(span: Span, now: int) -> int:
    return rolling_edge(span, now) if isinstance(span, int) else period_at(span, now).start


def stored(ledger: Ledger) -> Ledger:
    """A ledger as a table entry brings it back."""
    for cell in ledger.cells:
        cell.version = None
    written = Archive().turn_over([("it", ledger)], 7).written
    body = orjson.loads(orjson.dumps(ledger.to_json()))
    fresh = Ledger()
    fresh.load(body, cells_of("it", body["segments"], written))
    return fresh


def restarted(ledger: Ledger, now: int) -> Ledger:
    fresh = stored(ledger)
    fresh.watch(SPANS, now)
    fresh.exclude(ledger.excluded, now)
    return fresh


def play(acts: Sequence[Act], *, restarts: bool) -> tuple[Ledger, list[dict[Span, Totals]]]:
    """A ledger after these acts, and what it said after each."""
    now = T0
    ledger = Ledger()
    ledger.watch(SPANS, now)
    said: list[dict[Span, Totals]] = []
    for act in acts:
        match act:
            case Add(back_ms, total, bad):
                ledger.add(now - back_ms, total, bad)
            case Pass(ms):
                now += ms
                ledger.advance(now)
            case Exclude(intervals):
                stretches = [(now - back * MINUTE_MS, now - (back - long) * MINUTE_MS) for back, long in intervals]
                ledger.exclude(merged(stretches), now)
            case Compact():
                ledger.compact(now, now - KEEP_MS)
            case Restart() if restarts:
                ledger = restarted(ledger, now)
            case _:
                pass
        ledger.advance(now)
        said.append({span: ledger.read(span) for span in SPANS})
        for span in SPANS:
            assert ledger.windows[span].edge == start_of(span, now)
            assert said[-1][span] == recount(ledger, start_of(span, now)), (act, span)
    return ledger, said


@settings(max_examples=150, deadline=None)
@given(ACTS)
def test_running_sums_equal_a_recount_after_any_acts(acts: list[Act]) -> None:
    play(acts, restarts=True)


@settings(max_examples=100, deadline=None)
@given(ACTS)
def test_a_restart_changes_no_sum_and_no_row_now_or_later(acts: list[Act]) -> None:
    with_restarts, said_with = play(acts, restarts=True)
    without_restarts, said_without = play(acts, restarts=False)
    assert said_with == said_without
    assert with_restarts.rows() == without_restarts.rows()
    assert with_restarts.excluded == without_restarts.excluded


@settings(max_examples=100, deadline=None)
@given(ACTS)
def test_rows_are_disjoint_and_in_order_and_reach_across_no_cut_made_in_time(acts: list[Act]) -> None:
    ledger, _ = play(acts, restarts=False)
    rows = ledger.rows()
    assert all(row.start < row.end for row in rows)
    assert all(one.end <= other.start for one, other in pairwise(rows))
    assert all(0 <= row.marked <= -(-(row.end - row.start) // MINUTE_MS) for row in rows)


@settings(max_examples=100, deadline=None)
@given(ACTS, st.lists(STRETCHES, min_size=1, max_size=3))
def test_an_exclusion_that_is_revoked_leaves_no_trace_in_the_sums(
    acts: list[Act], stretches: list[tuple[int, int]]
) -> None:
    ledger, _ = play([act for act in acts if not isinstance(act, Exclude)], restarts=False)
    now = ledger.next_edge_at - SECOND_MS
    ledger.advance(now)
    before = {span: ledger.read(span) for span in SPANS}
    ledger.exclude([(now - back * MINUTE_MS, now - (back - long) * MINUTE_MS) for back, long in stretches], now)
    ledger.exclude([], now)
    assert {span: ledger.read(span) for span in SPANS} == before


def test_a_cut_inside_the_open_minute_holds_after_a_restart() -> None:
    # 10:00        10:00:30      10:01
    # [ open bucket ...cut.......)      the second half is a bucket of its own
    ledger = Ledger()
    ledger.watch([HOUR_MS], T0)
    ledger.add(T0 + SECOND_MS, 10, 1)
    fresh = stored(ledger)
    fresh.watch([HOUR_MS], T0 + 2 * SECOND_MS)
    for each in (ledger, fresh):
        each.cut(T0 + 30 * SECOND_MS, T0 + 2 * SECOND_MS)
        each.exclude([(T0 + 30 * SECOND_MS, T0 + MINUTE_MS)], T0 + 2 * SECOND_MS)
        each.add(T0 + 31 * SECOND_MS, 10, 10)
        assert each.read(HOUR_MS) == (10, 1, 1)
        assert each.excluded == [(T0 + 30 * SECOND_MS, T0 + MINUTE_MS)]


def test_an_exclusion_told_too_late_for_its_edge_is_widened_to_the_bucket() -> None:
    ledger = Ledger()
    ledger.watch([HOUR_MS], T0)
    ledger.add(T0, 10, 1)
    ledger.add(T0 + MINUTE_MS, 10, 1)
    ledger.exclude([(T0 + 20 * SECOND_MS, T0 + 40 * SECOND_MS)], T0 + MINUTE_MS)
    assert ledger.excluded == [(T0, T0 + MINUTE_MS)]
    assert ledger.read(HOUR_MS) == (10, 1, 1)


CUTS = st.lists(st.integers(0, 8 * HOUR_MS), max_size=5)
POINTS = st.lists(st.tuples(st.integers(0, 8 * HOUR_MS), st.integers(0, 9)), max_size=40)


@settings(max_examples=100, deadline=None)
@given(CUTS, POINTS, st.sampled_from([8 * HOUR_MS, DAY_MS, 4 * DAY_MS]))
def test_merging_changes_no_sum_between_any_two_cuts(
    cuts: list[int], points: list[tuple[int, int]], age_ms: int
) -> None:
    buckets = Buckets()
    buckets.cuts = sorted(set(cuts))
    for at, count in points:
        buckets.add(at, count, 0, 0)
    edges = [0, *buckets.cuts, 9 * HOUR_MS]
    before = [buckets.total(a, b, []) for a, b in pairwise(edges)]
    hours = range(0, 9 * HOUR_MS, HOUR_MS)
    hourly = [sum(count for at, count in points if hour <= at < hour + HOUR_MS) for hour in hours]
    buckets.settle(age_ms)
    assert [buckets.total(a, b, []) for a, b in pairwise(edges)] == before
    assert [buckets.total(hour, hour + HOUR_MS, [])[0] for hour in hours] == hourly


INTERVALS: st.SearchStrategy[list[Interval]] = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


@given(INTERVALS, st.integers(0, 60), st.integers(0, 60))
def test_counted_time_is_every_instant_that_no_interval_holds(found: list[Interval], start: int, end: int) -> None:
    outside = [at for at in range(start, end) if not any(a <= at < b for a, b in found)]
    assert counted_ms(start, end, merged(found)) == len(outside)


def test_merging_after_a_time_without_decisions_leaves_nothing_in_a_window_for_ever() -> None:
    ledger = Ledger()
    ledger.watch([6 * HOUR_MS], T0)
    for minute in range(8 * 60):
        ledger.add(T0 + minute * MINUTE_MS, 1, 0)
    ledger.advance(T0 + 8 * HOUR_MS - 7 * MINUTE_MS)
    ledger.compact(T0 + 8 * HOUR_MS, 0)  # the hour's decision comes seven minutes after the last one
    ledger.advance(T0 + 8 * HOUR_MS)
    assert ledger.read(6 * HOUR_MS).total == 6 * 60 - 1

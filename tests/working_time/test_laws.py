"""The algebra of working time, over calendars and pauses of all kinds."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sla.intervals import Interval, merged, without
from sla.units import DAY_MS, HOUR_MS
from sla.working_time import ClosedDay, Opening, PublicHolidays, Shift, Timetable, WorkingTime
from sla.working_time.unfolded import LATEST_AT
from tests.working_time.naive import utc

FROM, TO = utc("2026-01-01"), utc("2027-06-01")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu"]
DAYS = st.integers(0, 500).map(lambda step: date(2026, 1, 1) + timedelta(days=step))

# Whoever asks first for a country's holidays loads them, hence no deadlines.
shifts = st.builds(lambda start, length: Shift(start, start + length), st.integers(0, 1439), st.integers(1, 1440))
weeks = st.lists(st.lists(shifts, max_size=3).map(tuple), min_size=7, max_size=7).map(tuple)
timetables = st.builds(
    Timetable,
    st.sampled_from(ZONES),
    weeks,
    st.sampled_from([None, PublicHolidays("DE", "BY"), PublicHolidays("US")]),
    st.lists(st.builds(ClosedDay, DAYS), max_size=5).map(tuple),
    openings=st.lists(st.builds(Opening, DAYS, shifts), max_size=5).map(tuple),
)
calendars = st.builds(WorkingTime, timetables)
instants = st.integers(FROM, TO)
stretches = st.builds(lambda start, length: (start, start + length), instants, st.integers(-HOUR_MS, 30 * DAY_MS))
uncounteds = st.lists(stretches, max_size=6)
spans = st.integers(1, 400 * HOUR_MS)


@settings(deadline=None)
@given(calendars, instants, spans, uncounteds)
def test_at_its_deadline_the_target_has_elapsed_and_one_millisecond_earlier_it_has_not(
    calendar: WorkingTime, start: int, span_ms: int, uncounted: list[Interval]
) -> None:
    due_at = calendar.after(start, span_ms, uncounted)
    assume(due_at is not None)
    assert due_at is not None
    assert calendar.elapsed_ms(start, due_at, uncounted) == span_ms
    assert calendar.elapsed_ms(start, due_at - 1, uncounted) == span_ms - 1


@settings(deadline=None)
@given(calendars, st.tuples(instants, instants, instants), uncounteds)
def test_what_elapses_adds_up_and_never_goes_back(
    calendar: WorkingTime, three: tuple[int, int, int], uncounted: list[Interval]
) -> None:
    a, b, c = sorted(three)
    whole = calendar.elapsed_ms(a, c, uncounted)
    assert whole == calendar.elapsed_ms(a, b, uncounted) + calendar.elapsed_ms(b, c, uncounted)
    assert 0 <= calendar.elapsed_ms(a, b, uncounted) <= whole <= c - a


@settings(deadline=None)
@given(calendars, instants, spans, uncounteds, st.randoms())
def test_the_order_and_overlap_of_what_does_not_count_are_irrelevant(
    calendar: WorkingTime, start: int, span_ms: int, uncounted: list[Interval], shuffled: object
) -> None:
    other = [*uncounted, *uncounted[:2]]
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    for same in (other, merged(uncounted)):
        assert calendar.after(start, span_ms, same) == calendar.after(start, span_ms, uncounted)
        assert calendar.elapsed_ms(start, TO, same) == calendar.elapsed_ms(start, TO, uncounted)


@settings(deadline=None)
@given(calendars, instants, spans, uncounteds, stretches)
def test_a_pause_outside_hours_changes_nothing(
    calendar: WorkingTime, start: int, span_ms: int, uncounted: list[Interval], stretch: Interval
) -> None:
    outside = without([stretch], calendar.open_between(*stretch)) if stretch[0] < stretch[1] else []
    assert calendar.after(start, span_ms, [*uncounted, *outside]) == calendar.after(start, span_ms, uncounted)
    assert calendar.elapsed_ms(start, TO, [*outside, *uncounted]) == calendar.elapsed_ms(start, TO, uncounted)


@settings(deadline=None)
@given(calendars, instants, instants, uncounteds)
def test_what_elapses_is_the_length_of_what_is_open_and_not_uncounted(
    calendar: WorkingTime, one: int, other: int, uncounted: list[Interval]
) -> None:
    start, end = sorted((one, other))
    left = without(calendar.open_between(start, end), merged(uncounted))
    assert calendar.elapsed_ms(start, end, uncounted) == sum(b - a for a, b in left)


@settings(deadline=None)
@given(calendars, instants)
def test_the_next_open_instant_is_open_and_none_before_it_is(calendar: WorkingTime, at: int) -> None:
    opens_at = calendar.next_open_at(at)
    assume(opens_at is not None)
    assert opens_at is not None
    assert calendar.is_open(opens_at)
    assert calendar.elapsed_ms(at, opens_at) == 0


@settings(deadline=None)
@given(calendars, instants, instants)
def test_every_closed_instant_has_one_reason(calendar: WorkingTime, one: int, other: int) -> None:
    start, end = sorted((one, other))
    closed = [(each.start, each.end) for each in calendar.why_closed(start, end)]
    assert without([(start, end)], merged(closed)) == calendar.open_between(start, end)
    assert sum(b - a for a, b in closed) + calendar.elapsed_ms(start, end) == end - start


@settings(deadline=None, max_examples=30)
@given(
    timetables, st.lists(st.tuples(st.integers(-DAY_MS, LATEST_AT + DAY_MS), st.integers(0, 3000 * DAY_MS)), max_size=4)
)
def test_what_was_asked_before_does_not_change_an_answer(timetable: Timetable, asked: list[Interval]) -> None:
    used = WorkingTime(timetable)
    for start, length in asked:
        fresh = WorkingTime(timetable)
        assert used.after(start, length) == fresh.after(start, length)
        assert used.elapsed_ms(start, start + length) == fresh.elapsed_ms(start, start + length)
        assert used.open_between(start, start + DAY_MS) == fresh.open_between(start, start + DAY_MS)


@settings(deadline=None, max_examples=30)
@given(timetables, instants, st.lists(st.tuples(instants, spans), max_size=3), uncounteds)
def test_what_counts_from_an_instant_answers_alike_however_far_it_was_asked_before(
    timetable: Timetable, start: int, asked: list[tuple[int, int]], uncounted: list[Interval]
) -> None:
    calendar = WorkingTime(timetable)
    counting = calendar.counting(start, uncounted)
    for at, span_ms in asked:
        anew = WorkingTime(timetable)
        assert counting.elapsed_ms(at) == anew.elapsed_ms(start, at, uncounted)
        assert counting.after(span_ms) == anew.after(start, span_ms, uncounted)
        calendar.before(at, span_ms)  # which unfolds what lies before


@settings(deadline=None)
@given(calendars, instants, uncounteds, uncounteds, st.lists(st.tuples(instants, spans), max_size=3))
def test_stretches_lost_one_by_one_are_lost_as_all_at_once(
    calendar: WorkingTime,
    start: int,
    first: list[Interval],
    more: list[Interval],
    asked: list[tuple[int, int]],
) -> None:
    before = calendar.counting(start, first)
    counting, whole = before.copy(), calendar.counting(start, [*first, *more])
    for each in more:
        counting.lose(*each)
    anew = calendar.counting(start, first)
    for at, span_ms in asked:
        assert counting.elapsed_ms(at) == whole.elapsed_ms(at)
        assert counting.after(span_ms) == whole.after(span_ms)
        assert before.elapsed_ms(at) == anew.elapsed_ms(at)

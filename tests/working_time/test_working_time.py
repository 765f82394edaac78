"""Tables and pictures: what counts, and when so much will have counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sla.intervals import clipped, merged, without
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, rfc3339, to_epoch_ms
from sla.working_time import (
    ALWAYS,
    Closed,
    ClosedDay,
    Opening,
    PublicHolidays,
    Reason,
    Shift,
    Timetable,
    WorkingTime,
)
from tests.working_time import naive
from tests.working_time.naive import utc


def shift(text: str) -> Shift:
    start, _, end = text.partition("-")
    first, last = (int(each[:2]) * 60 + int(each[3:]) for each in (start, end))
    return Shift(first, last if last > first else last + 24 * 60)


def week(**days: list[str]) -> tuple[tuple[Shift, ...], ...]:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return tuple(tuple(shift(each) for each in days.get(name, days.get("daily", []))) for name in names)


WORKDAYS = {day: ["09:00-12:00", "13:00-17:30"] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = Timetable(
    "Europe/Berlin",
    week(**WORKDAYS),
    PublicHolidays("DE", "BY"),
    (ClosedDay(date(2026, 12, 24), "Heiligabend"),),
    openings=(Opening(date(2026, 12, 27), shift("10:00-14:00")),),
)
EVENING = Opening(date(2026, 6, 1), shift("18:00-20:00"))


def berlin(**days: list[str]) -> Timetable:
    return Timetable("Europe/Berlin", week(**days))


def shown(intervals: list[tuple[int, int]]) -> list[str]:
    return [f"{rfc3339(a)[5:16]} {rfc3339(b)[5:16]}".replace("T", " ") for a, b in intervals]


@pytest.mark.parametrize(
    ("start", "span_ms", "due"),
    [
        # Berlin is an hour ahead of UTC in November.
        ("2026-11-23T08:00:00", 4 * HOUR_MS, "2026-11-23T13:00:00.000Z"),  # over lunch
        ("2026-11-23T08:00:00", 3 * HOUR_MS, "2026-11-23T11:00:00.000Z"),  # at the stroke of twelve, not at one
        ("2026-11-27T16:00:00", HOUR_MS, "2026-11-30T08:30:00.000Z"),  # over the weekend
        ("2026-11-28T12:00:00", 1, "2026-11-30T08:00:00.001Z"),
        ("2026-11-23T15:30:00", HOUR_MS, "2026-11-23T16:30:00.000Z"),  # at closing time, not next morning
        ("2026-12-23T16:00:00", HOUR_MS, "2026-12-27T09:30:00.000Z"),  # Christmas, and the Sunday that is open
        ("2026-11-23T08:00:00.123", 48 * HOUR_MS, "2026-12-01T12:00:00.123Z"),  # a target of 2d is 48 h of work
    ],
)
def test_a_deadline_is_when_so_much_has_counted(start: str, span_ms: int, due: str) -> None:
    calendar = WorkingTime(OFFICE)
    due_at = calendar.after(utc(start), span_ms)
    assert due_at is not None
    assert rfc3339(due_at) == due
    assert calendar.elapsed_ms(utc(start), due_at) == span_ms
    assert calendar.elapsed_ms(utc(start), due_at - 1) == span_ms - 1


@pytest.mark.parametrize(
    ("timetable", "start", "end", "opens"),
    [
        # 23 hours: what is skipped is not worked
        (berlin(sun=["00:00-24:00"]), "2026-03-28", "2026-03-30", ["03-28 23:00 03-29 22:00"]),
        # 25 hours
        (berlin(sun=["00:00-24:00"]), "2026-10-24", "2026-10-26", ["10-24 22:00 10-25 23:00"]),
        # begins at a time that does not exist: an hour later
        (berlin(sun=["02:30-06:00"]), "2026-03-28", "2026-03-30", ["03-29 01:30 03-29 04:00"]),
        # begins at a time that exists twice: the first
        (berlin(sun=["02:30-06:00"]), "2026-10-24", "2026-10-26", ["10-25 00:30 10-25 05:00"]),
        # would end before it begins, since its end exists and its beginning has moved past it
        (berlin(sun=["02:30-03:10"]), "2026-03-28", "2026-03-30", []),
        # midnight does not exist
        (Timetable("America/Havana", week(sun=["00:00-06:00"])),
         "2026-03-07", "2026-03-09", ["03-08 05:00 03-08 10:00"]),
        # overnight, over a day that is closed: the night of the day before is worked to its end
        (
            Timetable("UTC", week(daily=["22:00-06:00"]), closed_days=(ClosedDay(date(2026, 6, 2)),)),
            "2026-06-01T12:00", "2026-06-04", ["06-01 22:00 06-02 06:00", "06-03 22:00 06-04 00:00"],
        ),
        # overlaps are merged, shifts that touch are one
        (
            Timetable("UTC", week(mon=["08:00-12:00", "10:00-14:00", "14:00-15:00"])),
            "2026-06-01", "2026-06-02", ["06-01 08:00 06-01 15:00"],
        ),
        # an opening comes to the hours of its day, also where the day is closed
        (
            Timetable("UTC", week(mon=["08:00-12:00"]), openings=(EVENING,)),
            "2026-06-01", "2026-06-02", ["06-01 08:00 06-01 12:00", "06-01 18:00 06-01 20:00"],
        ),
        (
            Timetable("UTC", week(mon=["08:00-12:00"]), None, (ClosedDay(EVENING.day),), openings=(EVENING,)),
            "2026-06-01", "2026-06-02", ["06-01 18:00 06-01 20:00"],
        ),
        # a closed hour within a shift, and an open one outside of it
        (
            Timetable(
                "UTC", week(mon=["08:00-12:00"]),
                closed_times=(Closed(utc("2026-06-01T09:00"), utc("2026-06-01T10:00"), Reason.CLOSED, "fire drill"),),
                open_times=((utc("2026-06-01T15:00"), utc("2026-06-01T15:00:00.007")),),
            ),
            "2026-06-01", "2026-06-02",
            ["06-01 08:00 06-01 09:00", "06-01 10:00 06-01 12:00", "06-01 15:00 06-01 15:00"],
        ),
    ],
)  # fmt: skip
def test_hours_become_intervals_of_utc(timetable: Timetable, start: str, end: str, opens: list[str]) -> None:
    assert shown(WorkingTime(timetable).open_between(utc(start), utc(end))) == opens


EDGES = [
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Havana", "2026-03-08"), ("America/Havana", "2026-11-01"), ("Asia/Beirut", "2026-03-29"),
    ("Antarctica/Troll", "2026-03-29"), ("Antarctica/Troll", "2026-10-25"), ("Pacific/Chatham", "2026-09-27"),
    ("America/St_Johns", "2006-10-29"), ("Pacific/Apia", "2011-12-30"), ("Africa/Casablanca", "2026-02-15"),
    ("Asia/Kathmandu", "2026-06-01"), ("America/Caracas", "2016-05-01"), ("Asia/Pyongyang", "2018-05-04"),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "edge"), EDGES)
@pytest.mark.parametrize(
    "spans",
    [["00:00-24:00"], ["22:00-06:00"], ["02:30-03:15", "23:30-00:30"], ["01:15-02:45"], ["00:00-01:00", "03:00-02:00"]],
)
def test_across_every_change_of_clocks_it_is_what_the_wall_shows(zone: str, edge: str, spans: list[str]) -> None:
    day = date.fromisoformat(edge)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=5)
    timetable = Timetable(
        zone,
        week(daily=spans),
        closed_days=(ClosedDay(day - timedelta(days=1)),),
        openings=(Opening(day, shift("12:00-12:30")), Opening(day - timedelta(days=1), shift("23:45-02:15"))),
    )
    minutes = naive.open_minutes(timetable, start, days=10)
    first, last = to_epoch_ms(start) + 5 * DAY_MS - 36 * HOUR_MS, to_epoch_ms(start) + 5 * DAY_MS + 36 * HOUR_MS
    calendar = WorkingTime(timetable)
    assert calendar.open_between(first, last) == clipped(naive.runs(minutes), first, last)
    for at in range(first, last, 7 * MINUTE_MS):
        assert calendar.is_open(at) == (at in minutes)
        following = min((each for each in minutes if each >= at), default=None)
        if following is not None and following < last:
            assert calendar.next_open_at(at) == following
    assert calendar.elapsed_ms(first, last) == sum(first <= each < last for each in minutes) * MINUTE_MS


def test_why_it_is_closed_adds_up_and_names_each_day() -> None:
    start, end = utc("2026-12-23T12:00"), utc("2026-12-28T11:00")
    calendar = WorkingTime(OFFICE)
    closed = calendar.why_closed(start, end)
    said = [(rfc3339(each.start)[5:16], rfc3339(each.end)[5:16], str(each.reason), each.name) for each in closed]
    assert said == [
        ("12-23T16:30", "12-23T23:00", "outside hours", ""),
        ("12-23T23:00", "12-24T23:00", "closed", "Heiligabend"),
        ("12-24T23:00", "12-25T23:00", "holiday", "Christmas Day"),
        ("12-25T23:00", "12-26T23:00", "holiday", "Second Day of Christmas"),
        ("12-26T23:00", "12-27T09:00", "no hours on this weekday", ""),
        ("12-27T13:00", "12-27T23:00", "no hours on this weekday", ""),
        ("12-27T23:00", "12-28T08:00", "outside hours", ""),
    ]
    intervals = [(each.start, each.end) for each in closed]
    assert without([(start, end)], merged(intervals)) == calendar.open_between(start, end)


def test_a_closed_hour_is_named_within_its_shift() -> None:
    drill = Closed(utc("2026-06-01T11:00"), utc("2026-06-01T13:00"), Reason.CLOSED, "fire drill")
    calendar = WorkingTime(Timetable("UTC", week(mon=["08:00-12:00"]), closed_times=(drill,)))
    closed = calendar.why_closed(utc("2026-06-01T10:00"), utc("2026-06-01T14:00"))
    assert closed == [drill, Closed(drill.end, utc("2026-06-01T14:00"), Reason.OUTSIDE_HOURS)]


def test_round_the_clock_is_time_itself() -> None:
    assert ALWAYS.elapsed_ms(5, 12) == 7
    assert ALWAYS.after(5, 7) == 12
    assert ALWAYS.next_open_at(-3) == -3
    assert ALWAYS.open_between(5, 12) == [(5, 12)]
    assert ALWAYS.why_closed(5, 12) == []


def test_what_never_opens_is_never_due_and_never_hangs() -> None:
    never = WorkingTime(Timetable("UTC"))
    assert never.after(utc("2026-01-01"), 1) is None
    assert never.next_open_at(utc("2026-01-01")) is None
    assert never.elapsed_ms(-(10**15), 10**15) == 0
    once = WorkingTime(Timetable("UTC", openings=(Opening(date(2026, 12, 27), shift("10:00-14:00")),)))
    assert once.after(utc("2026-01-01"), 4 * HOUR_MS) == utc("2026-12-27T14:00")
    assert once.after(utc("2026-01-01"), 4 * HOUR_MS + 1) is None


def test_an_open_ended_pause_has_no_deadline() -> None:
    assert WorkingTime(OFFICE).after(utc("2026-11-23"), HOUR_MS, [(utc("2026-11-20"), 10**15)]) is None


def test_a_subdivision_has_the_holidays_of_its_own() -> None:
    # Fronleichnam is a holiday in Bavaria and none in Berlin, and no observance (Muttertag) is one anywhere.
    bavaria, berlin = (PublicHolidays("DE", each).of_year(2026) for each in ("BY", "BE"))
    assert bavaria[date(2026, 6, 4)] == "Corpus Christi"
    assert date(2026, 6, 4) not in berlin
    assert date(2026, 5, 10) not in {**bavaria, **berlin}


def test_equal_timetables_are_one_calendar_whatever_they_were_asked() -> None:
    asked, fresh = WorkingTime(OFFICE), WorkingTime(OFFICE)
    asked.elapsed_ms(utc("2026-01-01"), utc("2027-01-01"))
    assert asked == fresh
    assert hash(asked) == hash(fresh)

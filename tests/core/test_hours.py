"""Windows in the time that counts, against a recount of every event by a walk over every minute."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from datetime import date

import pytest

from sla.cells import step_of
from sla.ledger import Ledger
from sla.reach import edge_of
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, floor_to
from sla.working_time import ALWAYS, ClosedDay, Opening, Shift, Timetable, WorkingTime

from .test_sums import stored
from .world import T0

KEEP_MS = 60 * DAY_MS
SPANS = (5 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 7 * HOUR_MS, 26 * HOUR_MS, 3 * DAY_MS, 4 * DAY_MS)
LUNCH = (Shift(9 * 60, 12 * 60), Shift(13 * 60, 17 * 60 + 30))
NIGHTS = (Shift(22 * 60, 30 * 60),)
BITS = tuple(Shift(60 * hour + minute, 60 * hour + minute + 9) for hour in range(8, 18) for minute in (1, 23, 41))
TIMETABLES = {
    "office": Timetable("Europe/Berlin", (LUNCH,) * 5 + ((),) * 2, closed_days=(ClosedDay(date(2026, 11, 19)),)),
    "nights": Timetable("America/St_Johns", (NIGHTS,) * 7),
    "bits": Timetable("Asia/Kathmandu", (BITS,) * 7, openings=(Opening(date(2026, 11, 23), Shift(0, 1440)),)),
    "whole": Timetable("UTC", ((Shift(0, 1440),),) * 7),
}
CALENDARS = {name: WorkingTime(timetable) for name, timetable in TIMETABLES.items()}


def naive_edge(hours: WorkingTime, window_ms: int, now: int) -> int:
    """The latest edge of a bucket since which as many minutes as the window has have been open."""
    at = minute = floor_to(now, MINUTE_MS)
    left = window_ms // MINUTE_MS
    while left:
        minute -= MINUTE_MS
        left -= hours.is_open(minute)
    start = floor_to(minute, step_of(max(window_ms, at - minute)))
    while minute > start and hours.is_open(minute - MINUTE_MS):
        minute -= MINUTE_MS
    return minute


@pytest.mark.parametrize("name", CALENDARS)
def test_a_window_begins_at_the_latest_edge_since_which_all_of_it_was_open(name: str) -> None:
    hours = CALENDARS[name]
    for now in range(T0 + 17, T0 + 5 * DAY_MS, 7 * HOUR_MS + 7 * MINUTE_MS + 13):
        for span in SPANS:
            edge = edge_of(hours, span, now)
            assert edge == naive_edge(hours, span, now)
            assert hours.elapsed_ms(edge, now) >= span


def test_round_the_clock_a_window_is_as_ever() -> None:
    assert edge_of(ALWAYS, HOUR_MS, T0) == T0 - HOUR_MS + MINUTE_MS


def restarted(ledger: Ledger, now: int) -> Ledger:
    fresh = stored(ledger)
    fresh.hours = ledger.hours
    fresh.watch(SPANS, now)
    return fresh


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", CALENDARS)
def test_running_sums_are_those_of_the_events_since_the_edge(name: str, seed: int) -> None:
    dice = random.Random(f"{name} {seed}")
    hours, now = CALENDARS[name], T0
    ledger = Ledger()
    ledger.hours = hours
    ledger.watch(SPANS, now)
    ats: list[int] = []
    for step in range(4_000):
        now += dice.choice(
            [MINUTE_MS, MINUTE_MS, 7 * MINUTE_MS, dice.randrange(4 * HOUR_MS if step % 10 == 0 else HOUR_MS)]
        )
        ledger.advance(now)
        for back_ms in (0, dice.randrange(20 * MINUTE_MS), dice.randrange(8 * DAY_MS)):
            if hours.is_open(now - back_ms):
                ledger.add(now - back_ms, 3, 1)
                insort(ats, now - back_ms)
        if dice.random() < 0.1:
            ledger.compact(now, now - KEEP_MS)
        if dice.random() < 0.02:
            ledger = restarted(ledger, now)
        if dice.random() < 0.3:
            for span in SPANS:
                edge = edge_of(hours, span, now)
                count = len(ats) - bisect_left(ats, edge)
                assert ledger.windows[span].edge == edge
                assert ledger.read(span)[:2] == (3 * count, count), (step, span)

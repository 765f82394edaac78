"""What holds of every clock, however it is paused and in whatever order its events arrive."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from sla.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.clock.world import OFFICE, World, at, promise
from tests.core.world import document

MARKS = ["50%", "75%", "90%"]
STATES = st.sampled_from(["open", "pending", "on_hold"])
STEPS = st.lists(st.tuples(st.integers(1, 3 * HOUR_MS), STATES), max_size=6)
CREATED_AT = at("10:00")


def moved(world: World, steps: list[tuple[int, str]], late_by_ms: int = 0) -> int:
    """A ticket whose state changes after so many milliseconds each, with time passing; when the last change was."""
    now = CREATED_AT
    world.created(now)
    for pause_ms, state in steps:
        now += pause_ms
        world.ticks(now - 1, 10 * MINUTE_MS)
        world.event(now, now=now + late_by_ms, state=state)
    return now


@settings(deadline=None, max_examples=40)
@given(STEPS, st.sampled_from(["office", None]))
def test_at_a_breach_the_target_has_elapsed_to_the_millisecond(steps: list[tuple[int, str]], calendar: str) -> None:
    more = {"calendar": calendar} if calendar else {}
    world = World(OFFICE, promise(warnAt=MARKS, **more))
    end = moved(world, [*steps, (1, "open")])
    world.ticks(end + 2 * DAY_MS, HOUR_MS)
    (breach,) = world.events(name="breach")
    ticket = breach["data"]["ticket"]
    assert (ticket["elapsed_ms"], ticket["time_left_ms"], ticket["percent"]) == (4 * HOUR_MS, 0, 100)
    assert ticket["deadline"] == breach["time"]


@settings(deadline=None, max_examples=40)
@given(STEPS)
def test_each_mark_is_told_once_at_most_and_none_while_the_clock_stands_still(steps: list[tuple[int, str]]) -> None:
    world = World(promise(warnAt=MARKS))
    end = moved(world, [*steps, (1, "open")])
    world.ticks(end + DAY_MS, HOUR_MS)
    told = Counter(event["data"]["reason"]["mark"] for event in world.events(name="early_warning"))
    assert set(told.values()) == {1}
    assert told.keys() == {*MARKS, "125%", "150%", "200%"}
    assert not any(event["data"]["ticket"]["paused"] for event in world.events(name="early_warning"))


@settings(deadline=None, max_examples=40)
@given(STEPS, st.randoms())
def test_the_order_in_which_events_arrive_changes_nothing_in_the_end(
    steps: list[tuple[int, str]], shuffled: object
) -> None:
    told = []
    moments = [(CREATED_AT + sum(ms for ms, _ in steps[: place + 1]), state) for place, (_, state) in enumerate(steps)]
    for is_shuffled in (False, True):
        world, arriving = World(promise(target="40h")), list(moments)
        if is_shuffled:
            shuffled.shuffle(arriving)  # type: ignore[attr-defined]
        read_at = at("10:00", 1)
        world.event(CREATED_AT, "created", now=read_at, priority="P1", state="new")
        for happened, state in arriving:
            world.event(happened, now=read_at, state=state)
        world.event(read_at, state="resolved")
        told.append(world.events("sla.clocks.v1", "clock.met")[-1]["data"]["ticket"]["elapsed_ms"])
    assert told[0] == told[1]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 15 * HOUR_MS), st.integers(0, 15 * HOUR_MS))
def test_a_pause_outside_of_the_hours_changes_nothing(one: int, other: int) -> None:
    closes, (start, end) = at("17:00"), sorted((one, other))
    deadlines = []
    for states in ((), ((start, "pending"), (end, "open"))):
        world = World(OFFICE, promise(calendar="office", target="7h"))
        world.created("15:00")
        for after_ms, state in states:
            world.event(closes + after_ms, state=state)
        world.ticks(at("16:00", 1), HOUR_MS)
        deadlines += [event["time"] for event in world.events(name="breach")]
    assert deadlines == ["2026-11-24T15:00:00.000Z"] * 2


# -- what other tools got wrong


def test_a_week_without_a_monday_counts_the_other_days() -> None:
    """osTicket: such a schedule never counts."""
    short = document("Calendar", "short", timezone="UTC", hours={"tue-fri": ["09:00-17:00"]})
    world = World(short, promise(calendar="short"))
    world.created("10:00")  # on a Monday
    world.ticks(at("14:00", 1), HOUR_MS)
    assert world.alerts() == ["+1 13:00 breach deadline"]


def test_two_days_stay_two_days_over_days_that_are_no_public_holidays() -> None:
    """Zammad: a feed of holidays with observances in it stretches 48 h to 6 days. Black Friday is nobody's day off."""
    daily = {"mon-sun": ["00:00-24:00"]}
    world = World(
        document("Calendar", "all", timezone="UTC", hours=daily, holidays={"country": "DE", "subdivision": "BY"}),
        promise(calendar="all", target="2d"),
    )
    world.created(at("10:00", 4))  # the Friday; then the first Sunday in Advent
    world.ticks(at("12:00", 6), HOUR_MS)
    assert world.alerts() == ["+6 10:00 breach deadline"]


def test_a_clock_that_waits_for_the_customer_is_not_missed_and_is_due_when_its_time_has_run() -> None:
    """GLPI: violated while pending."""
    world = World(promise())
    world.created("10:00")
    world.event("13:59", state="pending")
    world.ticks("23:00", HOUR_MS)
    assert world.alerts() == []
    world.event("23:00", state="open")
    world.ticks("23:01")
    assert world.alerts() == ["23:01 breach deadline"]

"""What late data corrects: what was published, and nothing that nobody has been told of."""

from __future__ import annotations

from typing import Any

import pytest

from sla.units import HOUR_MS, MINUTE_MS

from .world import T0, World, catalogue_of, marker, objective

SLICES = {"timeslices": "1m", "sliceTarget": "90%"}
UP = {"type": "uptime", "signal": "ok"}


def at(minute: float) -> int:
    return T0 + round(minute * MINUTE_MS)


def corrected(world: World) -> list[tuple[str, str, str]]:
    """The corrections by late data: when, and the state before and after."""
    found = [event for event in world.events("correction") if event["data"]["reason"]["rule"] == "late_data"]
    return [
        (event["time"][11:19], event["data"]["before"]["state"], event["data"]["after"]["state"]) for event in found
    ]


def promised(**spec: Any) -> World:
    return World(objective(grace="1m", correctFor="1h", **spec))


def test_a_slice_before_the_first_one_waits_for_its_turn() -> None:
    world = promised(budgeting=SLICES, target="99.5%")
    world.counts(at(7.5), 200, 0)
    world.tick(at(7.6))
    world.counts(at(7.9), 0, 200, happened_at=at(6.4))
    for minute in (7.95, 8, 8.1, 9, 10):
        world.tick(at(minute))
    assert [told[:2] for told in world.story()] == [("10:08", "breach")]


def test_a_slice_before_the_first_one_that_missed_its_turn_is_judged_when_it_comes() -> None:
    world = promised(budgeting=SLICES, target="99.5%")
    for minute in range(7, 12):
        world.counts(at(minute), 200, 0)
    world.tick(at(11.4))
    world.counts(at(11.5), 0, 200, happened_at=at(6.4))
    world.tick(at(11.6))
    world.tick(at(12))
    assert world.story()[0] == ("10:11:36", "breach", "budget_spent")
    assert corrected(world) == [("10:11:36", "ok", "breached")]


def test_where_the_first_record_comes_late_no_ok_was_published_before_it_came() -> None:
    world = promised()
    world.tick(at(0))
    world.counts(at(20), 90, 10, happened_at=at(3))
    world.counts(at(20), 0, 900, happened_at=at(3))
    for minute in (20.5, 21, 22, 23):
        world.tick(at(minute))
    assert [told[1] for told in world.story()] == ["breach"]


def test_where_history_lies_before_the_first_record_no_ok_was_published_either() -> None:
    world = promised().well()
    world.tick(at(0))
    world.counts(at(20), 0, 900, happened_at=at(3))
    for minute in (20.5, 21, 22, 23):
        world.tick(at(minute))
    assert [told[1] for told in world.story()] == ["breach"]


@pytest.mark.parametrize(("gap_ms", "found"), [(HOUR_MS, [("10:30:15", "ok", "breached")]), (MINUTE_MS, [])])
def test_while_nobody_watched_nothing_was_published(gap_ms: int, found: list[tuple[str, str, str]]) -> None:
    world = World(objective(grace="1m", correctFor="1h", window={"rolling": "10m"}), gap_ms=gap_ms).well()
    for minute in range(11):
        world.counts(at(minute), 10, 0)
    world.tick(at(10.5))
    world.counts(at(30), 0, 200, happened_at=at(10.75))
    world.counts(at(30.25), 10, 0)
    world.tick(at(30.5))
    assert corrected(world) == found


def test_what_a_definition_says_of_the_time_before_it_was_not_published() -> None:
    lax = objective(grace="1m", correctFor="1h", target="50%")
    strict = catalogue_of([objective(grace="1m", correctFor="1h", target="90%")], revision=1, version=2)
    world = World(lax, revisions=[strict]).well()
    world.minutes(0, 20, 10, 0)
    world.tell(at(20), marker(strict), None)
    world.counts(at(20.1), 0, 200, happened_at=at(10))
    world.tick(at(20.2))
    world.idle(21, 23)
    assert [told[1] for told in world.story()] == ["breach"]


def test_a_state_of_the_present_minute_is_corrected_too() -> None:
    world = promised().well()
    world.minutes(0, 9, 10, 0)
    world.counts(at(9), 10, 0)
    world.counts(at(9.5), 0, 200, happened_at=at(8.25))
    world.tick(at(9.6))
    assert corrected(world) == [("10:09:36", "ok", "breached")]


def test_what_a_late_state_does_to_a_slice_that_was_not_judged_corrects_nothing() -> None:
    # Down from 10:08:30 on, told at 10:10:06: the slice of 10:08 was judged at 10:10 and is bad, as it was told to be.
    # That of 10:09 is bad because of it, and was told at 10:11 with what was known by then.
    world = promised(budgeting=SLICES, target="97%", indicator=UP, noData="none")

    def state(log_at: int, happened_at: int, *, up: bool) -> None:
        world.tell(log_at, {"type": "state", "service": "pay", "signal": "ok", "at": happened_at, "up": up})

    state(at(5), at(5), up=True)
    state(at(8), at(8), up=False)
    state(at(8.2), at(8.2), up=True)
    for minute in (9, 10):
        world.tick(at(minute))
    state(at(10.1), at(8.5), up=False)
    for minute in (11, 12, 13):
        world.tick(at(minute))
    assert [told[:2] for told in world.story()] == [("10:11", "breach")]


def test_a_breach_of_slices_is_corrected_by_those_that_it_was_made_of() -> None:
    # 6 of 60 are allowed: breached by the seventh at 10:08, when an eighth was under way that is bad too.
    world = promised(budgeting=SLICES, target="90%")
    world.minutes(0, 8, 0, 10)
    world.minutes(8, 67, 10, 0)
    assert [told[:2] for told in world.story()] == [("10:08", "breach"), ("11:01", "recovery")]
    world.exclusion(at(67), "CHG-1", at(0), at(2))  # leaves 5 of 58
    assert world.story()[2:] == [("11:07", "correction", "exclusion")]

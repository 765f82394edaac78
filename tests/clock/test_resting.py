"""Tickets on which no clock runs are settled for good after a while, so that those that live alone take memory."""

from __future__ import annotations

from typing import Any

import orjson

from sla.units import DAY_MS, HOUR_MS
from tests.clock.world import World, at, clock_of, promise
from tests.core.world import catalogue_of, document, marker

SETTINGS = document("Settings", "all", settleTicketsAfter="2d")


def ended(*documents: Any) -> World:
    """A ticket resolved on Monday at 11:00 after a pause, and three days on which nothing came."""
    world = World(SETTINGS, *(documents or (promise(target="4h"),)))
    world.created("10:00")
    world.event("10:10", state="pending")
    world.event("10:40", state="open")
    world.event("11:00", state="resolved")
    world.ticks(at("12:00", 3), HOUR_MS)
    return world


def lives(world: World) -> bool:
    return "T1" in world.fold._partition._memory.tickets


def test_a_ticket_without_a_running_clock_is_settled_so_long_after_its_last_event_and_not_before() -> None:
    world = World(SETTINGS, promise())
    world.created("10:00")
    world.event("11:00", state="resolved")
    world.tick(at("11:00", 2) - 1)
    assert lives(world)
    said = len(world.said)
    world.tick(at("11:00", 2))
    assert not lives(world)
    assert [each for each in world.said[said:] if each.topic != "sla.records.v1"] == []
    (head,) = [atom for atom in world.fold.take_dirty() if atom.key.startswith("ticket/")]
    assert (head.body["events"], head.body["base"]["fields"]["state"]) == ([], "resolved")


def test_a_ticket_whose_clock_runs_is_never_settled_however_long_nothing_comes() -> None:
    world = World(SETTINGS, promise(target="4h"))
    world.created("10:00")
    world.event("10:30", state="pending")
    world.ticks(at("10:00", 9), 6 * HOUR_MS)
    assert lives(world)


def test_an_event_from_before_is_a_dead_letter_that_names_the_limit_and_the_ticket_rests_on() -> None:
    world = ended()
    world.event("10:30", now=at("13:00", 3), state="open")
    assert world.letters() == ["limit_reached"]
    (letter,) = [each.value for each in world.said if each.topic == "sla.dlq.v1"]
    assert "settleTicketsAfter" in letter["detail"]
    assert not lives(world)


def test_an_event_of_now_wakes_it_with_its_fields_its_clocks_and_its_sequences() -> None:
    world = ended(promise(target="2h"))
    world.event(at("13:00", 3), "reopened", state="open")
    world.ticks(at("15:00", 3))
    assert world.story()[-3:] == ["+3 13:00 clock.started started", "+3 14:30 breach deadline",
                                  "+3 14:30 clock.breached deadline"]  # fmt: skip
    sequences = [event["data"]["sequence"] for event in world.events("sla.clocks.v1")]
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_ticket_that_rests_is_not_reckoned_anew_under_other_definitions() -> None:
    stricter = catalogue_of([SETTINGS, promise(target="10m")], 1, 2)
    world = World(SETTINGS, promise(), revisions=[stricter])
    world.created("10:00")
    world.event("11:00", state="resolved")
    world.ticks(at("12:00", 3), HOUR_MS)
    assert world.tell(at("12:00", 3), marker(stricter)) == []


def test_a_restart_finds_it_at_rest_and_wakes_it_all_the_same() -> None:
    told = []
    for is_restarted in (False, True):
        world = ended()
        if is_restarted:
            atoms = [each._replace(body=orjson.loads(orjson.dumps(each.body))) for each in world.fold.take_dirty()]
            world.fold = clock_of(world.catalogue)
            world.fold.load(atoms)
            assert not lives(world)
        world.said.clear()
        world.event(at("13:00", 3), "reopened", state="open")
        world.ticks(at("18:00", 3), HOUR_MS)
        told.append(world.said)
    assert told[0] == told[1]


def test_a_repeat_of_what_it_heard_does_not_wake_it() -> None:
    world = World(SETTINGS, promise())
    world.created("10:00", more={"source": "desk", "sequence": 1})
    world.event("11:00", more={"source": "desk", "sequence": 2}, state="resolved")
    world.tick(at("11:00", 2))
    assert world.event(at("12:00", 2), more={"source": "desk", "sequence": 2}, state="open") == []
    assert not lives(world)


def test_a_ticket_that_rests_takes_less_than_a_kilobyte() -> None:
    world = ended(promise())
    _, packed = world.fold._partition._memory.resting._packed["T1"]
    assert len(packed) < 1_000


def test_thirty_days_are_the_rule_where_nothing_else_is_said() -> None:
    world = World(promise())
    world.created("10:00")
    world.event("11:00", state="resolved")
    world.tick(at("11:00") + 30 * DAY_MS - 1)
    assert lives(world)
    world.tick(at("11:00") + 30 * DAY_MS)
    assert not lives(world)

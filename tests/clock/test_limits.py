"""Bad input and too much of it: refused with a reason, or kept within bounds, and the rest goes on."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sla import feeds
from sla.clock import room
from sla.dedup import digest
from sla.records import Feed
from sla.units import MINUTE_MS
from tests.clock.world import World, at, promise


def test_an_event_before_the_newest_thousand_is_a_dead_letter_and_the_rest_goes_on(
    core_patch: pytest.MonkeyPatch,
) -> None:
    core_patch.setattr(room, "EVENTS_MAX", 10)
    world = World(promise())
    world.created("10:00")
    for minute in range(20):
        world.event(f"10:{minute + 10}", state="pending" if minute % 2 else "open")
    world.event("10:05", now="10:40", state="open")
    assert world.letters() == ["limit_reached"]
    world.event("10:50", now="10:50", state="resolved")
    assert world.clocks()[-1] == "10:50 clock.met met"


def test_fields_without_end_are_refused_with_the_limit_that_was_reached() -> None:
    world = World(promise())
    world.created("10:00")
    world.event("10:01", note="x" * 70_000)
    for number in range(3):
        world.event("10:02", **{f"note{number}": "x" * 60_000})
    assert world.letters() == ["limit_reached", "limit_reached"]
    assert world.event("10:03", state="resolved")


def test_a_ticket_of_a_service_that_nobody_defines_is_kept_and_says_nothing() -> None:
    world = World(promise())
    world.event("10:00", "created", more={"service": "unheard"}, priority="P1")
    assert world.said == []
    world.event("10:30", more={"service": "pay"})
    assert world.clocks() == ["10:30 clock.started started"]


def test_a_record_that_comes_again_with_its_sequence_is_dropped() -> None:
    world = World(promise())
    again = {"source": "tool", "sequence": 7}
    world.created("10:00", more=again)
    assert world.event("10:30", more=again, state="resolved") == []


def test_of_more_sources_than_are_kept_the_one_that_spoke_longest_ago_is_forgotten(
    core_patch: pytest.MonkeyPatch,
) -> None:
    core_patch.setattr(feeds, "SOURCES_MAX", 3)
    world = World(promise())
    world.created("10:00", more={"source": "a", "sequence": 1})
    for minute, source in enumerate("bcad", start=1):
        world.event(f"10:0{minute}", more={"source": source, "sequence": minute + 1})
    assert list(world.fold._partition._memory.tickets["T1"].sequences or {}) == ["c", "a", "d"]
    assert world.event("10:30", more={"source": "a", "sequence": 4}, state="resolved") == []


@pytest.mark.parametrize("character", ["s", "\x01", "\u4e2d"], ids=["plain", "control", "wide"])
def test_a_source_with_a_name_without_end_takes_no_more_room_and_its_repeats_are_dropped(character: str) -> None:
    world = World(promise())
    more = [{"source": f"{number}{character * 10_000}", "sequence": 7} for number in range(20)]
    world.created("10:00")
    for minute, each in enumerate(more, start=1):
        world.event(f"10:{minute:02}", more=each, note=str(minute))
    assert world.event("10:30", more=more[3], state="resolved") == []
    assert max(len(orjson.dumps(each.body)) for each in world.fold.take_dirty()) < 10_000
    assert world.event("10:31", more={**more[3], "sequence": 8}, state="resolved")


def test_a_long_source_that_an_older_version_remembered_whole_is_known_again() -> None:
    long = "s" * 100
    sequences = {long: 7}
    assert feeds.is_repeat(sequences, Feed(long, 7))
    assert not feeds.is_repeat(sequences, Feed(long, 8))
    assert list(sequences) == [digest(long)]
    assert feeds.is_repeat(sequences, Feed(long, 8))


def test_a_ticket_of_very_many_events_takes_no_more_room_than_one_of_the_newest(
    core_patch: pytest.MonkeyPatch,
) -> None:
    """Pauses of old become time carried over, ended clocks of old are forgotten: what a restart needs is bounded."""
    core_patch.setattr(room, "EVENTS_MAX", 20)
    core_patch.setattr(room, "LOST_MAX", 4)
    replies = promise("reply", metric="periodic_update", target="4000h")
    world = World(promise(target="4000h"), replies)
    sizes: list[int] = []
    for number in range(1200):
        now = at("10:00") + number * MINUTE_MS
        changed: dict[str, Any] = {"state": "pending" if number % 2 else "open", "priority": "P1"}
        world.event(now, "reply" if number % 3 == 0 else "updated", by="agent", **changed)
        world.said.clear()
        if number % 100 == 99:
            sizes.append(max(len(str(each.body)) for each in world.fold.take_dirty()))
    assert max(sizes) < 1.1 * min(sizes), sizes
    world.event(at("10:00") + 1200 * MINUTE_MS, state="resolved")
    met = next(event for event in world.events("sla.clocks.v1", "clock.met") if "/fix/" in event["subject"])
    assert met["data"]["ticket"]["elapsed_ms"] == 600 * MINUTE_MS


@pytest.mark.parametrize("size", [200, 201])
def test_an_id_of_ten_thousand_characters_is_a_dead_letter_and_one_of_two_hundred_is_not(size: int) -> None:
    world = World(promise())
    long = "T" * (size if size == 200 else 10_000)
    world.event("10:00", "created", ticket=long, priority="P1")
    world.created("10:00")
    assert world.letters() == ([] if size == 200 else ["out_of_range"])
    assert world.clocks() == ["10:00 clock.started started"] * (2 if size == 200 else 1)


def test_an_event_with_fields_that_nobody_knows_counts_and_they_are_ignored() -> None:
    world = World(promise())
    world.created("10:00", colour="green", nested={"a": [1, 2]}, more={"mood": "good"})
    assert (world.clocks(), world.letters()) == (["10:00 clock.started started"], [])

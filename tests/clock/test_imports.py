"""Tickets that were imported, before or after something was told of them."""

from __future__ import annotations

from typing import Any, Final

from tests.clock.world import World, promise

IMPORT: Final[dict[str, Any]] = {"import": True}
ELSEWHERE: Final[dict[str, Any]] = {"import": True, "service": "ship"}


def test_an_import_that_takes_a_told_clock_back_cancels_it_and_nothing_is_due_any_more() -> None:
    world = World(promise())
    world.event("10:00", "created", priority="P1")
    world.event("09:00", now="10:31", more=IMPORT, state="resolved")
    world.event("10:30", now="10:31", more=ELSEWHERE)
    world.tick("10:32")
    assert world.story() == [
        "10:00 clock.started started",
        "10:32 correction late_data",
        "10:32 clock.cancelled cancelled",
    ]
    assert [feed["change"] for feed in world.feeds("clock")] == ["started", "ended"]
    said = len(world.said)
    world.tick("14:02")
    assert len(world.said) == said


def test_an_import_that_comes_in_parts_ends_what_its_first_part_told() -> None:
    world = World(promise(target="1h"))
    world.event("10:00", "created", now="12:00", more=IMPORT, priority="P1", state="new")
    world.tick("12:00:01")
    world.event("10:30", now="12:00:02", more=IMPORT, state="resolved")
    world.tick("12:00:05")
    assert world.story() == [
        "10:00 clock.started started",
        "11:00 breach deadline",
        "11:00 clock.breached deadline",
        "12:00:05 correction late_data",
        "12:00:05 correction late_data",
        "10:30 recovery met",
        "10:30 clock.met met",
    ]
    assert world.feeds("clock")[-1]["outcome"] == "met"


def test_what_was_imported_as_ended_stays_silent_when_more_is_imported() -> None:
    world = World(promise())
    world.event("08:00", "created", now="12:00", more=IMPORT, priority="P1", state="new")
    world.event("09:00", now="12:00", more=IMPORT, state="resolved")
    world.tick("12:00:01")
    world.event("08:30", now="12:00:02", more=IMPORT, state="pending")
    world.tick("12:00:05")
    assert world.said == []


def test_an_imported_ticket_that_is_paused_is_told_as_paused() -> None:
    world = World(promise())
    world.event("10:00", "created", now="12:00", more=IMPORT, priority="P1", state="new")
    world.event("10:30", now="12:00", more=IMPORT, state="pending")
    world.tick("12:01")
    assert world.story() == ["10:00 clock.started started", "10:30 clock.paused paused"]
    assert world.events("sla.status.v1")[-1]["data"]["ticket"]["deadline"] is None
    (feed,) = world.feeds("clock")
    shown = {name: feed[name] for name in ("change", "paused", "deadline", "deadline_if_resumed_now")}
    assert shown == {
        "change": "started", "paused": True, "deadline": None, "deadline_if_resumed_now": "2026-11-23T15:31:00.000Z",
    }  # fmt: skip
    world.event("12:30", state="open")
    assert world.clocks()[-1] == "12:30 clock.resumed resumed"


def test_an_imported_clock_that_took_another_over_is_told_as_started() -> None:
    world = World(promise("a"), promise("b", when={"priority": ["P2"]}))
    world.event("10:00", "created", now="12:00", more=IMPORT, priority="P1", state="new")
    world.event("10:30", now="12:00", more=IMPORT, priority="P2")
    world.tick("12:01")
    assert world.clocks() == ["10:30 clock.started started b"]
    assert world.events("sla.status.v1")[-1]["data"]["ticket"]["deadline"] == "2026-11-23T14:00:00.000Z"

"""Evidence that comes late, imports, exclusions, limits, definitions: what is corrected, and what stays silent."""

from __future__ import annotations

from typing import Any

from sla.units import HOUR_MS
from tests.clock.world import World, at, clock, promise

MARKS = ["50%", "75%", "90%"]


def corrections(world: World) -> list[dict[str, Any]]:
    return [event["data"] for event in world.events(name="correction")]


def test_a_stop_that_arrives_late_undoes_the_breach_and_names_it() -> None:
    world = World(promise())
    world.created("10:00")
    world.ticks("14:30")
    world.event("13:59", now="14:30", state="resolved")
    assert world.story() == [
        "10:00 clock.started started",
        "14:00 breach deadline",
        "14:00 clock.breached deadline",
        "14:30 correction late_data",
        "14:30 correction late_data",
        "13:59 recovery met",
        "13:59 clock.met met",
    ]
    assert named(world) == [("breach", "", "14:00", None), ("clock.breached", "", "14:00", None)]
    assert world.events("sla.clocks.v1")[-1]["data"]["late"] is False
    assert [(feed["good"], feed["bad"]) for feed in world.feeds("counts")] == [(0, 1), (1, 0)]


def test_a_pause_that_is_told_afterwards_moves_the_deadline_and_undoes_the_breach() -> None:
    world = World(promise())
    world.created("10:00")
    world.ticks("14:10")
    world.event("11:00", now="14:10", state="pending")
    assert world.story()[3:] == [
        *["14:10 correction late_data"] * 2,
        "14:10 recovery cleared",
        "11:00 clock.paused paused",
    ]
    world.event("12:00", now="14:20", state="open")
    world.ticks("15:00")
    assert world.story()[-3:] == [
        "12:00 clock.resumed resumed",
        "15:00 breach deadline",
        "15:00 clock.breached deadline",
    ]


def test_a_mark_that_was_told_too_early_is_corrected_and_told_again_when_it_is_reached() -> None:
    world = World(promise(warnAt=["75%"]))
    world.created("10:00")
    world.ticks("13:10")
    world.event("11:00", now="13:10", state="pending")
    world.event("12:00", now="13:20", state="open")
    world.ticks("14:00")
    assert world.alerts() == [
        "13:00 early_warning ticket_mark 75%",
        "13:10 correction late_data",
        "13:10 recovery cleared",
        "14:00 early_warning ticket_mark 75%",
    ]


def named(world: World) -> list[tuple[str, str, str, str | None]]:
    """Of each correction the event that it names as told before, and when it says that this was and is."""
    told = {event["id"]: event for topic in ("sla.alerts.v1", "sla.clocks.v1") for event in world.events(topic)}
    found = []
    for data in corrections(world):
        event, before, after = told[data["supersedes"]], data["before"], data["after"]
        assert (before["event"], before["at"]) == (event["type"][9:-3], event["time"])
        mark = event["data"]["reason"]["mark"] or ""
        found.append((before["event"], mark, clock(before["at"]), after["at"] and clock(after["at"])))
    return found


def test_each_mark_that_is_ahead_again_is_corrected_once_by_an_event_of_its_own() -> None:
    world = World(promise(warnAt=MARKS))
    world.created("10:00")
    world.ticks("13:40")
    world.event("11:00", now="13:40", state="pending")
    expected = [
        ("early_warning", mark, when, None) for mark, when in zip(MARKS, ("12:00", "13:00", "13:36"), strict=True)
    ]
    assert named(world) == expected
    world.event("12:00", now="13:41", state="open")
    world.ticks("14:40")
    again = [event["time"][11:16] for event in world.events(name="early_warning")]
    assert again == ["12:00", "13:00", "13:36", "13:00", "14:00", "14:36"]
    assert named(world) == expected


def test_a_breach_that_never_was_takes_its_marks_and_repeats_with_it() -> None:
    world = World(promise(warnAt=["75%"]))
    world.created("10:00")
    world.ticks("16:10")
    world.event("10:30", now="16:10", state="resolved")
    assert named(world) == [
        ("breach", "", "14:00", None),
        ("clock.breached", "", "14:00", None),
        ("early_warning", "75%", "13:00", None),
        ("early_warning", "125%", "15:00", None),
        ("early_warning", "150%", "16:00", None),
    ]
    assert world.alerts()[-1] == "10:30 recovery met"


def test_a_mark_whose_instant_was_another_is_corrected_with_the_true_one_and_not_told_again() -> None:
    world = World(promise(warnAt=["50%"]))
    world.created("10:00")
    world.ticks("12:30")
    world.event("10:30", now="12:30", state="pending")
    world.event("10:40", now="12:30", state="open")
    world.ticks("13:00")
    assert named(world) == [("early_warning", "50%", "12:00", None)]
    later = World(promise(warnAt=["50%"]))
    later.event("10:30", priority="P1", state="new")
    later.ticks("13:00")
    later.created("10:00", now="13:00")
    assert named(later)[-1] == ("early_warning", "50%", "12:30", "12:00")
    later.ticks("13:30")
    assert len(later.events(name="early_warning")) == 1


def test_what_was_told_of_a_clock_that_never_was_is_corrected_event_by_event() -> None:
    world = World(promise(warnAt=["75%"], cancel={"void": ["yes"]}))
    world.created("10:00")
    world.event("10:30", state="pending")
    world.event("10:40", state="open")
    world.ticks("14:20")
    world.event("09:50", now="14:20", void="yes")
    assert sorted(named(world)) == [
        ("breach", "", "14:10", None),
        ("clock.breached", "", "14:10", None),
        ("clock.paused", "", "10:30", None),
        ("clock.resumed", "", "10:40", None),
        ("clock.started", "", "10:00", None),
        ("early_warning", "75%", "13:10", None),
    ]


def test_the_order_of_events_is_that_of_their_instants_and_not_of_their_arrival() -> None:
    """Closed before created: whatever the order of arrival, the same is true in the end."""
    world = World(promise())
    world.event("11:00", "closed", state="closed")
    world.event("10:00", "created", now="11:05", priority="P1", state="new")
    assert world.clocks() == ["10:00 clock.started started", "11:00 clock.met met"]


def test_an_earlier_start_that_is_told_late_corrects_the_start() -> None:
    world = World(promise())
    world.event("10:30", priority="P1")
    world.created("10:00", now="10:40")
    assert [(c["before"]["event"], c["before"]["at"], c["after"]["at"]) for c in corrections(world)] == [
        ("clock.started", "2026-11-23T10:30:00.000Z", "2026-11-23T10:00:00.000Z")
    ]
    world.ticks("14:00")
    assert world.alerts()[-1] == "14:00 breach deadline"


def test_what_was_due_while_nobody_watched_is_told_at_its_own_instant_and_is_history_after_an_hour() -> None:
    world = World(promise(warnAt=["50%"]))
    world.created("10:00")
    world.tick("14:30")
    told = [(e["time"][11:16], e["data"]["flags"]["historic"]) for e in world.events()]
    assert told == [("12:00", True), ("14:00", False)]


# -- what was there before


def test_an_import_tells_what_is_open_and_nobody_about_the_past() -> None:
    world = World(promise(warnAt=MARKS))
    for ticket, state in (("T1", "open"), ("T2", "resolved")):
        for when, fields in (("08:00", {"priority": "P1", "state": "new"}), ("09:00", {"state": state})):
            world.event(at(when) - 6 * HOUR_MS, "created", now="10:00", ticket=ticket, more={"import": True}, **fields)
    assert world.story() == []
    world.tick("10:01")
    assert [event["data"]["dedup_key"] for event in world.events("sla.clocks.v1")] == ["pay/fix/ticket:T1"] * 2
    (breach,) = world.events()
    assert (breach["type"], breach["data"]["flags"]["historic"]) == ("forewarn.breach.v1", True)
    world.ticks("11:00")
    assert len(world.events()) == 1
    assert len(world.feeds("counts")) == 1


# -- exclusions


def test_an_exclusion_moves_the_deadline_and_one_that_is_revoked_moves_it_back() -> None:
    world = World(promise())
    world.created("10:00")
    world.exclusion("10:30", "CHG-1", "12:00", "13:00")
    world.ticks("14:30")
    assert world.alerts() == []
    world.exclusion("14:30", "CHG-1", "12:00", "13:00", status="revoked")
    assert world.alerts() == ["14:00 breach deadline"]
    world.exclusion("14:40", "CHG-2", "13:00", "14:00")
    assert world.alerts() == [
        "14:00 breach deadline",
        *["14:40 correction exclusion"] * 2,
        "14:40 recovery cleared",
    ]

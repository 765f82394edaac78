"""Evidence that comes late, imports, exclusions, limits, definitions: what is corrected, and what stays silent."""

from __future__ import annotations

from typing import Any

import pytest

from sla.clock import history
from sla.units import HOUR_MS
from tests.clock.world import World, at, clock, promise
from tests.core.world import catalogue_of, marker

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


# -- definitions


def test_a_new_target_is_reckoned_from_the_start_and_one_that_is_gone_retires_its_clock() -> None:
    stricter = catalogue_of([promise(target="1h")], 1, 2)
    without = catalogue_of([promise("other")], 2, 3)
    world = World(promise(), revisions=[stricter, without])
    world.created("10:00")
    world.tell(at("11:30"), marker(stricter))
    world.tell(at("12:00"), marker(without))
    assert world.story()[1:] == [
        "11:00 breach deadline",
        "11:00 clock.breached deadline",
        "12:00 recovery retired",
        "12:00 clock.cancelled retired",
        "10:00 clock.started started other",
    ]


def test_a_tighter_target_with_fewer_marks_still_tells_its_breach() -> None:
    tighter = catalogue_of([promise(target="1h", warnAt=["50%"])], 1, 2)
    world = World(promise(warnAt=MARKS), revisions=[tighter])
    world.created("10:00")
    world.ticks("13:40")
    world.tell(at("13:40"), marker(tighter))
    assert "11:00 breach deadline" in world.alerts()


def test_an_objective_that_comes_back_neither_repeats_its_breach_nor_its_outcome() -> None:
    gone, back = (
        catalogue_of([promise("other", when={"priority": ["P9"]})], revision=5),
        catalogue_of([promise()], revision=6),
    )
    world = World(promise(), revisions=[gone, back])
    world.created("10:00")
    world.ticks("14:10")
    world.tell(at("14:11"), marker(gone))
    world.tell(at("14:12"), marker(back))
    assert world.story()[3:] == [
        "14:11 recovery retired",
        "14:11 clock.cancelled retired",
        "10:00 clock.started started",
    ]
    assert world.events("sla.status.v1")[-1]["data"]["state"] == "breached"
    world.event("14:20", state="resolved")
    assert world.story()[6:] == ["14:20 recovery met_late", "14:20 clock.met met_late"]
    assert [(feed["good"], feed["bad"]) for feed in world.feeds("counts")] == [(0, 1)]


def test_a_clock_that_ended_in_time_is_missed_under_a_stricter_target_and_its_end_corrected() -> None:
    stricter = catalogue_of([promise(target="1h")], 1, 2)
    world = World(promise(), revisions=[stricter])
    world.created("10:00")
    world.event("12:00", state="resolved")
    world.tell(at("13:00"), marker(stricter))
    assert world.story()[2:] == [
        "13:00 correction definition",
        "11:00 breach deadline",
        "11:00 clock.breached deadline",
        "12:00 recovery met_late",
        "12:00 clock.met met_late",
    ]
    assert named(world) == [("clock.met", "", "12:00", "12:00")]
    (correction,) = corrections(world)
    assert (correction["before"]["late"], correction["after"]["late"]) == (False, True)
    assert [event["data"]["flags"]["historic"] for event in world.events(name="breach")] == [True]
    assert [(feed["good"], feed["bad"]) for feed in world.feeds("counts")] == [(1, 0), (0, 1)]


def test_a_clock_that_ended_too_late_is_met_under_a_looser_target_and_its_breach_corrected() -> None:
    looser = catalogue_of([promise(target="8h", warnAt=["50%"])], 1, 2)
    world = World(promise(), revisions=[looser])
    world.created("10:00")
    world.ticks("15:00")
    world.event("15:00", state="resolved")
    world.tell(at("16:00"), marker(looser))
    assert named(world) == [
        ("breach", "", "14:00", None),
        ("clock.breached", "", "14:00", None),
        ("clock.met", "", "15:00", "15:00"),
    ]
    assert world.clocks()[-2:] == ["15:00 clock.met met_late", "15:00 clock.met met"]
    assert world.events("sla.status.v1")[-1]["data"]["state"] == "ok"


def test_a_clock_that_ended_runs_again_where_the_new_definition_does_not_stop_it() -> None:
    unstopped = catalogue_of([promise(stop={"state": ["closed"]})], 1, 2)
    world = World(promise(), revisions=[unstopped])
    world.created("10:00")
    world.event("12:00", state="resolved")
    world.tell(at("13:00"), marker(unstopped))
    assert named(world) == [("clock.met", "", "12:00", None)]
    world.ticks("14:00")
    assert world.story()[-2:] == ["14:00 breach deadline", "14:00 clock.breached deadline"]


def test_a_clock_of_an_objective_that_is_new_on_a_ticket_is_told_as_started_whatever_it_would_have_replaced() -> None:
    both = catalogue_of([promise(), promise("next", when={"priority": ["P2"]})], 1, 2)
    world = World(promise(), revisions=[both])
    world.created("10:00")
    world.event("11:00", priority="P2")
    world.tell(at("11:30"), marker(both))
    assert world.clocks() == [
        "10:00 clock.started started",
        "11:00 clock.cancelled cancelled",
        "11:00 clock.started started next",
    ]
    world.event("11:45", now="11:50", state="pending")  # late: all is looked at anew, and nothing was false
    assert corrections(world) == []
    world.ticks("14:30")
    world.event("14:30", state="open")
    world.event("14:40", priority="P1")
    assert world.clocks()[-2:] == ["14:40 clock.retargeted retargeted", "14:40 clock.cancelled cancelled next"]


def test_what_was_imported_as_ended_and_runs_under_a_new_definition_is_told_as_open() -> None:
    unstopped = catalogue_of([promise(stop={"state": ["closed"]})], 1, 2)
    world = World(promise(), revisions=[unstopped])
    world.event("08:00", "created", now="10:00", more={"import": True}, priority="P1", state="new")
    world.event("09:00", now="10:00", more={"import": True}, state="resolved")
    world.tick("10:00:01")
    assert world.story() == []
    world.tell(at("11:00"), marker(unstopped))
    assert world.story() == ["08:00 clock.started started"]
    world.ticks("12:00")
    assert world.alerts() == ["12:00 breach deadline"]


# -- limits


def test_an_event_before_the_newest_thousand_is_a_dead_letter_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "EVENTS_MAX", 10)
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

"""A new revision of the definitions: every clock is reckoned anew under it, those that ended too."""

from __future__ import annotations

from tests.clock.test_evidence import MARKS, corrections, named
from tests.clock.world import World, at, promise
from tests.core.world import catalogue_of, marker


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

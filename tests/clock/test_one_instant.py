"""Events that share an instant with each other, or with a deadline."""

from __future__ import annotations

import pytest

from tests.clock.test_evidence import corrections
from tests.clock.world import World, promise


def test_a_clock_that_takes_over_a_pause_may_be_resumed_at_the_same_instant() -> None:
    world = World(promise("a"), promise("b", when={"priority": ["P2"]}))
    world.created("10:00", state="pending")
    world.event("10:30", priority="P2")
    world.event("10:30", state="open")
    assert world.clocks()[2:] == [
        "10:30 clock.cancelled cancelled a",
        "10:30 clock.retargeted retargeted b",
        "10:30 clock.paused paused b",
        "10:30 clock.resumed resumed b",
    ]
    assert world.feeds("clock")[-1]["deadline"] == "2026-11-23T14:30:00.000Z"


def test_a_pause_that_ended_before_a_clock_took_it_over_is_not_told_of_it() -> None:
    world = World(promise("a"), promise("b", when={"priority": ["P2"]}, pause={"team": ["x"]}))
    world.created("10:00", team="x")
    world.event("10:30", priority="P2", team="y")
    assert world.clocks()[1:] == ["10:30 clock.cancelled cancelled a", "10:30 clock.retargeted retargeted b"]
    assert world.feeds("clock")[-1]["deadline"] == "2026-11-23T14:30:00.000Z"


@pytest.mark.parametrize("metric", ["resolution", "first_response"])
def test_an_end_exactly_at_the_deadline_is_in_time_though_time_came_first(metric: str) -> None:
    world = World(promise(metric=metric, target="1h"))
    world.created("10:00")
    if metric == "resolution":
        world.event("11:00", state="resolved")
    else:
        world.reply("11:00", "agent")
    assert world.story() == [
        "10:00 clock.started started",
        "11:00 breach deadline",
        "11:00 clock.breached deadline",
        "11:00 correction late_data",
        "11:00 correction late_data",
        "11:00 recovery met",
        "11:00 clock.met met",
    ]
    assert corrections(world)[0]["supersedes"] == world.events(name="breach")[0]["id"]


@pytest.mark.parametrize(("until", "outcome"), [("10:40", (1, 0)), ("11:40", (0, 1))])
def test_a_ticket_resolved_and_reopened_in_one_instant_counts_once(until: str, outcome: tuple[int, int]) -> None:
    world = World(promise(target="1h", warnAt=["50%"]))
    world.created("10:00")
    world.ticks(until)
    world.event(until, state="resolved")
    world.event(until, "reopened", state="open")
    world.ticks("11:50")
    world.event("11:50", state="resolved")
    outcomes = [(feed["good"], feed["bad"]) for feed in world.feeds("counts")]
    assert outcomes.count(outcome) == 1
    marks = [event["data"]["reason"]["mark"] for event in world.events(name="early_warning")]
    assert len(marks) == len(set(marks))

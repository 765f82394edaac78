"""Tickets with very many events: what is kept is bounded, and so is the work of one more, and the truth stays."""

from __future__ import annotations

import random
import sys
from types import FrameType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import DEAD_LETTERS, HEAD_BYTES_MAX
from sla.clock import Clock, listed, room
from sla.clock.history import HISTORY_CHARACTERS_MAX
from sla.clock.listed import LISTED_MAX
from sla.clock.run import Ending, Run
from sla.clock.track import Told
from sla.intervals import Interval
from sla.units import HOUR_MS, MINUTE_MS

from . import histories
from .world import OFFICE, World, at, promise

PENDING = {"state": ["pending"]}


def limits(core_patch: pytest.MonkeyPatch, events_max: int, lost_max: int) -> None:
    core_patch.setattr(room, "EVENTS_MAX", events_max)
    core_patch.setattr(room, "LOST_MAX", lost_max)


def paused_and_resumed(world: World, count: int, start: int) -> None:
    """Half a minute of each."""
    for number in range(count):
        world.event(start + number * MINUTE_MS, state="open" if number % 2 else "pending")


def said(seed: int, *, is_anew: bool) -> list[tuple[str, bytes]]:
    """All that a long history says, but for how records list it; `is_anew`: nothing is remembered of what is true."""
    made = histories.history(seed, 400)
    fold = made.make()
    found: list[tuple[str, bytes]] = []
    for line in made.lines:
        for each in fold.step(line):
            value = dict(each.value)
            if "clock" in value.get("inputs", ()):
                value["inputs"] = {**value["inputs"], "clock": None}
            found.append((each.topic, orjson.dumps(value)))
        if is_anew:
            forget(fold)
    return found


def forget(fold: Clock) -> None:
    for ticket in fold._partition._memory.tickets.values():
        ticket.story = None


@pytest.mark.parametrize("seed", [100, 124, 325, 353, *range(8)])
def test_events_on_top_of_what_is_true_say_what_the_kept_ones_told_anew_would_however_many_are_folded(
    seed: int, core_patch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    limits(core_patch, dice.choice([6, 12, 20]), dice.choice([1, 2, 4]))
    core_patch.setattr(room, "KEPT_MAX", dice.choice([30, 80, 50_000]))
    assert said(seed, is_anew=True) == said(seed, is_anew=False)


def test_a_breach_and_its_marks_stand_when_the_pauses_around_them_are_settled(core_patch: pytest.MonkeyPatch) -> None:
    limits(core_patch, 10, 4)
    world = World(promise(target="1h", pause=PENDING, warnAt=["50%", "75%"]))
    world.created("10:00")
    paused_and_resumed(world, 240, at("10:01"))
    assert [told.split()[1] for told in world.alerts()].count("breach") == 1
    assert world.events(name="correction") == []
    last = world.events("sla.clocks.v1")[-1]["data"]
    assert last["ticket"]["elapsed_ms"] == 121 * MINUTE_MS - MINUTE_MS
    assert last["state"] == "breached"


@pytest.mark.parametrize("kind", ["reopened", "paused"])
def test_a_ticket_that_is_reopened_or_paused_without_end_takes_no_more_room(
    kind: str, core_patch: pytest.MonkeyPatch
) -> None:
    limits(core_patch, 20, 4)
    world = World(promise(target="4000h", pause=PENDING))
    world.created("10:00")
    sizes: list[int] = []
    for number in range(600):
        state = ("resolved" if kind == "reopened" else "pending") if number % 2 else "open"
        world.event(at("10:00") + number * MINUTE_MS, state=state)
        if number % 100 == 99:
            sizes.append(max(len(str(each.body)) for each in world.fold.take_dirty()))
    assert max(sizes) < 1.1 * min(sizes), sizes
    world.event(at("10:00") + 601 * MINUTE_MS, state="cancelled")
    assert world.events("sla.clocks.v1")[-1]["data"]["ticket"]["elapsed_ms"] == 300 * MINUTE_MS


def head_bytes(world: World) -> int:
    """What the table holds of the largest atom."""
    return max(len(orjson.dumps(each.body)) for each in world.fold.take_dirty())


@pytest.mark.parametrize(
    ("spec", "event", "states", "events_count", "kept_count"),
    [
        ({"pause": PENDING}, "updated", ["pending", "open"], 400, 83),
        ({}, "updated", ["resolved", "open"], 400, 83),
        ({"metric": "periodic_update", "target": "30s", "warnAt": ["25%", "50%", "75%"]}, "reply", ["open"], 100, 27),
    ],
    ids=["paused", "reopened", "warned"],
)
def test_a_ticket_of_many_objectives_keeps_fewer_events_so_that_its_head_fits_the_table(
    spec: dict[str, Any],
    event: str,
    states: list[str],
    events_count: int,
    kept_count: int,
    core_patch: pytest.MonkeyPatch,
) -> None:
    """A tenth of the room, which has to take no more than half of a tenth of a head."""
    core_patch.setattr(room, "KEPT_MAX", room.KEPT_MAX // 10)
    world = World(*(promise(f"objective-{number:02}", **{"target": "4000h", **spec}) for number in range(20)))
    world.created("10:00")
    sizes: list[int] = []
    for number in range(events_count):
        world.event(at("10:01") + number * MINUTE_MS, event, by="agent", state=states[number % len(states)])
        if number % 20 == 19:
            world.said.clear()
            sizes.append(head_bytes(world))
    assert max(sizes) < HEAD_BYTES_MAX // 10 // 2
    world.event("10:05", now=at("10:01") + events_count * MINUTE_MS, state="open")
    letter = world.said[-1].value
    assert letter["reason"] == "limit_reached"
    assert f"the newest {kept_count} are" in letter["detail"]


@pytest.mark.parametrize("character", ["x", "\x01", '"', "\u4e2d"], ids=["plain", "control", "quote", "wide"])
def test_the_head_of_a_ticket_with_as_many_fields_as_there_may_be_fits_the_table(character: str) -> None:
    """Whatever they are written with: what a limit counts is no less than the bytes that the table holds."""
    world = World(promise(target="4000h", pause=PENDING))
    world.created("10:00")
    for number in range(600):
        state = "open" if number % 2 else "pending"
        world.event(at("10:01") + number * MINUTE_MS, state=state, note=character * 2_000)
    kept = world.fold._partition._memory.tickets["T1"].history
    assert 1 < len(kept) < 600
    assert head_bytes(world) < 1.2 * HISTORY_CHARACTERS_MAX


def test_a_ticket_that_comes_to_a_service_of_many_objectives_fits_at_once(core_patch: pytest.MonkeyPatch) -> None:
    core_patch.setattr(room, "KEPT_MAX", 1_000)
    many = (promise(f"objective-{number:02}", service="shop", target="4000h", pause=PENDING) for number in range(20))
    world = World(promise(pause=PENDING), *many)
    world.created("10:00")
    paused_and_resumed(world, 300, at("10:01"))
    assert len(world.fold._partition._memory.tickets["T1"].history) == 301
    world.event("15:30", more={"service": "shop"}, state="open")
    assert len(world.fold._partition._memory.tickets["T1"].history) == 1_000 // 63
    assert head_bytes(world) < 40_000


def test_a_ticket_that_would_have_too_many_objectives_is_refused_and_goes_on_where_it_is(
    core_patch: pytest.MonkeyPatch,
) -> None:
    core_patch.setattr(room, "STEPS_MAX", 30)
    world = World(promise(service="*"))
    world.created("10:00")
    for minute in range(1, 20):
        world.event(f"10:{minute:02}", more={"service": f"service-{minute}"})
    assert world.letters() == ["limit_reached"] * 10
    letters = [each.value for each in world.said if each.topic == DEAD_LETTERS.name]
    assert letters[0]["detail"].startswith("the objectives of the ticket would have 33 steps, at most 30")
    assert world.event("11:00", more={"service": "service-3"}, state="resolved")


def work(world: World, when: int, **fields: Any) -> int:
    """How many instructions of Python the fold takes for one event."""
    count = 0

    def trace(frame: FrameType, what: str, _: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += what == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        world.event(when, **fields)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("target", ["4000h", "10m"], ids=["in time", "breached"])
def test_the_work_of_an_event_does_not_grow_with_the_events_that_are_kept(target: str) -> None:
    world = World(OFFICE, promise(target=target, pause=PENDING, calendar="office", warnAt=["50%"]))
    world.created("09:00")
    found: list[int] = []
    start = at("09:01")
    for _ in range(2):
        paused_and_resumed(world, 200, start)
        start += 200 * MINUTE_MS
        found.append(work(world, start, state="pending") + work(world, start + 1, state="open"))
        start += MINUTE_MS
        paused_and_resumed(world, 600, start)
        start += 600 * MINUTE_MS
        found.append(work(world, start, state="pending") + work(world, start + 1, state="open"))
        start += MINUTE_MS
    assert max(found[1], found[3]) < 2 * found[0], found


def test_a_record_lists_the_newest_pauses_and_the_sum_of_those_before() -> None:
    world = World(promise(target="4000h", pause=PENDING))
    world.created("10:00")
    paused_and_resumed(world, 2 * LISTED_MAX + 20, at("10:01"))
    clocks = [each.value["inputs"]["clock"] for each in world.said if each.topic == "sla.records.v1"]
    assert max(len(each["pauses"]) for each in clocks) == LISTED_MAX
    assert "summed" not in clocks[2 * LISTED_MAX - 1]
    summed = clocks[-1]["summed"]
    assert (summed["pauses_count"], summed["counted_ms"]) == (10, 10 * MINUTE_MS)
    assert summed["to"] == "2026-11-23T10:20:00.000Z"


@given(
    st.lists(st.integers(0, 9), max_size=12),
    st.sampled_from([(), ((5, 7), (9, HOUR_MS))]),
    st.sampled_from([None, *Ending]),
    st.integers(0, 20),
)
def test_the_facts_from_a_place_on_are_the_rest_of_all(
    steps: list[int], taken: tuple[Interval, ...], ending: Ending | None, start: int
) -> None:
    run, now = Run(HOUR_MS, 0), HOUR_MS
    run.pauses = taken
    for number, step in enumerate(steps):
        now += step
        run.resume(now) if number % 2 else run.pause(now)
    if ending is not None:
        run.end(now, ending)
    whole = run.facts()
    assert (run.facts(start), run.facts_count) == (whole[start:], len(whole))
    told = Told()
    for fact in whole[:start]:
        told.add(fact, 1)
    assert told.is_true_of(run)
    assert told.is_true_of(run)


def test_the_newest_pauses_of_no_more_than_a_few_are_all() -> None:
    pauses = tuple((place, place + 1) for place in range(listed.LISTED_MAX))
    assert listed._newest(pauses, 3) == pauses

"""The restart law for tickets: whatever reached the table, a restarted fold says what an uninterrupted one would."""

from __future__ import annotations

import random

import orjson
import pytest

from sla.clock import room as limits
from sla.units import MINUTE_MS
from tests.clock.world import World, clock_of, promise
from tests.core.restart import Flush, as_consumed, interrupted, random_flushes, uninterrupted

from .histories import history


@pytest.mark.parametrize("seed", range(20))
def test_restarts_anywhere_and_flushes_that_arrived_in_part_change_nothing(seed: int) -> None:
    make, lines = history(seed)
    expected = as_consumed(uninterrupted(make, lines))
    dice = random.Random(seed)
    for count in (2, 12):
        flushes = random_flushes(dice, count, len(lines))
        assert as_consumed(interrupted(make, lines, flushes)) == expected, flushes


@pytest.mark.parametrize("seed", range(20))
def test_a_ticket_that_rested_is_told_anew_as_it_was(seed: int) -> None:
    """What is true of it is let go at a flush since the one before which it was not asked for."""
    make, lines = history(seed)
    every_line = [Flush(after, None, crashes=False) for after in range(len(lines))]
    assert interrupted(make, lines, every_line) == uninterrupted(make, lines)


def test_a_ticket_keeps_what_can_be_told_anew_only_while_it_is_busy() -> None:
    world = World(promise("a", target="40h"))
    tickets = world.fold._partition._memory.tickets
    busy: list[bool] = []
    for place, (ticket, minute) in enumerate((("T1", 0), ("T1", 1), ("T2", 2), ("T2", 3))):
        world.event(f"00:0{minute}", ticket=ticket, priority="P1", note=str(place))
        world.fold.take_dirty()
        busy.append(tickets["T1"].story is not None)
    assert busy == [True, True, False, False]
    assert tickets["T2"].story is not None


def test_a_clock_that_took_over_keeps_its_own_pauses_when_its_events_are_folded(
    core_patch: pytest.MonkeyPatch,
) -> None:
    """Folded events are told anew from the base: after a restart, or when an event arrives out of order."""
    core_patch.setattr(limits, "EVENTS_MAX", 10)

    def elapsed_ms(*, is_restarted: bool) -> int:
        taking = promise("b", when={"priority": ["P2"]}, target="40h", pause={"team": ["x"]})
        world = World(promise("a", target="40h", pause="none"), taking)
        world.created("00:00", team="x")
        world.event("00:30", team="y")
        world.event("01:00", priority="P2")
        for minute in range(10, 30):
            world.event(f"01:{minute}", note=str(minute))
        if is_restarted:
            atoms = [each._replace(body=orjson.loads(orjson.dumps(each.body))) for each in world.fold.take_dirty()]
            world.fold = clock_of(world.catalogue)
            world.fold.load(atoms)
        world.event("02:10", state="resolved")
        met: int = world.events("sla.clocks.v1")[-1]["data"]["ticket"]["elapsed_ms"]
        return met

    assert elapsed_ms(is_restarted=False) == elapsed_ms(is_restarted=True) == 100 * MINUTE_MS

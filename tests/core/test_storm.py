"""Dead letters in a row: the 101st is told, once for each storm, and again after a restart or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from sla.fold import Emission
from sla.units import SECOND_MS, rfc3339

from .world import T0, TOPIC, World, objective, through_json


def storms(said: list[Emission]) -> list[Any]:
    return [each.value for each in said if each.value.get("type") == "dead_letter_storm"]


def spoil(world: World, count: int, at: int) -> None:
    for _ in range(count):
        world.tell(at, {"type": "counts"})


def test_more_than_a_hundred_dead_letters_in_a_row_are_told_once() -> None:
    world = World(objective())
    spoil(world, 100, T0)
    assert storms(world.said) == []
    spoil(world, 150, T0 + SECOND_MS)
    (storm,) = storms(world.said)
    assert storm == {
        "type": "dead_letter_storm",
        "topic": TOPIC,
        "partition": 0,
        "from": rfc3339(T0),
        "to": rfc3339(T0 + SECOND_MS),
    }


def test_a_tick_does_not_end_a_row_of_dead_letters() -> None:
    world = World(objective())
    spoil(world, 60, T0)
    world.tick(T0 + SECOND_MS)
    spoil(world, 41, T0 + SECOND_MS)
    assert len(storms(world.said)) == 1


def test_a_good_record_ends_a_row_and_the_next_storm_is_told_again() -> None:
    world = World(objective())
    spoil(world, 100, T0)
    world.counts(T0, 1, 0)
    spoil(world, 100, T0 + 10 * SECOND_MS)
    assert storms(world.said) == []
    spoil(world, 1, T0 + 20 * SECOND_MS)
    world.counts(T0 + 20 * SECOND_MS, 1, 0)
    spoil(world, 101, T0 + 30 * SECOND_MS)
    assert [each["from"] for each in storms(world.said)] == [rfc3339(T0 + s * SECOND_MS) for s in (10, 30)]


@pytest.mark.parametrize("before", [1, 99, 100, 101])
def test_a_restart_in_the_middle_of_a_row_neither_loses_nor_repeats_a_storm(before: int) -> None:
    world = World(objective())
    spoil(world, before, T0)
    atoms = through_json(world.fold.take_dirty())
    again = World(objective())
    again.fold.load(atoms)
    again.offset = world.offset
    spoil(again, 110 - before, T0)
    assert len(storms(world.said)) + len(storms(again.said)) == 1

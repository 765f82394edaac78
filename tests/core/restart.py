"""Crashes as values: run a log with flushes that reached the table in part, and restarts that begin at the head."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import orjson

from sla.detect import Detect
from sla.fold import AtomState, Emission, Line

from .table import Table

HEAD = "partition/0"
Written = tuple[str, str | None, bytes]


class Flush(NamedTuple):
    """After the line at place `after`: so many of its records reach the table (None: all), then a crash or none.

    So many more lines are applied before each atom is taken.
    """

    after: int
    reached: int | None
    crashes: bool
    between: int = 0


def written(emissions: Iterable[Emission]) -> list[Written]:
    return [(each.topic, each.key, orjson.dumps(each.value)) for each in emissions]


def uninterrupted(make: Callable[[], Detect], lines: Sequence[Line]) -> list[Written]:
    fold = make()
    return [each for line in lines for each in written(fold.step(line))]


def interrupted(make: Callable[[], Detect], lines: Sequence[Line], flushes: Sequence[Flush]) -> list[Written]:
    """What reaches the topics, repeats and all, when the fold is flushed and restarted as told."""
    table = Table()
    fold, at = make(), 0
    said: list[Written] = []
    for flush in sorted(flushes):
        while at <= flush.after:
            said += written(fold.step(lines[at]))
            at += 1
        taken: list[AtomState] = []
        for atom in fold.changes():
            taken.append(atom._replace(body=orjson.loads(orjson.dumps(atom.body))))  # as it stands now
            for line in lines[at : at + flush.between]:
                said += written(fold.step(line))
            at = min(at + flush.between, len(lines))
        table.write([*taken[1:], *taken[:1]], flush.reached)
        if flush.crashes:
            fold = make()
            atoms = table.atoms()
            fold.load(atoms)
            head = next((atom.offset for atom in atoms if atom.key == HEAD), -1)
            at = next((i for i, line in enumerate(lines) if line.offset > head), len(lines))
    for line in lines[at:]:
        said += written(fold.step(line))
    return said


def as_consumed(said: Iterable[Written]) -> dict[tuple[str, str | None], list[bytes]]:
    """By topic and key, as a consumer keeps them: a record that it has seen is dropped."""
    kept: dict[tuple[str, str | None], list[bytes]] = {}
    for topic, key, value in dict.fromkeys(said):
        kept.setdefault((topic, key), []).append(value)
    return kept


def random_flushes(dice: random.Random, count: int, lines_count: int) -> list[Flush]:
    flushes = []
    for index in dice.sample(range(lines_count), min(count, lines_count)):
        is_partial = dice.random() < 0.5
        reached, crashes = dice.randrange(4) if is_partial else None, is_partial or dice.random() < 0.5
        flushes.append(Flush(index, reached, crashes, between=dice.choice([0, 0, 1, 2, 5])))
    return flushes

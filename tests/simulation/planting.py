"""How a bug is planted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from agents.transport import ALL, Override
from tests.simulation.faults import CrashInFlush, Cut, Fault, SendsDelayed
from tests.simulation.outcome import Outcome
from tests.simulation.schedule import run
from tests.simulation.story import Story

Planting = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug: what is wrong, how it is planted, and which repairs of the transport it lacks.

    `provoke` gives a story the trouble that the bug takes, where plain stories seldom hold it; without the bug it
    breaks no law (`test_simulation`).
    """

    name: str
    plant: Planting = nullcontext
    overrides: frozenset[Override] = ALL
    seeds_from: int = 0  # the stories that can show it
    provoke: Callable[[Story], Story] = lambda story: story

    def run(self, story: Story) -> Outcome:
        """The schedule of a story, with the bug in it."""
        with self.plant():
            return run(self.provoke(story), self.overrides)


def often_cut(story: Story) -> Story:
    """Again and again a worker is cut off in the middle of a flush for longer than half a session, and confirmed."""
    workers = [f"{role}-{number}" for role, count in story.roles.items() for number in range(count)]
    instants = range(30, int(story.lasts_s) - 60, 7)
    cuts = [Cut(float(at), workers[turn % len(workers)], 6.0) for turn, at in enumerate(instants)]
    return replace(story, faults=cuts)


def killed_in_flushes(story: Story) -> Story:
    """Again and again a worker whose records take long to arrive is killed in the middle of a flush."""
    workers = [f"{role}-{number}" for role, count in story.roles.items() for number in range(count)]
    faults: list[Fault] = []
    for turn, at in enumerate(range(30, int(story.lasts_s) - 60, 12)):
        worker = workers[turn % len(workers)]
        faults += [SendsDelayed(float(at), worker, 12.0), CrashInFlush(float(at), worker, 1 + turn % 3)]
    return replace(story, faults=faults)


def in_place_of(owner: Any, name: str, make: Callable[[Any], Any]) -> Planting:
    """`make` is given what stands there, and answers with what is planted."""
    return lambda: mock.patch.object(owner, name, make(getattr(owner, name)))


def after_loading(partition: type[Any], change: Callable[[Any], None]) -> Planting:
    """What a partition of a fold has taken back from the table, and then changed."""

    def make(right: Any) -> Any:
        def load(self: Any, *arguments: Any) -> int:
            offset: int = right(self, *arguments)
            change(self._memory)
            return offset

        return load

    return in_place_of(partition, "load", make)

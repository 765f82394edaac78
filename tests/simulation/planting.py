"""How a bug is planted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from agents.transport import ALL, Override
from tests.simulation.faults import Crash, CrashInFlush, Cut, Fault, Freeze, Rebalance, SendsDelayed, role_of
from tests.simulation.outcome import Outcome
from tests.simulation.schedule import run
from tests.simulation.story import Story

Planting = Callable[[], AbstractContextManager[Any]]


def as_told(story: Story) -> Story:
    """No other trouble than the story's own."""
    return story


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
    provoke: Callable[[Story], Story] = as_told

    def run(self, story: Story) -> Outcome:
        """The schedule of a story, with the bug in it."""
        with self.plant():
            return run(self.provoke(story), self.overrides)


def often_cut(story: Story) -> Story:
    """Again and again a worker is cut off in the middle of a flush for longer than half a session, and confirmed."""
    workers = _workers(story)
    instants = range(30, int(story.lasts_s) - 60, 7)
    cuts = [Cut(float(at), workers[turn % len(workers)], 6.0) for turn, at in enumerate(instants)]
    return replace(story, faults=cuts)


def killed_in_flushes(story: Story) -> Story:
    """Again and again a worker whose records take long to arrive is killed in the middle of a flush."""
    workers = _workers(story)
    faults: list[Fault] = []
    for turn, at in enumerate(range(30, int(story.lasts_s) - 60, 12)):
        worker = workers[turn % len(workers)]
        faults += [SendsDelayed(float(at), worker, 12.0), CrashInFlush(float(at), worker, 1 + turn % 3)]
    return replace(story, faults=faults)


def killed_after_exclusions(story: Story) -> Story:
    """All who count are killed some seconds after each exclusion: one flush may have ended meanwhile, but no other."""
    told_at = sorted({each.at for each in story.sent if b'"exclusion"' in each.value})
    count = story.roles["detect"]
    return replace(story, faults=[Crash(at + 7.0, f"detect-{number}", 0) for at in told_at for number in range(count)])


def cut_off_for_long(story: Story) -> Story:
    """Again and again what a cut-off worker wrote arrives behind what its successor wrote; then partitions move."""
    workers = _workers(story)
    faults: list[Fault] = []
    for turn, at in enumerate(range(40, int(story.lasts_s) - 60, 53)):
        worker = workers[turn % len(workers)]
        faults += [SendsDelayed(at - 9.0, worker, 9.0), Cut(float(at), worker, 40.0)]
        faults += [Rebalance(at + 42.0, role_of(worker), is_sticky=False)]
    return replace(story, faults=faults)


def frozen_in_recoveries(story: Story) -> Story:
    """Again and again a worker sleeps in the middle of a recovery, until its successor has committed."""
    workers = _workers(story)
    faults: list[Fault] = []
    for turn, at in enumerate(range(30, int(story.lasts_s) - 60, 47)):
        worker = workers[turn % len(workers)]
        faults += [
            Rebalance(float(at), role_of(worker), is_sticky=False),
            Freeze(at + 2.0 + turn % 4 / 2, worker, 29.0),
        ]
    return replace(story, faults=faults)


def moved_in_batches(story: Story) -> Story:
    """Again and again partitions move while a worker waits for its producer, and more batches wait for the worker."""
    workers = _workers(story)
    faults: list[Fault] = []
    for turn, at in enumerate(range(30, int(story.lasts_s) - 60, 25)):
        worker = workers[turn % len(workers)]
        faults += [
            SendsDelayed(float(at), worker, 12.0, is_full=True),
            Rebalance(at + 6.0, role_of(worker), is_sticky=True),
        ]
    return replace(story, faults=faults)


def _workers(story: Story) -> list[str]:
    return [f"{role}-{number}" for role, count in story.roles.items() for number in range(count)]


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

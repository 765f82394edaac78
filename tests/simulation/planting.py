"""How a bug is planted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    return _again_and_again(story, 7, lambda _turn, at, worker: [Cut(at, worker, 6.0)])


def killed_in_flushes(story: Story) -> Story:
    """Again and again a worker whose records take long to arrive is killed in the middle of a flush."""

    def trouble(turn: int, at: float, worker: str) -> list[Fault]:
        return [SendsDelayed(at, worker, 12.0), CrashInFlush(at, worker, 1 + turn % 3)]

    return _again_and_again(story, 12, trouble)


def killed_after_exclusions(story: Story) -> Story:
    """All who count are killed some seconds after each exclusion: one flush may have ended meanwhile, but no other."""
    told_at = sorted({each.at for each in story.sent if b'"exclusion"' in each.value})
    count = story.roles["detect"]
    return replace(story, faults=[Crash(at + 7.0, f"detect-{number}", 0) for at in told_at for number in range(count)])


def cut_off_for_long(story: Story) -> Story:
    """Again and again what a cut-off worker wrote arrives behind what its successor wrote; then partitions move."""

    def trouble(_turn: int, at: float, worker: str) -> list[Fault]:
        moved = Rebalance(at + 42.0, role_of(worker), is_sticky=False)
        return [SendsDelayed(at - 9.0, worker, 9.0), Cut(at, worker, 40.0), moved]

    return _again_and_again(story, 53, trouble, first_s=40)


def frozen_in_recoveries(story: Story) -> Story:
    """Again and again a worker sleeps in the middle of a recovery, until its successor has committed."""

    def trouble(turn: int, at: float, worker: str) -> list[Fault]:
        return [Rebalance(at, role_of(worker), is_sticky=False), Freeze(at + 2.0 + turn % 4 / 2, worker, 29.0)]

    return _again_and_again(story, 47, trouble)


def moved_in_batches(story: Story) -> Story:
    """Again and again partitions move while a worker waits for its producer, and more batches wait for the worker."""

    def trouble(_turn: int, at: float, worker: str) -> list[Fault]:
        full = SendsDelayed(at, worker, 12.0, is_full=True)
        return [full, Rebalance(at + 6.0, role_of(worker), is_sticky=True)]

    return _again_and_again(story, 25, trouble)


def _again_and_again(
    story: Story, every_s: int, trouble: Callable[[int, float, str], Sequence[Fault]], *, first_s: int = 30
) -> Story:
    """A story whose workers take turns in a trouble, which is told the turn, its instant and its worker."""
    workers = [f"{role}-{number}" for role, count in story.roles.items() for number in range(count)]
    faults: list[Fault] = []
    for turn, at in enumerate(range(first_s, int(story.lasts_s) - 60, every_s)):
        faults += trouble(turn, float(at), workers[turn % len(workers)])
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

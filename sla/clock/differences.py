"""What was told of a clock against what is true of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sla.clock.run import Fact, Run
from sla.clock.track import Told


class Differences(NamedTuple):
    """Told and not true; told of another instant than the true one; true and not told. Each in order of time."""

    wrong: Sequence[Fact]
    moved: Sequence[tuple[Fact, Fact]]
    new: list[Fact]


def differences(told: Told, run: Run) -> Differences:
    """Facts of one kind are paired in their order where no equal one is there."""
    if told.is_true_of(run):
        return Differences((), (), run.facts(told.facts_count))
    facts = run.facts()
    false = sorted((Counter(told.facts) - Counter(facts)).elements(), key=_in_time)
    untold = sorted((Counter(facts) - Counter(told.facts)).elements(), key=facts.index)
    wrong: list[Fact] = []
    moved: list[tuple[Fact, Fact]] = []
    for fact in false:
        match = next((each for each in untold if each.kind is fact.kind), None)
        if match is None:
            wrong.append(fact)
        else:
            untold.remove(match)
            moved.append((fact, match))
    return Differences(wrong, moved, untold)


def _in_time(fact: Fact) -> tuple[int, int]:
    return fact.at, fact.kind

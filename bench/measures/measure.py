"""The shape of a measure, and of what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.lab import Lab


@dataclass(frozen=True, slots=True)
class Found:
    """`figures` by the keys of the results; `rows` and their `head` for people; what was `skipped`, with its reason."""

    figures: Mapping[str, float]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """One question. `keys` are all that it may answer; a key whose part this machine lacks is left out.

    `minutes` is what it takes at most on a machine of two cores.
    """

    name: str
    asks: str
    keys: tuple[str, ...]
    minutes: int
    run: Callable[[Lab], Found]


def ratio_of_pairs(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of the ratios of what was measured side by side: noise of the machine meets both of a pair."""
    return median(first / second for first, second in pairs)

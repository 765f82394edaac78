"""How a bug is planted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest import mock

from agents.transport import ALL, Override
from tests.simulation.outcome import Outcome
from tests.simulation.schedule import run
from tests.simulation.story import Story

Planting = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug: what is wrong, how it is planted, and which repairs of the transport it lacks."""

    name: str
    plant: Planting = nullcontext
    overrides: frozenset[Override] = ALL
    seeds_from: int = 0  # the stories that can show it

    def run(self, story: Story) -> Outcome:
        """The schedule of a story, with the bug in it."""
        with self.plant():
            return run(story, self.overrides)


def in_place_of(owner: Any, name: str, make: Callable[[Any], Any]) -> Planting:
    """`make` is given what stands there, and answers with what is planted."""
    return lambda: mock.patch.object(owner, name, make(getattr(owner, name)))

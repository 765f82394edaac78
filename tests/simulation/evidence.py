"""What a schedule left behind, and what it is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.simulation.broker import Place
from tests.simulation.outcome import Outcome
from tests.simulation.reference import Reference
from tests.simulation.said import said


class Evidence:
    """An outcome and what it is held against."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.reference = Reference(outcome)
        self.said = said(outcome)

    def covered(self, place: Place, offset: int) -> bool:
        """Whether a line was committed."""
        return offset < self.outcome.committed.get(place, 0)


Law = Callable[[Evidence], Iterator[str]]

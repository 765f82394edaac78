"""A fold that is stopped, killed and loaded again on the way: what it says must be what it says when left alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import orjson

from sla.fold import Emission, Fold, Line
from tests.core.table import Table

MakeFold = Callable[[], Fold]
Said = list[tuple[str, str | None, bytes]]  # topic, key, the bytes on the wire


def alone(make_fold: MakeFold, lines: Sequence[Line]) -> Said:
    """What a fold says that nobody disturbs."""
    fold = make_fold()
    return [_wire(emission) for line in lines for emission in fold.step(line)]


class Interrupted:
    """A fold in a worker's life: its table and its committed offset outlive it, its memory does not.

    A flush writes what changed, the partition's own head last, then commits. A crash may come in the middle of a
    flush: then the first of its records are written, the head is not, and what was read since the commit comes again.
    """

    def __init__(self, make_fold: MakeFold, lines: Sequence[Line], dice: random.Random) -> None:
        self._make_fold = make_fold
        self._lines = lines
        self._dice = dice
        self._table = Table()
        self._committed = 0
        self.said: Said = []
        self.crashes_count = 0

    def run(self, lives: int) -> Said:
        """Live `lives` times, the last time to the end; exact repeats are dropped."""
        for life in range(lives):
            left = len(self._lines) - self._committed
            goes_on = left if life == lives - 1 else self._dice.randint(0, 2 * left // (lives - life))
            self._live(goes_on)
        return list(dict.fromkeys(self.said))

    def _live(self, lines_count: int) -> None:
        fold = self._make_fold()
        fold.load(self._table.atoms())
        flush_every = self._dice.choice([1, 7, 50, 400])
        begin = self._committed
        for place, line in enumerate(self._lines[begin : begin + lines_count], start=begin):
            self.said += [_wire(emission) for emission in fold.step(line)]
            if self._dice.randrange(flush_every) == 0:
                self._table.write(fold.take_dirty())
                self._committed = place + 1
        if self._dice.random() < 0.5:  # killed in the middle of a flush
            atoms = fold.take_dirty()
            self._table.write(atoms, self._dice.randint(0, max(0, len(atoms) - 1)))
            self.crashes_count += 1


def _wire(emission: Emission) -> tuple[str, str | None, bytes]:
    return emission.topic, emission.key, orjson.dumps(emission.value)

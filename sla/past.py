"""Sums over any stretch of time, from running sums over a ledger's rows: for whoever asks about many stretches."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, repeat

from sla.buckets import Totals
from sla.intervals import Interval, overlaps
from sla.sealed import COLUMNS_COUNT

Columns = Sequence[Sequence[int]]
"""Start, end, total, bad and marked of rows: a row for each is much to make of numbers to add up."""

Sums = tuple[Sequence[int], Sequence[int]]
"""Totals and bads."""


def columns_of(rows: Iterable[Sequence[int]]) -> Columns:
    """The same as columns."""
    return list(zip(*rows, strict=True)) or [()] * COLUMNS_COUNT


class Past:
    """Sums over any stretch of a ledger's rows, leaving out what is excluded."""

    def __init__(self, columns: Columns, excluded: Sequence[Interval]) -> None:
        if excluded:
            columns = columns_of(row for row in zip(*columns, strict=True) if not overlaps(excluded, row[0], row[1]))
        starts, _, totals, bads, marks = columns
        self._starts = starts
        self._totals = [0, *accumulate(totals)]
        self._bads = [0, *accumulate(bads)]
        self._marks = [0, *accumulate(marks)]

    def between(self, start: int, end: int) -> Totals:
        """The sums of the buckets that begin in [start, end)."""
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end, first)
        return Totals(*(column[last] - column[first] for column in (self._totals, self._bads, self._marks)))

    def before(self, instants: Iterable[int]) -> Sums:
        """Total and bad of all buckets that begin before each of many instants."""
        places = list(map(bisect_left, repeat(self._starts), instants))
        return packed(map(self._totals.__getitem__, places)), packed(map(self._bads.__getitem__, places))


def packed(values: Iterable[int]) -> Sequence[int]:
    """The same in an eighth of the space, where each is below 2^32; thousands of streams keep their past."""
    found = list(values)
    for code in ("I", "Q"):
        try:
            return array(code, found)
        except OverflowError:
            continue
    return found

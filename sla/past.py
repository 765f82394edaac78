"""Sums over any stretch of time, from running sums over a ledger's rows: for whoever asks about many stretches."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from sla.buckets import Bucket, Totals
from sla.intervals import Interval, overlaps


class Past:
    """Sums over any stretch of a ledger's rows, leaving out what is excluded."""

    def __init__(self, rows: Iterable[Bucket], excluded: Sequence[Interval]) -> None:
        kept = [row for row in rows if not overlaps(excluded, row.start, row.end)]
        self._starts = [row.start for row in kept]
        self._totals = [0, *accumulate(row.total for row in kept)]
        self._bads = [0, *accumulate(row.bad for row in kept)]
        self._marks = [0, *accumulate(row.marked for row in kept)]

    def between(self, start: int, end: int) -> Totals:
        """The sums of the buckets that begin in [start, end)."""
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        return Totals(*(column[last] - column[first] for column in (self._totals, self._bads, self._marks)))

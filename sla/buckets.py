"""Counts in order of time: buckets in columns, found by bisection, merged as they age (semantics.md 1, Buckets)."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from sla.intervals import Interval, overlaps
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, ceil_to, floor_to

FINE_MS = MINUTE_MS
FINE_FOR_MS = 6 * HOUR_MS
MIDDLE_MS = 5 * MINUTE_MS
MIDDLE_FOR_MS = 3 * DAY_MS
COARSE_MS = HOUR_MS


def step_of(age_or_window_ms: int) -> int:
    """The grid for a window of this length, and for a bucket of this age."""
    if age_or_window_ms <= FINE_FOR_MS:
        return FINE_MS
    return MIDDLE_MS if age_or_window_ms <= MIDDLE_FOR_MS else COARSE_MS


def rolling_edge(window_ms: int, now: int) -> int:
    """The start of the earliest bucket that a rolling window holds at `now`."""
    step_ms = step_of(window_ms)
    return ceil_to(floor_to(now, step_ms) - window_ms + step_ms, step_ms)


class Bucket(NamedTuple):
    """Counts of [start, end). `marked` counts its minutes with data."""

    start: int
    end: int
    total: int
    bad: int
    marked: int


class Totals(NamedTuple):
    """The sum of some buckets."""

    total: int
    bad: int
    marked: int


class Buckets:
    """Disjoint buckets in order, one column per field. `cuts` are instants that no bucket may be merged across."""

    __slots__ = ("_columns", "cuts")

    def __init__(self) -> None:
        self._columns = tuple(array("q") for _ in Bucket._fields)
        self.cuts: list[int] = []

    def __len__(self) -> int:
        """How many buckets there are."""
        return len(self._columns[0])

    @property
    def _starts(self) -> array[int]:
        return self._columns[0]

    def at(self, index: int) -> Bucket:
        """One bucket."""
        return Bucket(*(column[index] for column in self._columns))

    def append(self, bucket: Bucket) -> None:
        """Add the newest bucket."""
        for column, value in zip(self._columns, bucket, strict=True):
            column.append(value)

    def bounds(self, at: int, step_ms: int) -> Interval:
        """The bucket of a grid that would hold an instant, ended early by the cuts around it."""
        start = floor_to(at, step_ms)
        end = start + step_ms
        if self.cuts:
            index = bisect_right(self.cuts, at)
            if index and self.cuts[index - 1] > start:
                start = self.cuts[index - 1]
            if index < len(self.cuts) and self.cuts[index] < end:
                end = self.cuts[index]
        return start, end

    def hold(self, at: int, step_ms: int) -> int:
        """The index of the bucket that holds an instant, made where there is none (it fills a hole at the most)."""
        index = bisect_right(self._starts, at) - 1
        ends = self._columns[1]
        if index >= 0 and at < ends[index]:
            return index
        index += 1
        start, end = self.bounds(at, step_ms)
        if index:
            start = max(start, ends[index - 1])
        if index < len(self):
            end = min(end, self._starts[index])
        for column, value in zip(self._columns, Bucket(start, end, 0, 0, 0), strict=True):
            column.insert(index, value)
        return index

    def increase(self, index: int, total: int, bad: int, marked: int) -> None:
        """Count in one bucket."""
        for column, value in zip(self._columns[2:], (total, bad, marked), strict=True):
            column[index] += value

    def indices(self, start: int, end: int | None) -> range:
        """The buckets that begin in [start, end); no end: all from start."""
        first = bisect_left(self._starts, start)
        return range(first, len(self) if end is None else bisect_left(self._starts, end, first))

    def total(self, start: int, end: int | None, without: Sequence[Interval]) -> Totals:
        """The sum of the buckets that begin in [start, end), less those that touch `without`."""
        which = self.indices(start, end)
        _, ends, totals, bads, marks = self._columns
        if not without:
            chosen = slice(which.start, which.stop)
            return Totals(sum(totals[chosen]), sum(bads[chosen]), sum(marks[chosen]))
        kept = [i for i in which if not overlaps(without, self._starts[i], ends[i])]
        return Totals(sum(totals[i] for i in kept), sum(bads[i] for i in kept), sum(marks[i] for i in kept))

    def by_hour(self, start: int, without: Sequence[Interval]) -> dict[int, tuple[int, int]]:
        """Total and bad by the hour they began in, of the buckets from `start` on, less those that touch `without`."""
        hours: dict[int, tuple[int, int]] = {}
        first = bisect_left(self._starts, start)
        for begins, ends, total, bad in zip(*(column[first:] for column in self._columns[:4]), strict=True):
            if not without or not overlaps(without, begins, ends):
                hour = begins - begins % HOUR_MS
                known = hours.get(hour)
                hours[hour] = (known[0] + total, known[1] + bad) if known else (total, bad)
        return hours

    def rows(self, start: int = 0, end: int | None = None) -> list[Bucket]:
        """The buckets that begin in [start, end)."""
        return [self.at(index) for index in self.indices(start, end)]

    def forget_before(self, start: int) -> None:
        """Drop the buckets that begin before an instant, and the cuts that no longer matter."""
        gone = bisect_left(self._starts, start)
        if gone:
            for column in self._columns:
                del column[:gone]
        del self.cuts[: bisect_left(self.cuts, start)]

    def merge(self, until: int, step_ms: int) -> None:
        """Merge what begins before `until` into cells of a coarser grid; nothing crosses a cut, no sum changes."""
        last = bisect_left(self._starts, until)
        rows: list[Bucket] = []
        for index in range(last):
            row = self.at(index)
            if rows and self._same_cell(rows[-1].start, row.start, step_ms):
                into = rows[-1]
                rows[-1] = Bucket(
                    into.start, row.end, into.total + row.total, into.bad + row.bad, into.marked + row.marked
                )
            else:
                rows.append(row)
        if len(rows) < last:
            for number, column in enumerate(self._columns):
                column[:last] = array("q", [row[number] for row in rows])

    def _same_cell(self, earlier: int, later: int, step_ms: int) -> bool:
        return floor_to(earlier, step_ms) == floor_to(later, step_ms) and bisect_right(
            self.cuts, earlier
        ) == bisect_right(self.cuts, later)

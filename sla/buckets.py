"""Counts in order of time: buckets in cells, found by bisection, merged as they age (semantics.md 1, Buckets)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import add, attrgetter, sub
from typing import NamedTuple

from sla.cells import AGED, COARSE_MS, FINE_MS, YOUNG, Cell, CellName, Loose, Zone, ends_of
from sla.intervals import Interval, overlaps
from sla.sealed import Sealed
from sla.units import floor_to
from sla.working_time import ALWAYS, WorkingTime


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


_START = attrgetter("start")


class Buckets:
    """Disjoint buckets in order. `cuts` are instants that no bucket may be merged across.

    `settled_at` is when what is old was merged last: it says which zone an instant lies in. Where only `hours` count,
    every bucket begins within them and none reaches across the time between. `held_count` is the sum of all totals.
    """

    __slots__ = ("_cells", "_ends", "_hours", "cuts", "held_count", "settled_at")

    def __init__(self) -> None:
        self._cells: list[Cell] = []
        self.cuts: list[int] = []
        self.held_count = 0
        self.settled_at = 0
        self._ends = ends_of(0)
        self._hours = ALWAYS

    # -- reading

    def _parts(self, start: int, end: int | None) -> Iterator[tuple[Loose | Sealed, int, int]]:
        """The rows that begin in [start, end), cell by cell, as places from and to."""
        cells = self._cells
        for index in range(max(bisect_right(cells, start, key=_START) - 1, 0), len(cells)):
            cell = cells[index]
            if end is not None and cell.start >= end:
                return
            rows = cell.rows
            first = 0 if start <= cell.start else rows.first_from(start)
            is_whole = end is None or (index + 1 < len(cells) and cells[index + 1].start <= end)
            last = len(rows) if end is None or is_whole else rows.first_from(end)
            if first < last:
                yield rows, first, last

    def total(self, start: int, end: int | None, without: Sequence[Interval]) -> tuple[int, int, int]:
        """Total, bad and marked of the buckets that begin in [start, end), less those that touch `without`."""
        cells = self._cells
        if not without and end is not None and cells:  # as a window moves: by a bucket or few, all in one cell
            index = bisect_right(cells, start, key=_START)
            if index and (index == len(cells) or cells[index].start >= end):
                return cells[index - 1].rows.between(start, end)
        found = Totals(0, 0, 0)
        for rows, first, last in self._parts(start, end):
            found = _plus(found, rows, first, last, without)
        return found

    def totals_since(self, starts: Iterable[int], without: Sequence[Interval]) -> list[Totals]:
        """The sums from each of some instants on, the latest of them first: each cell is gone through once."""
        cells = self._cells
        index = len(cells)
        behind = Totals(0, 0, 0)  # of the cells from `index` on
        found: list[Totals] = []
        for start in starts:
            while index and cells[index - 1].start >= start:
                index -= 1
                rows = cells[index].rows
                behind = _plus(behind, rows, 0, len(rows), without)
            rows = cells[index - 1].rows if index else Loose()
            found.append(_plus(behind, rows, rows.first_from(start), len(rows), without))
        return found

    def columns(self, start: int = 0, end: int | None = None) -> list[list[int]]:
        """Start, end, total, bad and marked of the buckets that begin in [start, end)."""
        found: list[list[int]] = [[], [], [], [], []]
        for rows, first, last in self._parts(start, end):
            starts, lengths, *counts = rows.columns(first, last)
            for column, more in zip(found, (starts, map(add, starts, lengths), *counts), strict=True):
                column.extend(more)
        return found

    def rows(self, start: int = 0, end: int | None = None) -> list[Bucket]:
        """The buckets that begin in [start, end)."""
        return list(map(Bucket, *self.columns(start, end)))

    def holding(self, at: int) -> Bucket | None:
        """The bucket that an instant lies in."""
        index = bisect_right(self._cells, at, key=_START) - 1
        if index < 0:
            return None
        rows = self._cells[index].rows
        place = rows.first_from(at + 1) - 1
        ((begins,), (length,), (total,), (bad,), (marked,)) = rows.columns(place, place + 1)
        return Bucket(begins, begins + length, total, bad, marked) if at < begins + length else None

    # -- writing

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
        if not self._hours.is_always:
            opens = self._hours.open_between(start, end)
            start, end = next(((a, b) for a, b in opens if a <= at < b), (start, end))
        return start, end

    def append(self, bucket: Bucket) -> None:
        """Add the newest bucket. One of long ago (loaded history is) is merged at once: nothing else would do it."""
        start, end, total, bad, marked = bucket
        if start < self._ends[-1]:
            self.add(start, total, bad, marked)
            return
        if not self._cells or self._cells[-1].name.rank != YOUNG.rank:
            self._cells.append(Cell(CellName(YOUNG.rank, 0), Loose()))
        self._cells[-1].append((start, end - start, total, bad, marked))
        self.held_count += total

    def add(self, at: int, total: int, bad: int, marked: int) -> tuple[Bucket, int]:
        """Count in the bucket that holds an instant, made where there is none: as it was, and what was marked more.

        A bucket that is made is as long as its neighbours of that age, and fills a hole at the most.
        """
        bucket = self.holding(at) or self._make(at)
        marked = min(marked, -(-(bucket.end - bucket.start) // FINE_MS) - bucket.marked)  # of its minutes
        cell = self._cells[bisect_right(self._cells, bucket.start, key=_START) - 1]
        rows = cell.loosen()
        place = rows.first_from(bucket.start)
        for column, more in zip(rows.arrays[2:], (total, bad, marked), strict=True):
            column[place] += more
        self.held_count += total
        return bucket, marked

    def _make(self, at: int) -> Bucket:
        name = self._name_of(at)
        start, end = self.bounds(at, FINE_MS if name.rank == YOUNG.rank else AGED[name.rank].step_ms)
        for near in self.rows(start - COARSE_MS, end):
            if near.end <= at:
                start = max(start, near.end)
            else:
                end = min(end, near.start)
        self._put(self._name_of(start), [Bucket(start, end, 0, 0, 0)])
        return Bucket(start, end, 0, 0, 0)

    def _name_of(self, at: int) -> CellName:
        for zone, end in zip(AGED, self._ends, strict=True):
            if at < end:
                return CellName(zone.rank, at // zone.cell_ms)
        return CellName(YOUNG.rank, 0)

    def _put(self, name: CellName, buckets: Sequence[Bucket]) -> None:
        """Put buckets into a cell, between those that are there; nothing lies between them."""
        cells = self._cells
        index = bisect_left(cells, name, key=attrgetter("name"))
        if index == len(cells) or cells[index].name != name:
            cells.insert(index, Cell(name, Loose()))
        starts, ends, *counts = zip(*buckets, strict=True)
        cells[index].put((starts, list(map(sub, ends, starts)), *counts))

    # -- age

    def forget_before(self, start: int) -> bool:
        """Drop the cells whose buckets all begin before an instant, and the cuts that no longer matter.

        Whether there was such a cell.
        """
        cells = self._cells
        ended = 0
        while ended + 1 < len(cells) and cells[ended + 1].start <= start:
            ended += 1
        if ended + 1 == len(cells) and cells[ended].rows.first_from(start) == len(cells[ended].rows):
            ended += 1
        self.held_count -= _held_count(cells[:ended])
        del cells[:ended]
        del self.cuts[: bisect_left(self.cuts, start)]
        return ended > 0

    def settle(self, now: int) -> None:
        """Move what is old into the zones of its age, merged as they are; nothing crosses a cut, no sum changes."""
        self.settled_at = max(now, self.settled_at)
        self._zone()
        for zone, end in zip(AGED, self._ends, strict=True):
            self._age(zone, end)
        for cell in self._cells:
            if cell.name.rank != YOUNG.rank:
                cell.seal()

    def _age(self, zone: Zone, end: int) -> None:
        moved: list[Bucket] = []
        for cell in [cell for cell in self._cells if cell.name.rank > zone.rank and cell.start < end]:
            moved += self._take(cell, cell.rows.first_from(end))
        by_cell: dict[CellName, list[Bucket]] = {}
        for row in self._merged(moved, zone.step_ms):
            by_cell.setdefault(CellName(zone.rank, row.start // zone.cell_ms), []).append(row)
        for name, rows in by_cell.items():
            self._put(name, rows)

    def _take(self, cell: Cell, count: int) -> list[Bucket]:
        """Take the first rows out of a cell, and a cell that is empty then away."""
        found = [
            Bucket(a, a + length, *counts) for a, length, *counts in zip(*cell.rows.columns(0, count), strict=True)
        ]
        if count == len(cell.rows):
            self._cells.remove(cell)
        else:
            cell.drop_first(count)
        return found

    def _merged(self, rows: Iterable[Bucket], step_ms: int) -> list[Bucket]:
        found: list[Bucket] = []
        slot = -1
        for row in rows:
            before, slot = slot, row.start // step_ms
            if found and slot == before and self._is_undivided(found[-1].start, row.start):
                into = found[-1]
                found[-1] = Bucket(
                    into.start, row.end, into.total + row.total, into.bad + row.bad, into.marked + row.marked
                )
            else:
                found.append(row)
        return found

    def _is_undivided(self, earlier: int, later: int) -> bool:
        is_uncut = bisect_right(self.cuts, earlier) == bisect_right(self.cuts, later)
        return is_uncut and (self._hours.is_always or self._hours.elapsed_ms(earlier, later) == later - earlier)

    def _zone(self) -> None:
        # A calendar's window begins on the coarser grid before buckets are merged to it: they stay fine an hour longer.
        self._ends = ends_of(self.settled_at - (0 if self._hours.is_always else COARSE_MS))

    @property
    def hours(self) -> WorkingTime:
        """The time that counts: every instant that is counted lies in it."""
        return self._hours

    @hours.setter
    def hours(self, hours: WorkingTime) -> None:
        self._hours = hours
        self._zone()

    # -- state

    @property
    def cells(self) -> Sequence[Cell]:
        """In order; the last may be the young one."""
        return self._cells

    def load(self, settled_at: int, cuts: Iterable[int], cells: Iterable[Cell]) -> None:
        """Take back what was kept."""
        self.settled_at = settled_at
        self._zone()
        self.cuts = list(cuts)
        self._cells = list(cells)
        self.held_count = _held_count(self._cells)


def _held_count(cells: Iterable[Cell]) -> int:
    return sum(cell.rows.totals(0, len(cell.rows))[0] for cell in cells)


def _plus(found: Totals, rows: Loose | Sealed, first: int, last: int, without: Sequence[Interval]) -> Totals:
    """With the rows [first, last), less those that touch `without`."""
    total, bad, marked = found
    if not without:
        more = rows.totals(first, last)
        return Totals(total + more[0], bad + more[1], marked + more[2])
    for row in zip(*rows.columns(first, last), strict=True):
        if not overlaps(without, row[0], row[0] + row[1]):
            total, bad, marked = total + row[2], bad + row[3], marked + row[4]
    return Totals(total, bad, marked)

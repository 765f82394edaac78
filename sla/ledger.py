"""The running sums of windows over a stream's buckets.

A window's sum is kept: a record adds to the open bucket alone, and a minute's edge moves each window by what left it,
so an evaluation costs the number of its tiers. Excluded buckets stay in the ledger and out of the sums, so that
revoking an exclusion is exact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sla.buckets import Bucket, Buckets, Totals
from sla.catalogue import CalendarPeriod
from sla.cells import COARSE_MS, FINE_MS, YOUNG, Cell, CellName, Loose, rolling, runs_of
from sla.columns import narrow, wide
from sla.intervals import Interval, merged, overlaps
from sla.periods import period_at
from sla.reach import edge_of
from sla.units import floor_to
from sla.working_time import WorkingTime

Span = int | CalendarPeriod
"""What a window reaches back over: so many milliseconds, or to the start of the calendar period."""


class WindowSum:
    """The sum of the closed, not excluded buckets with `start >= edge`."""

    __slots__ = ("bad", "edge", "marked", "stays_until", "total")

    def __init__(self) -> None:
        self.edge = self.stays_until = 0
        self.total = self.bad = self.marked = 0


class Ledger:
    """Good and bad of one measure of a stream. The newest bucket is open and kept apart: nearly every record is its.

    An empty open bucket has `open_start == open_end`, the end of the last closed one.
    """

    __slots__ = (
        "_buckets", "_excluded", "_past_until", "_past_version", "journal", "moves_count", "next_edge_at", "open_bad",
        "open_end", "open_excluded", "open_marked", "open_start", "open_total", "windows",
    )  # fmt: skip

    def __init__(self) -> None:
        self._buckets = Buckets()
        self._excluded: list[Interval] = []
        self._past_until = self._past_version = 0
        self.open_start = self.open_end = 0
        self.open_total = self.open_bad = self.open_marked = 0
        self.open_excluded = False
        self.next_edge_at = 0
        self.moves_count = 0  # rises whenever a window's sum changes, but for the open bucket
        self.journal: list[tuple[int, int, int]] | None = None  # (at, total, bad) while late records are applied
        self.windows: dict[Span, WindowSum] = {}

    # -- writing

    def add(self, at: int, total: int, bad: int, marked: int = 1) -> None:
        """Count at an instant. `marked` is 1 for data, 0 for what is not (loaded history)."""
        if self.journal is not None:
            self.journal.append((at, total, bad))
        if self.open_start <= at < self.open_end:
            self.open_total += total
            self.open_bad += bad
            if marked:
                self.open_marked = int(marked > 0)
        elif at >= self.open_end:
            self._close()
            self.open_start, self.open_end = self._buckets.bounds(at, FINE_MS)
            self.open_excluded = overlaps(self._excluded, self.open_start, self.open_end)
            self.open_total, self.open_bad, self.open_marked = total, bad, marked
        else:
            self._add_behind(at, total, bad, marked)

    def _close(self) -> None:
        if self.open_start == self.open_end:
            return
        bucket = Bucket(self.open_start, self.open_end, self.open_total, self.open_bad, self.open_marked)
        self._buckets.append(bucket)
        self._past_version += bucket.start < self._past_until
        if not self.open_excluded:
            self._sum_up(bucket.start, bucket.total, bucket.bad, bucket.marked)
        self.open_start = self.open_end
        self.open_total = self.open_bad = self.open_marked = 0
        self.open_excluded = False

    def _sum_up(self, start: int, total: int, bad: int, marked: int) -> None:
        self.moves_count += 1
        for window in self.windows.values():
            if start >= window.edge:
                window.total += total
                window.bad += bad
                window.marked += marked

    def _add_behind(self, at: int, total: int, bad: int, marked: int) -> None:
        bucket, marked = self._buckets.add(at, total, bad, marked)
        self._past_version += bucket.start < self._past_until
        if not overlaps(self._excluded, bucket.start, bucket.end):
            self._sum_up(bucket.start, total, bad, marked)

    def past(self, until: int) -> tuple[int, int, int]:
        """Changes when a sum does of what began before an instant: a whole hour that the windows have reached."""
        self._past_until = max(self._past_until, until)
        total, bad = (self.open_total, self.open_bad) if self.open_start < until else (0, 0)
        return self._past_version, total, bad

    # -- time

    @property
    def hours(self) -> WorkingTime:
        """The time that counts: all that is added lies in it."""
        return self._buckets.hours

    @hours.setter
    def hours(self, hours: WorkingTime) -> None:
        self._buckets.hours = hours

    def edge(self, window_ms: int, now: int) -> int:
        """The start of the earliest bucket that a rolling window holds at `now`."""
        return edge_of(self.hours, window_ms, now)

    def advance(self, now: int) -> None:
        """Move every window to `now`; due when `now >= next_edge_at`, since every edge lies on a whole minute."""
        if now >= self.open_end:
            self._close()
        for span, window in self.windows.items():
            if now >= window.stays_until:
                edge, window.stays_until = self._edge(span, now)
                if edge != window.edge:
                    self._move(window, edge)
        self.next_edge_at = floor_to(now, FINE_MS) + FINE_MS

    def _move(self, window: WindowSum, edge: int) -> None:
        self.moves_count += 1
        if edge > window.edge:
            total, bad, marked = self._buckets.total(window.edge, edge, self._excluded)
            window.total -= total
            window.bad -= bad
            window.marked -= marked
        else:
            total, bad, marked = self._buckets.total(edge, window.edge, self._excluded)
            window.total += total
            window.bad += bad
            window.marked += marked
        window.edge = edge

    def compact(self, now: int, keep_from: int) -> None:
        """Merge what is old into coarser buckets and forget what ended before `keep_from`; no sum changes."""
        self.advance(now)  # an edge that stayed behind would lie inside a merged bucket, and lose it
        # Round the clock whole hours, and the buckets of windows, hold the same however they are merged.
        self._past_version += self._buckets.forget_before(keep_from) or not self.hours.is_always
        self._buckets.settle(now)

    @property
    def held_count(self) -> int:
        """All that its buckets hold, whatever windows reach back to."""
        return self._buckets.held_count + self.open_total

    def compact_hourly(self, now: int, keep_from: int) -> None:
        """Compact, where that was not done in this hour."""
        if floor_to(self._buckets.settled_at, COARSE_MS) < floor_to(now, COARSE_MS):
            self.compact(now, keep_from)

    def cut(self, at: int, now: int) -> None:
        """From now on no bucket reaches across `at`; one that already holds data on both sides stays whole."""
        cuts = self._buckets.cuts
        index = bisect_left(cuts, at)
        if index == len(cuts) or cuts[index] != at:
            cuts.insert(index, at)
            if self.open_start < at < self.open_end and at >= now:
                self.open_end = at

    # -- exclusions

    @property
    def excluded(self) -> Sequence[Interval]:
        """The excluded time, disjoint, widened to the buckets that an edge falls inside of."""
        return self._excluded

    def widened(self, interval: Interval) -> Interval:
        """An exclusion as this ledger can apply it: an edge inside a bucket moves out to the bucket's own."""
        start, end = interval
        first, last = self._holding(start), self._holding(end)
        return start if first is None else first[0], end if last is None or last[0] == end else last[1]

    def _holding(self, at: int) -> Interval | None:
        if self.open_start <= at < self.open_end:
            return self.open_start, self.open_end
        found = self._buckets.holding(at)
        return None if found is None else (found.start, found.end)

    def exclude(self, intervals: Iterable[Interval], now: int) -> None:
        """Leave exactly these exclusions out of every sum; no bucket will be merged across their edges."""
        wanted = merged(self.widened(interval) for interval in intervals)
        for edge in (edge for interval in wanted for edge in interval):
            self.cut(edge, now)
        if wanted != self._excluded:
            self._excluded = wanted
            self.recount()

    def recount(self) -> None:
        """Make all sums anew from the buckets."""
        self._past_version += 1
        self.moves_count += 1
        self.open_excluded = overlaps(self._excluded, self.open_start, self.open_end)
        windows = sorted(self.windows.values(), key=attrgetter("edge"), reverse=True)
        sums = self._buckets.totals_since((window.edge for window in windows), self._excluded)
        for window, (total, bad, marked) in zip(windows, sums, strict=True):
            window.total, window.bad, window.marked = total, bad, marked

    def watch(self, spans: Iterable[Span], now: int) -> None:
        """Keep sums for these windows, and for no others."""
        self.windows = {span: WindowSum() for span in spans}
        if now >= self.open_end:
            self._close()
        for span, window in self.windows.items():
            window.edge, window.stays_until = self._edge(span, now)
        self.next_edge_at = floor_to(now, FINE_MS) + FINE_MS
        self.recount()

    def _edge(self, span: Span, now: int) -> tuple[int, int]:
        """Where a window begins, and until when that holds; 0 where it may move at any minute."""
        if not isinstance(span, int):
            return period_at(span, now)[:2]
        if not self.hours.is_always:
            return self.edge(span, now), 0
        return rolling(span, now)

    # -- reading

    def sums(self, window: WindowSum) -> tuple[int, int]:
        """Total and bad of a window, the open bucket as far as it has come (the short form of `read`)."""
        if self.open_start < window.edge or self.open_excluded:
            return window.total, window.bad
        return window.total + self.open_total, window.bad + self.open_bad

    def read(self, span: Span) -> Totals:
        """The sum of a window with the open bucket as far as it has come."""
        window = self.windows[span]
        if self.open_excluded or self.open_start < window.edge:
            return Totals(window.total, window.bad, window.marked)
        return Totals(window.total + self.open_total, window.bad + self.open_bad, window.marked + self.open_marked)

    def between(self, start: int, end: int, without: Sequence[Interval] | None = None) -> Totals:
        """The sum of the buckets that begin in [start, end), less those that touch `without` (None: its own)."""
        excluded = self._excluded if without is None else without
        total, bad, marked = self._buckets.total(start, end, excluded)
        if start <= self.open_start < end and not overlaps(excluded, self.open_start, self.open_end):
            return Totals(total + self.open_total, bad + self.open_bad, marked + self.open_marked)
        return Totals(total, bad, marked)

    def columns(self, start: int = 0) -> list[list[int]]:
        """Start, end, total, bad and marked of the buckets that begin at or after `start`, the open one last."""
        columns = self._buckets.columns(start)
        if start <= self.open_start < self.open_end:
            counts = (self.open_total, self.open_bad, self.open_marked)
            for column, value in zip(columns, (self.open_start, self.open_end, *counts), strict=True):
                column.append(value)
        return columns

    def rows(self, start: int = 0) -> list[Bucket]:
        """The same, row by row."""
        return list(map(Bucket, *self.columns(start)))

    @property
    def cuts(self) -> Sequence[int]:
        """The instants that no bucket reaches across, as far as they were known in time."""
        return self._buckets.cuts

    # -- state

    @property
    def cells(self) -> Sequence[Cell]:
        """The closed buckets by cell, of which all but the young one are written as segments."""
        return self._buckets.cells

    def to_json(self) -> dict[str, Any]:
        """What a head holds: the open bucket, those since the last whole hour, and which segments hold the others."""
        cells = self._buckets.cells
        young = next((cell.rows for cell in cells if cell.name.rank == YOUNG.rank), Loose())
        return {
            "open": [self.open_start, self.open_end, self.open_total, self.open_bad, self.open_marked],
            "young": [len(young), *(list(narrow([*column])) for column in young.columns(0, len(young)))],
            "segments": runs_of(cell for cell in cells if cell.name.rank != YOUNG.rank),
            "settled_at": self._buckets.settled_at,
            "cuts": self._buckets.cuts,
        }

    def load(self, body: Mapping[str, Any], segments: Iterable[Cell]) -> None:
        """Take back what `to_json` gave, and the cells of the segments that it names; `watch` must follow."""
        self.open_start, self.open_end, self.open_total, self.open_bad, self.open_marked = body["open"]
        count, *columns = body["young"]
        young = [Cell(CellName(YOUNG.rank, 0), Loose(wide(column, count) for column in columns))] if count else []
        self._buckets.load(body["settled_at"], body["cuts"], [*segments, *young])

"""The running sums of windows over a stream's buckets.

A window's sum is kept, not recomputed: a record adds to the open bucket alone, and a minute's edge moves each window
by what left it, so an evaluation costs the number of its tiers and not of its buckets. Excluded buckets stay in the
ledger and out of the sums, so that revoking an exclusion is exact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from sla.buckets import (
    COARSE_MS,
    FINE_FOR_MS,
    FINE_MS,
    MIDDLE_FOR_MS,
    MIDDLE_MS,
    Bucket,
    Buckets,
    Totals,
    rolling_edge,
    step_of,
)
from sla.catalogue import CalendarPeriod
from sla.intervals import Interval, merged, overlaps
from sla.periods import period_at
from sla.units import floor_to

Span = int | CalendarPeriod
"""What a window reaches back over: so many milliseconds, or to the start of the calendar period."""


class WindowSum:
    """The sum of the closed, not excluded buckets with `start >= edge`."""

    __slots__ = ("bad", "edge", "marked", "stays_until", "total")

    def __init__(self) -> None:
        self.edge = 0
        self.stays_until = 0
        self.total = 0
        self.bad = 0
        self.marked = 0


class Ledger:
    """Good and bad of one measure of a stream. The newest bucket is open and kept apart: nearly every record is its.

    An empty open bucket has `open_start == open_end`, the end of the last closed one.
    """

    __slots__ = (
        "_buckets",
        "_excluded",
        "compacted_at",
        "journal",
        "next_edge_at",
        "open_bad",
        "open_end",
        "open_excluded",
        "open_marked",
        "open_start",
        "open_total",
        "windows",
    )

    def __init__(self) -> None:
        self._buckets = Buckets()
        self._excluded: list[Interval] = []
        self.open_start = self.open_end = 0
        self.open_total = self.open_bad = self.open_marked = 0
        self.open_excluded = False
        self.next_edge_at = 0
        self.compacted_at = 0
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
        if not self.open_excluded:
            self._sum_up(bucket.start, bucket.total, bucket.bad, bucket.marked)
        self.open_start = self.open_end
        self.open_total = self.open_bad = self.open_marked = 0
        self.open_excluded = False

    def _sum_up(self, start: int, total: int, bad: int, marked: int) -> None:
        for window in self.windows.values():
            if start >= window.edge:
                window.total += total
                window.bad += bad
                window.marked += marked

    def _add_behind(self, at: int, total: int, bad: int, marked: int) -> None:
        index = self._buckets.hold(at, step_of(max(self.next_edge_at - at, 0)))
        bucket = self._buckets.at(index)
        room = -(-(bucket.end - bucket.start) // FINE_MS) - bucket.marked
        marked = min(marked, room)
        self._buckets.increase(index, total, bad, marked)
        if not overlaps(self._excluded, bucket.start, bucket.end):
            self._sum_up(bucket.start, total, bad, marked)

    # -- time

    def advance(self, now: int) -> None:
        """Move every window to `now`; due when `now >= next_edge_at`, since every edge lies on a whole minute."""
        if now >= self.open_end:
            self._close()
        for span, window in self.windows.items():
            if isinstance(span, int):
                self._move(window, rolling_edge(span, now))
            elif now >= window.stays_until:
                period = period_at(span, now)
                self._move(window, period.start)
                window.stays_until = period.end
        self.next_edge_at = floor_to(now, FINE_MS) + FINE_MS

    def _move(self, window: WindowSum, edge: int) -> None:
        if edge <= window.edge:
            return
        left = self._buckets.total(window.edge, edge, self._excluded)
        window.total -= left.total
        window.bad -= left.bad
        window.marked -= left.marked
        window.edge = edge

    def compact(self, now: int, keep_from: int) -> None:
        """Merge what is old into coarser buckets and forget what began before `keep_from`; no sum changes."""
        self._buckets.forget_before(keep_from)
        self._buckets.merge(floor_to(rolling_edge(MIDDLE_FOR_MS, now), COARSE_MS), COARSE_MS)
        self._buckets.merge(floor_to(rolling_edge(FINE_FOR_MS, now), MIDDLE_MS), MIDDLE_MS)
        self.compacted_at = floor_to(now, COARSE_MS)

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
        for bucket in self.rows():
            if bucket.start < start < bucket.end:
                start = bucket.start
            if bucket.start < end < bucket.end:
                end = bucket.end
        return start, end

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
        self.open_excluded = overlaps(self._excluded, self.open_start, self.open_end)
        for window in self.windows.values():
            window.total, window.bad, window.marked = self._buckets.total(window.edge, None, self._excluded)

    def watch(self, spans: Iterable[Span], now: int) -> None:
        """Keep sums for these windows, and for no others."""
        self.windows = {span: WindowSum() for span in spans}
        self.advance(now)
        self.recount()

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
        closed = self._buckets.total(start, end, excluded)
        if start <= self.open_start < end and not overlaps(excluded, self.open_start, self.open_end):
            return Totals(closed.total + self.open_total, closed.bad + self.open_bad, closed.marked + self.open_marked)
        return closed

    def by_hour(self, start: int) -> dict[int, tuple[int, int]]:
        """Total and bad by the hour they began in, from `start` on, without what is excluded."""
        hours = self._buckets.by_hour(start, self._excluded)
        if self.open_start < self.open_end and self.open_start >= start and not self.open_excluded:
            hour = floor_to(self.open_start, COARSE_MS)
            total, bad = hours.get(hour, (0, 0))
            hours[hour] = (total + self.open_total, bad + self.open_bad)
        return hours

    def rows(self, start: int = 0) -> list[Bucket]:
        """The buckets that begin at or after `start`, the open one last."""
        rows = self._buckets.rows(start)
        if self.open_start < self.open_end and self.open_start >= start:
            rows.append(Bucket(self.open_start, self.open_end, self.open_total, self.open_bad, self.open_marked))
        return rows

    @property
    def cuts(self) -> Sequence[int]:
        """The instants that no bucket reaches across, as far as they were known in time."""
        return self._buckets.cuts

    def load(self, rows: Iterable[Sequence[int]], cuts: Iterable[int]) -> None:
        """Take back what `rows()` and `cuts` gave; `watch` must follow."""
        self._buckets.cuts = list(cuts)
        for row in rows:
            self._close()
            self.open_start, self.open_end, self.open_total, self.open_bad, self.open_marked = row

"""Open time as intervals of UTC: round the clock, or a timetable unfolded.

A timetable is unfolded block by block, when first asked for, into intervals and their running sums. An instant then
costs one look-up, however far it is from another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from sla.intervals import Interval, clipped, length_ms, merged
from sla.units import DAY_MS, floor_to, from_epoch_ms, to_epoch_ms
from sla.working_time.timetable import Timetable

EARLIEST_AT: Final = 0  # a timetable is closed before 1970 and from 2101 on
LATEST_AT: Final = to_epoch_ms(datetime(2101, 1, 1, tzinfo=UTC))
_BLOCK_MS: Final = 128 * DAY_MS  # from 1970 to 2100 there are 374, some 10 MB at most
_REACH: Final = timedelta(days=4)  # a shift ends within 48 h of its day's start, in a zone less than a day off UTC


class RoundTheClock:
    """Every instant counts. A position is how much is open up to an instant; only their differences mean anything."""

    def position(self, at: int) -> int:
        """How much is open up to an instant."""
        return at

    def first_at(self, position: int) -> int | None:
        """The first instant at a position."""
        return position

    def last_at(self, position: int) -> int | None:
        """The last instant at a position."""
        return position

    def between(self, start: int, end: int) -> list[Interval]:
        """What of [start, end) is open."""
        return [(start, end)] if start < end else []


class Unfolded:
    """The open time of a timetable, with the questions of RoundTheClock.

    What has been unfolded is one row of open intervals without a hole, which grows at either end when asked beyond it.
    `_positions` are those of their starts. The row begins at position `_first_ms`, which is 0 until it grows at that
    end, and ends at `_last_ms`, so that a position stays what it is.
    """

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._from_at = self._to_at = EARLIEST_AT
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._positions: list[int] = []
        self._first_ms = self._last_ms = 0

    def position(self, at: int) -> int:
        """How much is open up to an instant."""
        if not self._from_at <= at < self._to_at:
            self._cover(at, at)
        place = bisect_right(self._starts, at) - 1
        if place < 0:
            return self._first_ms
        return self._positions[place] + min(at, self._ends[place]) - self._starts[place]

    def first_at(self, position: int) -> int | None:
        """The first instant at a position above that of any asked before; None if there is none."""
        while position > self._last_ms:
            if self._to_at >= LATEST_AT:
                return None
            self._append()
        place = bisect_left(self._positions, position) - 1
        return self._starts[place] + position - self._positions[place]

    def last_at(self, position: int) -> int | None:
        """The last instant at a position below that of any asked before; None if there is none."""
        while position < self._first_ms:
            if self._from_at <= EARLIEST_AT:
                return None
            self._prepend()
        place = bisect_right(self._positions, position) - 1
        return self._starts[place] + position - self._positions[place]

    def between(self, start: int, end: int) -> list[Interval]:
        """What of [start, end) is open: disjoint, in order, none touching the next."""
        self._cover(start, end)
        first, last = max(0, bisect_right(self._starts, start) - 1), bisect_left(self._starts, end)
        pieces = zip(self._starts[first:last], self._ends[first:last], strict=True)
        return clipped(pieces, start, end)

    def _cover(self, start: int, end: int) -> None:
        if self._from_at <= start and end < self._to_at:
            return
        if self._from_at == self._to_at:
            self._from_at = self._to_at = floor_to(min(max(start, EARLIEST_AT), LATEST_AT - 1), _BLOCK_MS)
        while start < self._from_at and self._from_at > EARLIEST_AT:
            self._prepend()
        while end >= self._to_at and self._to_at < LATEST_AT:
            self._append()

    def _append(self) -> None:
        start, self._to_at = self._to_at, min(self._to_at + _BLOCK_MS, LATEST_AT)
        for a, b in self._unfold(start, self._to_at):
            if self._ends and self._ends[-1] == a:
                self._ends[-1] = b
            else:
                self._positions.append(self._last_ms)
                self._starts.append(a)
                self._ends.append(b)
            self._last_ms += b - a

    def _prepend(self) -> None:
        end, self._from_at = self._from_at, max(self._from_at - _BLOCK_MS, EARLIEST_AT)
        earlier = self._unfold(self._from_at, end)
        self._first_ms -= length_ms(earlier)
        row = merged([*earlier, *zip(self._starts, self._ends, strict=True)])
        self._starts, self._ends = [a for a, _ in row], [b for _, b in row]
        self._positions = list(accumulate((b - a for a, b in row), initial=self._first_ms))[:-1]

    def _unfold(self, start: int, end: int) -> list[Interval]:
        first, last = from_epoch_ms(start).date() - _REACH, from_epoch_ms(end).date() + _REACH
        return self._timetable.open_between(first, last, start, end)

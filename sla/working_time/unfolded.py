"""Open time as intervals of UTC: round the clock, or a timetable unfolded.

A timetable is unfolded block by block, when first asked for, into intervals and their running sums. A question then
costs a look-up at each of its ends, however long the time between them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from sla.intervals import Interval, clipped, merged
from sla.units import DAY_MS, floor_to, from_epoch_ms, to_epoch_ms
from sla.working_time.timetable import Timetable

EARLIEST_AT: Final = 0  # a timetable is closed before 1970 and from 2101 on
LATEST_AT: Final = to_epoch_ms(datetime(2101, 1, 1, tzinfo=UTC))
_BLOCK_MS: Final = 128 * DAY_MS  # from 1970 to 2100 there are 374, some 10 MB at most
_REACH: Final = timedelta(days=4)  # a shift ends within 48 h of its day's start, in a zone less than a day off UTC


class RoundTheClock:
    """Every instant counts."""

    def open_ms(self, start: int, end: int) -> int:
        """How much of [start, end) is open, start <= end."""
        return end - start

    def after(self, start: int, span_ms: int) -> int | None:
        """The first instant by which `span_ms` have been open since `start`; `start` itself for none."""
        return start + span_ms

    def before(self, end: int, span_ms: int) -> int | None:
        """The last instant since which `span_ms` have been open at `end`; `end` itself for none."""
        return end - span_ms

    def between(self, start: int, end: int) -> list[Interval]:
        """What of [start, end) is open."""
        return [(start, end)] if start < end else []


class Unfolded:
    """The open time of a timetable, with the questions of RoundTheClock.

    What has been unfolded is one row of open intervals without a hole, which grows at either end when asked beyond it.
    `_before_ms` is how much is open in the row before each of them.
    """

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._from_at = self._to_at = EARLIEST_AT
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before_ms: list[int] = []

    def open_ms(self, start: int, end: int) -> int:
        """How much of [start, end) is open, start <= end."""
        self._cover(start, end)
        return self._until(end) - self._until(start)

    def after(self, start: int, span_ms: int) -> int | None:
        """The first instant by which `span_ms` have been open since `start`, None if there is none."""
        if span_ms <= 0:
            return start
        self._cover(start, start)
        wanted_ms = self._until(start) + span_ms
        while wanted_ms > self._total_ms():
            if self._to_at >= LATEST_AT:
                return None
            self._append()
        place = bisect_left(self._before_ms, wanted_ms) - 1
        return self._starts[place] + wanted_ms - self._before_ms[place]

    def before(self, end: int, span_ms: int) -> int | None:
        """The last instant since which `span_ms` have been open at `end`, None if there is none."""
        if span_ms <= 0:
            return end
        self._cover(end, end)
        while self._until(end) < span_ms:
            if self._from_at <= EARLIEST_AT:
                return None
            self._prepend()
        wanted_ms = self._until(end) - span_ms
        place = bisect_right(self._before_ms, wanted_ms) - 1
        return self._starts[place] + wanted_ms - self._before_ms[place]

    def between(self, start: int, end: int) -> list[Interval]:
        """What of [start, end) is open: disjoint, in order, none touching the next."""
        self._cover(start, end)
        first, last = max(0, bisect_right(self._starts, start) - 1), bisect_left(self._starts, end)
        pieces = zip(self._starts[first:last], self._ends[first:last], strict=True)
        return clipped(pieces, start, end)

    def _until(self, at: int) -> int:
        """How much is open from the row's beginning to an instant."""
        place = bisect_right(self._starts, at) - 1
        return 0 if place < 0 else self._before_ms[place] + min(at, self._ends[place]) - self._starts[place]

    def _total_ms(self) -> int:
        return self._before_ms[-1] + self._ends[-1] - self._starts[-1] if self._starts else 0

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
                self._before_ms.append(self._total_ms())
                self._starts.append(a)
                self._ends.append(b)

    def _prepend(self) -> None:
        end, self._from_at = self._from_at, max(self._from_at - _BLOCK_MS, EARLIEST_AT)
        row = merged([*self._unfold(self._from_at, end), *zip(self._starts, self._ends, strict=True)])
        self._starts, self._ends = [a for a, _ in row], [b for _, b in row]
        self._before_ms = list(accumulate((b - a for a, b in row), initial=0))[:-1]

    def _unfold(self, start: int, end: int) -> list[Interval]:
        first, last = from_epoch_ms(start).date() - _REACH, from_epoch_ms(end).date() + _REACH
        return self._timetable.open_between(first, last, start, end)

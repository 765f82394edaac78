"""Open time as intervals of UTC: round the clock, or a timetable unfolded.

A timetable is unfolded block by block, when first asked for, into intervals and their running sums. A question then
costs a look-up in the blocks at its ends and an addition for each block between.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple

from sla.intervals import Interval, merged
from sla.units import DAY_MS, from_epoch_ms, to_epoch_ms
from sla.working_time.timetable import Timetable

EARLIEST_AT: Final = 0  # a timetable is closed before 1970 and from 2101 on
LATEST_AT: Final = to_epoch_ms(datetime(2101, 1, 1, tzinfo=UTC))
_BLOCK_MS: Final = 128 * DAY_MS  # all of the 374 are kept: some 10 MB at most
_REACH: Final = timedelta(days=4)  # a shift ends within 48 h of its day's start, in a zone less than a day off UTC


class RoundTheClock:
    """Every instant counts."""

    def open_ms(self, start: int, end: int) -> int:
        """How much of [start, end) is open, start <= end."""
        return end - start

    def after(self, start: int, span_ms: int) -> int | None:
        """The first instant by which `span_ms` have been open since `start`; `start` itself for none."""
        return start + span_ms

    def between(self, start: int, end: int) -> list[Interval]:
        """What of [start, end) is open."""
        return [(start, end)] if start < end else []


class _Block(NamedTuple):
    """The open intervals of a block of time, and how much is open in the block before each of them."""

    starts: list[int]
    ends: list[int]
    before_ms: list[int]
    total_ms: int

    def until(self, at: int) -> int:
        """How much is open from the block's start to an instant in it."""
        place = bisect_right(self.starts, at) - 1
        return 0 if place < 0 else self.before_ms[place] + min(at, self.ends[place]) - self.starts[place]

    def when(self, open_ms: int) -> int:
        """The first instant by which so much is open: 0 < open_ms <= total_ms."""
        place = bisect_left(self.before_ms, open_ms) - 1
        return self.starts[place] + open_ms - self.before_ms[place]


class Unfolded:
    """The open time of a timetable, with the questions of RoundTheClock."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._blocks: dict[int, _Block] = {}

    def open_ms(self, start: int, end: int) -> int:
        """How much of [start, end) is open, start <= end."""
        start, end = _inside(start), _inside(end)
        first, last = start // _BLOCK_MS, end // _BLOCK_MS
        between_ms = sum(self._block(number).total_ms for number in range(first, last))
        return between_ms + self._block(last).until(end) - self._block(first).until(start)

    def after(self, start: int, span_ms: int) -> int | None:
        """The first instant by which `span_ms` have been open since `start`, None if there is none."""
        if span_ms <= 0:
            return start
        start = _inside(start)
        number = start // _BLOCK_MS
        left_ms = span_ms + self._block(number).until(start)
        while left_ms > self._block(number).total_ms:
            left_ms -= self._block(number).total_ms
            number += 1
            if number * _BLOCK_MS >= LATEST_AT:
                return None
        return self._block(number).when(left_ms)

    def between(self, start: int, end: int) -> list[Interval]:
        """What of [start, end) is open: disjoint, in order, none touching the next."""
        start, end = _inside(start), _inside(end)
        found: list[Interval] = []
        for number in range(start // _BLOCK_MS, -(-end // _BLOCK_MS)):
            block = self._block(number)
            first = max(0, bisect_right(block.starts, start) - 1)
            last = bisect_left(block.starts, end)
            pieces = zip(block.starts[first:last], block.ends[first:last], strict=True)
            found += [(max(a, start), min(b, end)) for a, b in pieces]
        return merged(found)

    def _block(self, number: int) -> _Block:
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = self._unfold(number)
        return block

    def _unfold(self, number: int) -> _Block:
        start, end = number * _BLOCK_MS, min((number + 1) * _BLOCK_MS, LATEST_AT)
        first, last = from_epoch_ms(start).date() - _REACH, from_epoch_ms(end).date() + _REACH
        intervals = self._timetable.open_between(first, last, start, end)
        sums_ms = list(accumulate((b - a for a, b in intervals), initial=0))
        return _Block([a for a, _ in intervals], [b for _, b in intervals], sums_ms[:-1], sums_ms[-1])


def _inside(at: int) -> int:
    return min(max(at, EARLIEST_AT), LATEST_AT)

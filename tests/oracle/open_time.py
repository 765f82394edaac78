"""The time that counts for an objective, as one list of open intervals: what windows, silence and slices go by."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, cached_property

from .definitions import DAY_MS, MINUTE_MS
from .hours import Hours
from .windows import Interval, bucket_ms, clip, floor_to, instant, length, rolling_start, without

YEAR_FROM = instant("2026-01-01T00:00:00Z")
YEAR_MS = 365 * DAY_MS
FOREVER = 1 << 60
LISTED = (instant("2024-01-01T00:00:00Z"), instant("2029-01-01T00:00:00Z"))  # no workload looks beyond these


class OpenTime:
    """A calendar's hours, all written out; without a calendar one interval."""

    def __init__(self, hours: Hours) -> None:
        self.is_always = hours.is_always
        self._hours = hours
        self._starts_of = cache(self._start_of)
        self.opens_in = cache(self._opens_in)

    @cached_property
    def _row(self) -> list[Interval]:
        return [(0, FOREVER)] if self.is_always else self._hours.counted(*LISTED, holes=[])

    @cached_property
    def _begins(self) -> list[int]:
        return [begin for begin, _ in self._row]

    def between(self, begin: int, end: int) -> list[Interval]:
        """What of [begin, end) is open."""
        if begin >= end:
            return []
        first = max(0, bisect_right(self._begins, begin) - 1)
        return clip(self._row[first : bisect_right(self._begins, end)], begin, end)

    def length(self, begin: int, end: int) -> int:
        return length(self.between(begin, end))

    def has(self, at: int) -> bool:
        return bool(self.between(at, at + 1))

    def _opens_in(self, begin: int, end: int) -> int | None:
        """The first open instant of [begin, end)."""
        return next((low for low, _ in self.between(begin, end)), None)

    @cached_property
    def year_share(self) -> tuple[int, int]:
        """How much of 365 days is open: those of 2026."""
        return self.length(YEAR_FROM, YEAR_FROM + YEAR_MS), YEAR_MS

    def after(self, begin: int, span_ms: int, holes: list[Interval]) -> int | None:
        """The first instant t at which `span_ms` of [begin, t) are open and lie outside the holes (a union)."""
        left_ms = span_ms
        for place in range(max(0, bisect_right(self._begins, begin) - 1), len(self._row)):
            opens_at, closes_at = self._row[place]
            for low, high in without((max(opens_at, begin), max(closes_at, begin)), holes):
                if high - low >= left_ms:
                    return low + left_ms
                left_ms -= high - low
        return None

    def before(self, end: int, span_ms: int) -> int:
        """The last instant since which `span_ms` are open up to the end; 0 if there was none."""
        left_ms = span_ms
        for opens_at, closes_at in reversed(self._row[: bisect_right(self._begins, end)]):
            low, high = opens_at, min(closes_at, end)
            if high - low >= left_ms:
                return high - left_ms
            left_ms -= high - low
        return 0

    def window_start(self, window_ms: int, now: int) -> int:
        """Where a rolling window begins. With a calendar: at the latest bucket edge s with counted(s, now) >= w."""
        if self.is_always:
            return rolling_start(window_ms, now)
        return self._starts_of(window_ms, floor_to(now, MINUTE_MS))

    def _start_of(self, window_ms: int, now: int) -> int:
        left_ms = window_ms
        for low, end in reversed(self._row[: bisect_right(self._begins, now)]):
            high = min(end, now)
            if high - low >= left_ms:
                since = high - left_ms
                edge = floor_to(since, bucket_ms(max(window_ms, now - since)))
                return max(low, edge)  # buckets end where the hours do, and begin with them
            left_ms -= high - low
        return 0


ALWAYS = OpenTime(Hours(None))

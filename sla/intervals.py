"""Half-open intervals of instants, [from, to): the arithmetic of time that counts and time that does not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import itemgetter
from typing import Final

Interval = tuple[int, int]

_END: Final = itemgetter(1)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The union as disjoint intervals in order; empty ones vanish."""
    result: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def clipped(intervals: Iterable[Interval], start: int, end: int) -> list[Interval]:
    """What of the intervals lies in [start, end)."""
    return [(max(a, start), min(b, end)) for a, b in intervals if a < end and b > start and max(a, start) < min(b, end)]


def since_then(intervals: tuple[Interval, ...], start: int) -> tuple[Interval, ...]:
    """What of disjoint intervals in order lies after an instant."""
    left = intervals[bisect_right(intervals, start, key=_END) :]
    return ((start, left[0][1]), *left[1:]) if left and left[0][0] < start else left


def without(intervals: Iterable[Interval], holes: Sequence[Interval]) -> list[Interval]:
    """What of disjoint intervals in order lies in none of the holes, which are disjoint and in order too."""
    result: list[Interval] = []
    place = 0
    for start, end in intervals:
        while place < len(holes) and holes[place][1] <= start:
            place += 1
        at = start
        for a, b in islice(holes, place, None):
            if a >= end:
                break
            if a > at:
                result.append((at, a))
            at = max(at, b)
        if at < end:
            result.append((at, end))
    return result


def length_ms(intervals: Iterable[Interval]) -> int:
    """The total length of disjoint intervals."""
    return sum(end - start for start, end in intervals)


def counted_ms(start: int, end: int, uncounted: Sequence[Interval]) -> int:
    """How much of [start, end) counts, `uncounted` being disjoint."""
    if end <= start:
        return 0
    if not uncounted:
        return end - start
    return end - start - length_ms(clipped(uncounted, start, end))


def overlaps(intervals: Sequence[Interval], start: int, end: int) -> bool:
    """Whether any of the intervals has an instant in [start, end)."""
    return any(a < end and b > start for a, b in intervals)


def first_ms(intervals: Iterable[Interval], limit_ms: int) -> list[Interval]:
    """The earliest `limit_ms` of disjoint intervals in order."""
    result: list[Interval] = []
    left = limit_ms
    for start, end in intervals:
        if left <= 0:
            break
        taken = min(end - start, left)
        result.append((start, start + taken))
        left -= taken
    return result

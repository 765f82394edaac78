"""Loaded history: totals of a stretch, spread over its whole minutes by cumulative floors (semantics.md 1, Late)."""

from __future__ import annotations

from collections.abc import Iterator

from sla.intervals import Interval
from sla.records import History
from sla.units import MINUTE_MS, ceil_to, floor_to


def bounds_of(record: History) -> Interval:
    """The whole minutes of a stretch; one shorter than that is the minute it begins in."""
    start, end = ceil_to(record.from_at, MINUTE_MS), floor_to(record.to_at, MINUTE_MS)
    if end > start:
        return start, end
    return floor_to(record.from_at, MINUTE_MS), floor_to(record.from_at, MINUTE_MS) + MINUTE_MS


def minutes_of(record: History, since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """(at, good, bad) of each minute from `since` on and before `until`, both whole minutes of the stretch."""
    start, end = bounds_of(record)
    for at in range(since, until, MINUTE_MS):
        yield at, _share(record.good, at, start, end), _share(record.bad, at, start, end)


def _share(count: int, at: int, start: int, end: int) -> int:
    return count * (at + MINUTE_MS - start) // (end - start) - count * (at - start) // (end - start)

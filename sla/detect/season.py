"""What a forecast takes from a ledger's past: it changes by the hour, and is worked out as seldom.

Kept in memory beside the account and never stored. Each part goes by all that it was made from, so that it is
the same whenever it is made: after a restart, in a replay, or minutes earlier.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from sla.buckets import Bucket, Totals
from sla.forecast import HOURS_PER_DAY, Day, Pace
from sla.ledger import Ledger
from sla.past import Past
from sla.reach import edge_and_stay
from sla.units import HOUR_MS, floor_to
from sla.working_time import WorkingTime


class Leaving(NamedTuple):
    """What will have left a rolling window at the end of each hour ahead, and from which of them on it is full."""

    totals: Sequence[int]
    bads: Sequence[int]
    full_from: int


class _Edges(NamedTuple):
    """Where the window will begin, and what of it lies in the past; `live` are the edges that lie in this hour."""

    key: object
    made_at: int
    stays_ms: int
    past: Leaving
    behind: Pace  # between the window's edge and this hour
    live: list[int]


class Season:
    """The past days and the leaving of one window of a ledger."""

    __slots__ = ("_days", "_edges", "_ledger")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._days: tuple[object, list[Day]] | None = None
        self._edges: _Edges | None = None

    def days(self, at: int, count: int) -> list[Day]:
        """The past days, the last one first: 24 hours each that count, the first of them as long ago as the day is."""
        this_hour = floor_to(at, HOUR_MS)
        key = (this_hour, count, self._ledger.past(this_hour))
        if self._days is None or self._days[0] != key:
            self._days = key, self._find_days(this_hour, count)
        return self._days[1]

    def _find_days(self, this_hour: int, count: int) -> list[Day]:
        hours = self._ledger.hours
        backs = range(count * HOURS_PER_DAY, -1, -1)
        edges = [hours.before(this_hour, back * HOUR_MS) or 0 for back in backs]
        past = self._past(edges[0], this_hour)
        sums = [past.between(start, end) for start, end in pairwise(edges)]
        parts = [sums[first : first + HOURS_PER_DAY] for first in range(0, len(sums), HOURS_PER_DAY)]
        return [_day(part) for part in reversed(parts)]

    def leaving(self, window_ms: int, edge: int, at: int, first_at: int) -> Leaving:
        """What leaves a window that now begins at `edge`; it is full once it begins at or after `first_at`."""
        this_hour = floor_to(at, HOUR_MS)
        key = (this_hour, window_ms, edge, first_at, self._ledger.past(this_hour))
        edges, hours = self._edges, self._ledger.hours
        if (
            edges is None
            or edges.key != key
            or at < edges.made_at
            or hours.elapsed_ms(edges.made_at, at) >= edges.stays_ms
        ):
            edges = self._edges = self._find_edges(key, window_ms, edge, at, first_at)
        if not edges.live:
            return edges.past
        begun = max(this_hour, edge)
        live = [self._ledger.between(begun, until) for until in edges.live]
        totals = [*edges.past.totals, *(edges.behind.total + more.total for more in live)]
        bads = [*edges.past.bads, *(edges.behind.bad + more.bad for more in live)]
        return Leaving(totals, bads, edges.past.full_from)

    def _find_edges(self, key: object, window_ms: int, edge: int, at: int, first_at: int) -> _Edges:
        this_hour, hours = floor_to(at, HOUR_MS), self._ledger.hours
        ahead = [ahead_of(hours, at, (k + 1) * HOUR_MS) for k in range(max(1, window_ms // HOUR_MS))]
        reached = [edge_and_stay(hours, window_ms, each) for each in ahead]
        untils = [until for until, _ in reached]
        past = self._past(min(edge, untils[0]), this_hour)
        old = untils[: bisect_left(untils, this_hour + 1)]
        gone = [past.between(edge, until) for until in old]
        left = Leaving(
            _packed(sums.total for sums in gone), _packed(sums.bad for sums in gone), bisect_left(untils, first_at)
        )
        stays = min(stays for _, stays in reached)
        behind = past.between(edge, max(edge, this_hour))
        return _Edges(key, at, stays, left, Pace(behind.total, behind.bad), untils[len(old) :])

    def _past(self, start: int, end: int) -> Past:
        return Past(_before(self._ledger.rows(start), end), self._ledger.excluded)


def _before(rows: list[Bucket], end: int) -> list[Bucket]:
    while rows and rows[-1].start >= end:
        rows.pop()
    return rows


def _day(sums: Sequence[Totals]) -> Day:
    totals, bads = [each.total for each in sums], [each.bad for each in sums]
    return Day(_packed(totals), _packed(bads), Pace(sum(totals), sum(bads)))


def _packed(values: Iterable[int]) -> Sequence[int]:
    """The same in a quarter of the space, where each is below 2^63; thousands of objectives keep their past."""
    found = list(values)
    try:
        return array("q", found)
    except OverflowError:
        return found


def ahead_of(hours: WorkingTime, at: int, counted_ms: int) -> int:
    """When so much more time will have counted."""
    found = hours.after(at, counted_ms)
    return at + counted_ms if found is None else found

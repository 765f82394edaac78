"""What a forecast takes from a ledger's past: it changes by the hour, and is worked out as seldom.

Kept in memory beside the measure and never stored. Each part goes by all that it was made from, so that it is
the same whenever it is made: after a restart, in a replay, or minutes earlier.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import sub
from typing import NamedTuple

from sla.forecast import HOURS_PER_DAY, Day, Pace
from sla.ledger import Ledger
from sla.past import Past
from sla.reach import edges_ahead
from sla.units import HOUR_MS, floor_to


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
    """The past days of a ledger, and the leaving of each of its windows; objectives on one ledger share it."""

    __slots__ = ("_days", "_edges", "_ledger", "_past")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._days: tuple[object, list[Day]] | None = None
        self._edges: dict[int, _Edges] = {}  # by length of the window
        self._past: tuple[object, Past] | None = None

    def let_go(self) -> None:
        """Drop what only shortens the work of one decision: all that was counted, ten times as large as the rest."""
        self._past = None

    def rest(self) -> None:
        """Drop all, when the hour is over that it was made for."""
        self._days = self._past = None
        self._edges.clear()

    def days(self, at: int, count: int) -> list[Day]:
        """The past days, the last one first: 24 hours each that count, the first of them as long ago as the day is."""
        this_hour = floor_to(at, HOUR_MS)
        key = (this_hour, count, self._ledger.past(this_hour))
        if self._days is None or self._days[0] != key:
            self._days = key, self._find_days(this_hour, count)
        return self._days[1]

    def _find_days(self, this_hour: int, count: int) -> list[Day]:
        before = self._ledger.hours.before
        backs = range(count * HOURS_PER_DAY, -1, -1)
        totals, bads = self._past_until(this_hour).before(before(this_hour, back * HOUR_MS) or 0 for back in backs)
        return [
            Day(
                _packed(map(sub, totals[start + 1 : start + 1 + HOURS_PER_DAY], totals[start:])),
                _packed(map(sub, bads[start + 1 : start + 1 + HOURS_PER_DAY], bads[start:])),
                Pace(totals[start + HOURS_PER_DAY] - totals[start], bads[start + HOURS_PER_DAY] - bads[start]),
            )
            for start in range((count - 1) * HOURS_PER_DAY, -1, -HOURS_PER_DAY)
        ]

    def leaving(self, window_ms: int, edge: int, at: int, first_at: int) -> Leaving:
        """What leaves a window that now begins at `edge`; it is full once it begins at or after `first_at`."""
        this_hour = floor_to(at, HOUR_MS)
        key = (this_hour, edge, first_at, self._ledger.past(this_hour))
        edges, hours = self._edges.get(window_ms), self._ledger.hours
        if (
            edges is None
            or edges.key != key
            or at < edges.made_at
            or hours.elapsed_ms(edges.made_at, at) >= edges.stays_ms
        ):
            edges = self._edges[window_ms] = self._find_edges(key, window_ms, edge, at, first_at)
        if not edges.live:
            return edges.past
        begun = max(this_hour, edge)
        live = [self._ledger.between(begun, until) for until in edges.live]
        totals = [*edges.past.totals, *(edges.behind.total + more.total for more in live)]
        bads = [*edges.past.bads, *(edges.behind.bad + more.bad for more in live)]
        return Leaving(totals, bads, edges.past.full_from)

    def _find_edges(self, key: object, window_ms: int, edge: int, at: int, first_at: int) -> _Edges:
        this_hour = floor_to(at, HOUR_MS)
        untils, stays_ms = edges_ahead(self._ledger.hours, window_ms, at, max(1, window_ms // HOUR_MS))
        old_count = bisect_left(untils, this_hour + 1)
        until_now = max(edge, this_hour)
        totals, bads = self._past_until(this_hour).before([edge, until_now, *untils[:old_count]])
        gone_totals, gone_bads = [total - totals[0] for total in totals], [bad - bads[0] for bad in bads]
        left = Leaving(_packed(gone_totals[2:]), _packed(gone_bads[2:]), bisect_left(untils, first_at))
        return _Edges(key, at, stays_ms, left, Pace(gone_totals[1], gone_bads[1]), untils[old_count:])

    def _past_until(self, this_hour: int) -> Past:
        """All that began before an hour."""
        key = (this_hour, self._ledger.past(this_hour))
        if self._past is None or self._past[0] != key:
            columns = self._ledger.columns()
            count = bisect_left(columns[0], this_hour)
            self._past = key, Past([column[:count] for column in columns], self._ledger.excluded)
        return self._past[1]


def _packed(values: Iterable[int]) -> Sequence[int]:
    """The same in an eighth of the space, where each is below 2^32; thousands of streams keep their past."""
    found = list(values)
    largest = max(found, default=0)
    return array("I" if largest < 1 << 32 else "Q", found) if largest < 1 << 64 else found

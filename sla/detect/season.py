"""What a forecast takes from a ledger's past: it changes by the hour, and is worked out as seldom.

Kept in memory beside the measure and never stored. Each part goes by all that it was made from, so that it is
the same whenever it is made: after a restart, in a replay, or minutes earlier.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import sub
from typing import NamedTuple, overload

from sla.forecast import HOURS_PER_DAY, Day, Pace
from sla.ledger import Ledger
from sla.past import Past, packed
from sla.reach import edges_ahead
from sla.units import HOUR_MS, floor_to


class Leaving(NamedTuple):
    """What will have left a rolling window at the end of each hour ahead, and from which of them on it is full."""

    totals: Sequence[int]
    bads: Sequence[int]
    full_from: int


class _Gone(Sequence[int]):
    """Running sums of the past, then of this hour, less what they were at a window's edge.

    Found when asked, since most walks look at a few hours alone. No place is negative.
    """

    __slots__ = ("_at_edge", "_live", "_past")

    def __init__(self, at_edge: int, past: Sequence[int], live: Sequence[int]) -> None:
        self._at_edge = at_edge
        self._past = past
        self._live = live

    def __len__(self) -> int:
        return len(self._past) + len(self._live)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> list[int]: ...
    def __getitem__(self, place: int | slice) -> int | list[int]:
        past_count = len(self._past)
        if isinstance(place, slice):
            start, stop, _ = place.indices(len(self))
            live = self._live[max(0, start - past_count) : max(0, stop - past_count)]
            return [each - self._at_edge for each in (*self._past[start:stop], *live)]
        return (self._past[place] if place < past_count else self._live[place - past_count]) - self._at_edge


class _Edges(NamedTuple):
    """Where the window will begin, and the past's running sums there; `live` are the edges that lie in this hour."""

    key: object
    made_at: int
    stays_ms: int
    at_edge: Pace  # where the window begins now
    at_hour: Pace  # where what it holds of this hour begins
    totals: Sequence[int]
    bads: Sequence[int]
    live: Sequence[int]
    full_from: int


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
        totals, bads = self._past_until(this_hour).before(self._hours_back(this_hour, count * HOURS_PER_DAY))
        each_total, each_bad = packed(map(sub, totals[1:], totals)), packed(map(sub, bads[1:], bads))
        return [
            Day(
                each_total[start : start + HOURS_PER_DAY],
                each_bad[start : start + HOURS_PER_DAY],
                Pace(totals[start + HOURS_PER_DAY] - totals[start], bads[start + HOURS_PER_DAY] - bads[start]),
            )
            for start in range((count - 1) * HOURS_PER_DAY, -1, -HOURS_PER_DAY)
        ]

    def _hours_back(self, this_hour: int, count: int) -> Sequence[int]:
        """The edges of so many hours that count, up to one that is a whole hour."""
        hours = self._ledger.hours
        if hours.is_always:
            return range(this_hour - count * HOUR_MS, this_hour + 1, HOUR_MS)
        return [hours.before(this_hour, back * HOUR_MS) or 0 for back in range(count, -1, -1)]

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
        begun, at_edge, at_hour = max(this_hour, edge), edges.at_edge, edges.at_hour
        live = [self._ledger.between(begun, until) for until in edges.live]
        return Leaving(
            _Gone(at_edge.total, edges.totals, [at_hour.total + more.total for more in live]),
            _Gone(at_edge.bad, edges.bads, [at_hour.bad + more.bad for more in live]),
            edges.full_from,
        )

    def _find_edges(self, key: object, window_ms: int, edge: int, at: int, first_at: int) -> _Edges:
        this_hour = floor_to(at, HOUR_MS)
        untils, stays_ms = edges_ahead(self._ledger.hours, window_ms, at, max(1, window_ms // HOUR_MS))
        old_count = bisect_left(untils, this_hour + 1)
        past = self._past_until(this_hour)
        at_edge, at_hour = map(Pace, *past.before([edge, max(edge, this_hour)]))
        totals, bads = past.before(untils[:old_count])
        full_from = bisect_left(untils, first_at)
        return _Edges(key, at, stays_ms, at_edge, at_hour, totals, bads, untils[old_count:], full_from)

    def _past_until(self, this_hour: int) -> Past:
        """All that began before an hour."""
        key = (this_hour, self._ledger.past(this_hour))
        if self._past is None or self._past[0] != key:
            columns = self._ledger.columns()
            count = bisect_left(columns[0], this_hour)
            self._past = key, Past([column[:count] for column in columns], self._ledger.excluded)
        return self._past[1]

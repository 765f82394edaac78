"""What a forecast takes from a ledger's past: it changes by the hour, and is worked out as seldom.

Kept in memory beside the measure and never stored. Each part goes by all that it was made from, so that it is
the same whenever it is made: after a restart, in a replay, or minutes earlier. Round the clock the sums at whole hours
are the same when buckets are merged, and go on from hour to hour; with a calendar they are found anew in each.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from operator import sub
from typing import NamedTuple, overload

from sla.buckets import Totals
from sla.forecast import (
    DAYS_LEAST,
    HOURS_MAX,
    HOURS_PER_DAY,
    Day,
    Days,
    Pace,
    Scenarios,
    days_of,
    of_days,
    of_hours,
)
from sla.ledger import Ledger
from sla.past import Past, Sums, packed
from sla.reach import ahead_of, edges_ahead
from sla.units import HOUR_MS, floor_to


class Leaving(NamedTuple):
    """What will have left a rolling window at the end of each hour ahead, and from which of them on it is full."""

    totals: Sequence[int]
    bads: Sequence[int]
    full_from: int


class _Live:
    """The sums of this hour from an instant up to each of some others, found when they are asked for."""

    __slots__ = ("_found", "_ledger", "_since", "_untils")

    def __init__(self, ledger: Ledger, since: int, untils: Sequence[int]) -> None:
        self._ledger = ledger
        self._since = since
        self._untils = untils
        self._found: list[Totals] | None = None

    def sums(self) -> list[Totals]:
        """In the order of the instants."""
        if self._found is None:
            self._found = [self._ledger.between(self._since, until) for until in self._untils]
        return self._found


class _Gone(Sequence[int]):
    """Running sums of the past, then of this hour, less what they were at a window's edge.

    Found when asked, since most walks look at a few hours alone, and few at this one. No place is negative.
    """

    __slots__ = ("_at_edge", "_at_hour", "_column", "_count", "_live", "_past")

    def __init__(self, column: int, edges: _Edges, live: _Live) -> None:
        """`column` is 0 for totals, 1 for bads."""
        self._column = column
        self._at_edge = edges.at_edge[column]
        self._at_hour = edges.at_hour[column]
        self._past = edges.past[column]
        self._live = live
        self._count = len(self._past) + len(edges.live)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> list[int]: ...
    def __getitem__(self, place: int | slice) -> int | list[int]:
        past, at_edge = self._past, self._at_edge
        if not isinstance(place, slice):
            return (past[place] if place < len(past) else self._at_live(place)) - at_edge
        start, stop, _ = place.indices(self._count)
        live = [self._at_live(each) for each in range(max(start, len(past)), stop)]
        return [each - at_edge for each in (*past[start:stop], *live)]

    def _at_live(self, place: int) -> int:
        return self._at_hour + self._live.sums()[place - len(self._past)][self._column]


class _Edges(NamedTuple):
    """Where the window will begin, and the past's running sums there; `live` are the edges that lie in this hour."""

    key: Hashable
    made_at: int
    stays_until: int
    at_edge: Pace  # where the window begins now
    at_hour: Pace  # where what it holds of this hour begins
    past: Sums
    live: Sequence[int]
    full_from: int


class _Hours(NamedTuple):
    """Running sums of all that began before each of some whole hours in a row, as long as the past is what it was."""

    past: Hashable
    instants: range
    totals: Sequence[int]
    bads: Sequence[int]


class Season:
    """The past days of a ledger, and the leaving of each of its windows; objectives on one ledger share it."""

    __slots__ = ("_days", "_edges", "_hours", "_ledger", "_past", "_scenarios")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._days: tuple[tuple[int, int, object], Days] | None = None
        self._edges: dict[int, _Edges] = {}  # by length of the window
        self._hours: _Hours | None = None
        self._past: tuple[object, Past] | None = None
        self._scenarios: tuple[object, Scenarios] | None = None

    def let_go(self) -> None:
        """Drop what only shortens the work of one decision: all that was counted, ten times as large as the rest."""
        self._past = self._scenarios = None

    def rest(self, now: int) -> None:
        """When an hour is over, drop all that was made for it; its sums go on if anybody asked for them."""
        self.let_go()
        self._days = None
        self._edges.clear()
        if self._hours is not None and self._hours.instants[-1] + HOUR_MS < floor_to(now, HOUR_MS):
            self._hours = None

    def scenarios(self, first_at: int, at: int) -> Scenarios:
        """How it may go on from the present hour, where the first was seen at an instant before."""
        ledger = self._ledger
        key = (first_at, at, ledger.moves_count, ledger.open_total, ledger.open_bad)
        if self._scenarios is None or self._scenarios[0] != key:
            self._scenarios = key, self._find_scenarios(first_at, at)
        return self._scenarios[1]

    def _find_scenarios(self, first_at: int, at: int) -> Scenarios:
        hour = self._ledger.read(HOUR_MS)
        present = Pace(hour.total, hour.bad)
        days = self.days_seen(first_at, at)
        if days is not None:
            return of_days(present, days)
        return of_hours(present, [present, *self._last_hours(first_at, at)])

    def _last_hours(self, first_at: int, at: int) -> Iterator[Pace]:
        """The hours before this one that were seen, the last one first, as far as they are looked at."""
        until = self._ledger.edge(HOUR_MS, at)
        for _ in range(1, HOURS_MAX):
            start = self._ledger.hours.before(until, HOUR_MS)
            if start is None or start < first_at:
                return
            sums = self._ledger.between(start, until)
            yield Pace(sums.total, sums.bad)
            until = start

    def knows_days(self, at: int) -> bool:
        """Whether the past days were worked out in the hour of an instant."""
        return self._days is not None and self._days[0][0] == floor_to(at, HOUR_MS)

    def days_seen(self, first_at: int, at: int) -> Days | None:
        """Those since a stream was seen first; None where they are too few to learn from."""
        count = days_of(self._ledger.hours.elapsed_ms(first_at, floor_to(at, HOUR_MS)))
        return self.days(at, count) if count >= DAYS_LEAST else None

    def days(self, at: int, count: int) -> Days:
        """The past days, the last one first: 24 hours each that count, the first of them as long ago as the day is."""
        this_hour = floor_to(at, HOUR_MS)
        key = (this_hour, count, self._ledger.past(this_hour))
        if self._days is None or self._days[0] != key:
            self._days = key, Days(self._find_days(this_hour, count))
        return self._days[1]

    def _find_days(self, this_hour: int, count: int) -> list[Day]:
        totals, bads = self._before(self._hours_back(this_hour, count * HOURS_PER_DAY), this_hour)
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
        edges = self._edges.get(window_ms)
        if edges is None or edges.key != key or not edges.made_at <= at < edges.stays_until:
            edges = self._edges[window_ms] = self._find_edges(key, window_ms, edge, at, first_at)
        live = _Live(self._ledger, max(this_hour, edge), edges.live)
        return Leaving(_Gone(0, edges, live), _Gone(1, edges, live), edges.full_from)

    def _find_edges(self, key: object, window_ms: int, edge: int, at: int, first_at: int) -> _Edges:
        this_hour = floor_to(at, HOUR_MS)
        untils, stays_ms = edges_ahead(self._ledger.hours, window_ms, at, max(1, window_ms // HOUR_MS))
        stays_until = ahead_of(self._ledger.hours, at, stays_ms)
        old_count = bisect_left(untils, this_hour + 1)
        at_edge, at_hour = self._pace_before(edge, this_hour), self._pace_before(max(edge, this_hour), this_hour)
        past = self._before(untils[:old_count], this_hour)
        full_from = bisect_left(untils, first_at)
        return _Edges(key, at, stays_until, at_edge, at_hour, past, untils[old_count:], full_from)

    def _pace_before(self, at: int, this_hour: int) -> Pace:
        (total,), (bad,) = self._before(range(at, at + 1, HOUR_MS), this_hour)
        return Pace(total, bad)

    def _before(self, instants: Sequence[int], this_hour: int) -> Sums:
        """Total and bad of all that began before this hour and before each of many instants."""
        if isinstance(instants, range) and instants.start % HOUR_MS == 0 and self._ledger.hours.is_always:
            return self._before_hours(instants, this_hour)
        return self._past_until(this_hour).before(instants)

    def _before_hours(self, instants: range, this_hour: int) -> Sums:
        """The same for whole hours in a row, each found once: day by day nearly the same ones are asked for."""
        known, past = self._hours, self._ledger.past(this_hour)
        if known is None or known.past != past or instants.start < known.instants.start:
            start = min(instants.start, this_hour if known is None else known.instants.start)
            hours = range(start, this_hour + 1, HOUR_MS)
            known = self._hours = _Hours(past, hours, *self._past_until(this_hour).before(hours))
        elif known.instants.stop <= this_hour:
            known = self._hours = self._gone_on(known, this_hour)
        first = (instants.start - known.instants.start) // HOUR_MS
        last = first + len(instants)
        return known.totals[first:last], known.bads[first:last]

    def _gone_on(self, known: _Hours, this_hour: int) -> _Hours:
        """With the hours that have passed since, and as many the fewer at the other end."""
        totals, bads = [*known.totals], [*known.bads]
        for start in range(known.instants[-1], this_hour, HOUR_MS):
            more = self._ledger.between(start, start + HOUR_MS)
            totals.append(totals[-1] + more.total)
            bads.append(bads[-1] + more.bad)
        count = len(known.instants)
        hours = range(this_hour - (count - 1) * HOUR_MS, this_hour + 1, HOUR_MS)
        return _Hours(known.past, hours, packed(totals[-count:]), packed(bads[-count:]))

    def _past_until(self, this_hour: int) -> Past:
        """All that began before an hour."""
        key = (this_hour, self._ledger.past(this_hour))
        if self._past is None or self._past[0] != key:
            columns = self._ledger.columns()
            count = bisect_left(columns[0], this_hour)
            self._past = key, Past([column[:count] for column in columns], self._ledger.excluded)
        return self._past[1]

"""Working time by lists: what a calendar opens, day by day, as intervals; elapsed and deadline by walking them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from .definitions import DAY_MS
from .windows import EPOCH, Interval, clip, length, to_ms, union, without

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD_DAYS = 90  # no target of the workloads lies further ahead


class Hours:
    """A Calendar document; None is round the clock."""

    def __init__(self, document: dict[str, Any] | None) -> None:
        self._spec = None if document is None else document["spec"]
        self._opened = cache(self._opened_on)

    def counted(self, begin: int, end: int, holes: list[Interval]) -> list[Interval]:
        """What counts of [begin, end): open, and in no hole."""
        apart = union(holes)
        return [left for each in clip(self._open(begin, end), begin, end) for left in without(each, apart)]

    def elapsed_ms(self, begin: int, end: int, holes: list[Interval]) -> int:
        return length(self.counted(begin, end, holes)) if begin < end else 0

    def reached(self, begin: int, span_ms: int, holes: list[Interval]) -> int | None:
        """The first instant at which so much has counted since `begin`; None beyond the days looked at."""
        if span_ms <= 0:
            return begin
        for low, high in self.counted(begin, begin + AHEAD_DAYS * DAY_MS, holes):
            if high - low >= span_ms:
                return low + span_ms
            span_ms -= high - low
        return None

    @property
    def is_always(self) -> bool:
        return self._spec is None

    def _open(self, begin: int, end: int) -> list[Interval]:
        if self._spec is None:
            return [(begin, end)]
        first = (EPOCH + timedelta(milliseconds=begin)).date() - timedelta(days=2)
        count = (end - begin) // DAY_MS + 5
        return union([each for step in range(count) for each in self._opened(first + timedelta(days=step))])

    def _opened_on(self, day: date) -> list[Interval]:
        """The shifts that begin on a local day."""
        spec = self._spec or {}
        zone = ZoneInfo(spec["timezone"])
        lists = [] if self._is_closed(day) else [of for days, of in spec["hours"].items() if on(days, day)]
        lists += [of for name, of in spec.get("open", {}).items() if str(name) == str(day)]
        shifts = [shift for of in lists for shift in of]
        return [opened(shift, day, zone) for shift in shifts]

    def _is_closed(self, day: date) -> bool:
        spec = self._spec or {}
        if str(day) in map(str, spec.get("closed", [])):
            return True
        public = spec.get("holidays")
        return public is not None and day in holidays.country_holidays(
            public["country"], subdiv=public.get("subdivision"), years=day.year
        )


def on(days: str, day: date) -> bool:
    """Whether `mon-fri` or `sat` has the day."""
    first, _, last = days.partition("-")
    return DAYS.index(first) <= day.weekday() <= DAYS.index(last or first)


def opened(shift: str, day: date, zone: ZoneInfo) -> Interval:
    begin, end = shift.split("-")
    ends_on = day + timedelta(days=1) if minutes(end) <= minutes(begin) else day
    return wall(day, minutes(begin), zone), wall(ends_on, minutes(end), zone)


def minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def wall(day: date, minute: int, zone: ZoneInfo) -> int:
    """A local time as an instant: fold 0 is the first of two, and moves one that does not exist on by the gap."""
    shown = datetime.combine(day, time(), zone) + timedelta(minutes=minute)  # on the wall: the zone is asked only now
    return to_ms(shown.replace(fold=0).astimezone(UTC))

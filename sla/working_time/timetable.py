"""A timetable: local hours of each weekday, less what is closed, plus what is open besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sla.intervals import Interval, clipped, merged, without
from sla.units import from_epoch_ms, to_epoch_ms
from sla.working_time.public_holidays import PublicHolidays

DAY_MINUTES: Final = 24 * 60


class Shift(NamedTuple):
    """Minutes of local time from the start of its day; an end past 1,440 lies on the next day."""

    from_minute: int
    to_minute: int


class Reason(StrEnum):
    """Why a time does not count."""

    OUTSIDE_HOURS = "outside hours"
    DAY_OFF = "no hours on this weekday"
    HOLIDAY = "holiday"
    CLOSED = "closed"


class Closed(NamedTuple):
    """A stretch that does not count, [start, end), and why; `name` is that of the holiday or of the closed day."""

    start: int
    end: int
    reason: Reason
    name: str = ""


class ClosedDay(NamedTuple):
    """A local date on which no shift of its weekday starts; its name is for people."""

    day: date
    name: str = ""


class Opening(NamedTuple):
    """A shift on a local date, besides those of its weekday."""

    day: date
    shift: Shift


Week = tuple[tuple[Shift, ...], ...]
_NO_HOURS: Final[Week] = ((),) * 7


@dataclass(frozen=True)
class Timetable:
    """When a calendar is open. A shift belongs to the local day that it starts on.

    A public holiday or a closed day removes the weekday's shifts that start on it, a closed stretch of time what lies
    in it. What is open besides is open whatever else is closed.
    """

    timezone: str = "UTC"
    week: Week = _NO_HOURS  # seven, from Monday
    holidays: PublicHolidays | None = None
    closed_days: tuple[ClosedDay, ...] = ()
    closed_times: tuple[Closed, ...] = ()
    openings: tuple[Opening, ...] = ()
    open_times: tuple[Interval, ...] = ()

    def open_between(self, first: date, last: date, start: int, end: int) -> list[Interval]:
        """The open time of the shifts that start on these local dates, cut to [start, end): disjoint, in order."""
        shifts: list[Interval] = []
        besides = clipped(self.open_times, start, end)
        for day in _days(first, last):
            besides += [self._interval(day, shift) for shift in self._openings.get(day, ())]
            if self._day_closed(day) is None:
                shifts += [self._interval(day, shift) for shift in self.week[day.weekday()]]
        if self.closed_times:
            shifts = without(merged(shifts), merged((each.start, each.end) for each in self.closed_times))
        return merged(clipped([*shifts, *besides], start, end))

    def why_closed(self, start: int, end: int) -> list[Closed]:
        """The reasons for a stretch in which nothing is open, local day by local day."""
        found: list[Closed] = []
        times = sorted(self.closed_times)
        day, at = self._local_date(start), start
        while at < end:
            until = min(end, max(at, self._instant(day, DAY_MINUTES)))
            closed = self._day_closed(day)
            if closed is not None:
                found.append(Closed(at, until, *closed))
            elif at < until:
                reason = Reason.OUTSIDE_HOURS if self.week[day.weekday()] else Reason.DAY_OFF
                found += _with_times(Closed(at, until, reason), times)
            day, at = day + timedelta(days=1), until
        return [each for each in found if each.start < each.end]

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def _closings(self) -> dict[date, str]:
        return {each.day: each.name for each in reversed(self.closed_days)}

    @cached_property
    def _openings(self) -> dict[date, list[Shift]]:
        found: dict[date, list[Shift]] = {}
        for each in self.openings:
            found.setdefault(each.day, []).append(each.shift)
        return found

    def _local_date(self, at: int) -> date:
        return from_epoch_ms(at).astimezone(self._zone).date()

    def _day_closed(self, day: date) -> tuple[Reason, str] | None:
        if day in self._closings:
            return Reason.CLOSED, self._closings[day]
        if self.holidays is not None:
            name = self.holidays.of_year(day.year).get(day)
            if name is not None:
                return Reason.HOLIDAY, name
        return None

    def _interval(self, day: date, shift: Shift) -> Interval:
        return self._instant(day, shift.from_minute), self._instant(day, shift.to_minute)

    def _instant(self, day: date, minute: int) -> int:
        """The instant of a local time. One that does not exist moves forward by the gap, of two the first is meant.

        `fold=0` is both: it reckons with the offset that held before the clocks were changed.
        """
        days, minute = divmod(minute, DAY_MINUTES)
        day += timedelta(days=days)
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self._zone, fold=0)
        return to_epoch_ms(local.astimezone(UTC))


def _with_times(whole: Closed, times: Iterable[Closed]) -> list[Closed]:
    """A stretch, and in it the closed times by their own names."""
    found: list[Closed] = []
    at = whole.start
    for each in times:
        start, end = max(at, each.start), min(whole.end, each.end)
        if start < end:
            found += [whole._replace(start=at, end=start), each._replace(start=start, end=end)]
            at = end
    return [*found, whole._replace(start=at)]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=step) for step in range((last - first).days + 1))

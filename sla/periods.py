"""Calendar periods: local dates of a time zone as instants of UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sla.catalogue import CalendarPeriod, Unit
from sla.units import from_epoch_ms, to_epoch_ms

_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


class Period(NamedTuple):
    """One calendar period, [start, end), named by its first local date."""

    start: int
    end: int
    name: str


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_midnight(day: date, timezone: str) -> int:
    """The instant at which a local date begins.

    A midnight that does not exist moves forward by the length of the gap, one that exists twice means the first
    (semantics.md 3, DST).
    """
    naive = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware in the next line
    aware = naive.replace(tzinfo=_zone(timezone), fold=0)
    return to_epoch_ms(aware.astimezone(UTC))


def local_date(at: int, timezone: str) -> date:
    """The local date that an instant falls on."""
    return from_epoch_ms(at).astimezone(_zone(timezone)).date()


def _first_day(day: date, unit: Unit) -> date:
    if unit is Unit.DAY:
        return day
    if unit is Unit.WEEK:
        return day - timedelta(days=day.weekday())
    months = _MONTHS[unit]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _next_first_day(first: date, unit: Unit) -> date:
    if unit is Unit.DAY:
        return first + timedelta(days=1)
    if unit is Unit.WEEK:
        return first + timedelta(days=7)
    month = first.month - 1 + _MONTHS[unit]
    return date(first.year + month // 12, month % 12 + 1, 1)


def period_at(calendar: CalendarPeriod, at: int) -> Period:
    """The period that holds an instant."""
    first = _first_day(local_date(at, calendar.timezone), calendar.unit)
    start = local_midnight(first, calendar.timezone)
    if start > at:  # only where the first instants of a date belong to a skipped midnight
        first = _first_day(first - timedelta(days=1), calendar.unit)
        start = local_midnight(first, calendar.timezone)
    end = local_midnight(_next_first_day(first, calendar.unit), calendar.timezone)
    return Period(start, end, first.isoformat())


def edges_between(calendar: CalendarPeriod, start: int, end: int) -> list[int]:
    """The starts of all periods that touch [start, end], and the end of the last."""
    period = period_at(calendar, start)
    edges = [period.start]
    while period.start <= end:
        edges.append(period.end)
        period = period_at(calendar, period.end)
    return edges

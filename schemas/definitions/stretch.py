"""What a calendar is closed or open for besides its weekly hours, as it is written: days and stretches of time.

An iCalendar file is named as `{ical: holidays.ics}`. Whoever reads definitions from files puts what it holds beside its
name, as `events`, so that a document says all it means wherever it is read (`schemas.definitions.ical_files`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from schemas.definitions.values import MalformedError, parse_instant, shown
from sla.units import rfc3339

NAME_LONGEST: Final = 80
_DAYS_MOST: Final = 366
_DATE: Final = r"\d{4}-\d\d-\d\d"
_STRETCH: Final = re.compile(
    rf"({_DATE})(?:/({_DATE}))?(?: (.*))?|(\S+T\S+)/(\S+T\S+?)(?: (.*))?", re.ASCII | re.DOTALL
)


class Days(NamedTuple):
    """Local dates from the first to the last, both meant."""

    first: date
    last: date
    name: str = ""

    def each(self) -> Iterator[date]:
        """Date by date."""
        return (self.first + timedelta(days=step) for step in range((self.last - self.first).days + 1))

    def __str__(self) -> str:
        """As it is written."""
        dates = f"{self.first}" if self.first == self.last else f"{self.first}/{self.last}"
        return f"{dates} {self.name}".strip()


class Times(NamedTuple):
    """[start, end), epoch milliseconds."""

    start: int
    end: int
    name: str = ""

    def __str__(self) -> str:
        """As it is written."""
        return f"{rfc3339(self.start)}/{rfc3339(self.end)} {self.name}".strip()


Stretch = Days | Times


class Feed(NamedTuple):
    """An iCalendar file and what it holds."""

    file: str
    events: tuple[Stretch, ...]


def parse_date(value: Any) -> date:
    """A local date, `2026-12-24`."""
    if isinstance(value, str) and re.fullmatch(_DATE, value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise MalformedError(f"{value} is not a date that exists") from None
    raise MalformedError(f"{shown(value)} is not a date: write it as 2026-12-24")


def parse_stretch(value: Any) -> Stretch:
    """`2026-12-24`, `2026-12-24/2026-12-26`, `2026-12-24T11:00:00Z/2026-12-24T17:00:00Z`, each with a name after it."""
    match = _STRETCH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return Days(day := parse_date(value), day)
    if match[1] is not None:
        days = Days(parse_date(match[1]), parse_date(match[2] or match[1]), match[3] or "")
        if not 0 <= (days.last - days.first).days < _DAYS_MOST:
            raise MalformedError(f"{shown(value)} is not one day to 366: write the first day, a slash and the last")
        return days
    times = Times(parse_instant(match[4]), parse_instant(match[5]), match[6] or "")
    if times.end <= times.start:
        raise MalformedError(f"{shown(value)} ends before it begins")
    return times


def parse_feed(value: dict[str, Any]) -> Feed:
    """`{ical: holidays.ics}` with its `events` put in."""
    file, events = value.get("ical"), value.get("events")
    if not isinstance(file, str) or set(value) - {"ical", "events"}:
        raise MalformedError("an iCalendar file is written {ical: holidays.ics}, and nothing beside it")
    if not isinstance(events, list):
        raise MalformedError(f"{file} is not read here: lint and apply put what it holds beside it, as events")
    return Feed(file, tuple(parse_stretch(each) for each in events))

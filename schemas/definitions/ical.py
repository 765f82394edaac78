"""iCalendar (RFC 5545) as days and stretches of time: its events, with their recurrences worked out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Component
from icalendar.prop import vRecur

from schemas.definitions.stretch import NAME_LONGEST, Days, Stretch, Times
from schemas.definitions.values import MalformedError, shown
from sla.units import to_epoch_ms

FOLLOWED_TO: Final = date(2051, 1, 1)
"""A rule without an end is followed so far. It is no clock's business: the same file gives the same days for ever."""
EVENTS_MOST: Final = 10_000
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_NO_DAY_OFF: Final = re.compile(r"\bobservance|not a public holiday", re.IGNORECASE)


class Problem(NamedTuple):
    """What is wrong with a file: its line and words."""

    line: int | None
    message: str


class Held(NamedTuple):
    """What a file holds, in order; what of it was left aside, and why; what is wrong with it."""

    stretches: list[Stretch]
    left_aside: list[Problem]
    problems: list[Problem]


def read_ical(content: bytes, timezone: str, *, closes: bool) -> Held:
    """The events of a file. Times without a zone are those of `timezone`; `closes` tells closed time from open.

    Left aside are events that are cancelled or take no time, and of closed time what is shown as free for some hours
    and what says that it is an observance: a day that is free all day is how holidays are published.
    """
    held = Held([], [], [])
    try:
        text = content.decode("utf-8-sig")
        calendars = Calendar.from_ical(text, multiple=True)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        held.problems.append(_unreadable(content, error))
        return held
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip().upper() == "BEGIN:VEVENT"]
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if not events:
        held.problems.append(Problem(None, "it holds no event: write BEGIN:VEVENT to END:VEVENT for each day"))
    found: set[Stretch] = set()
    moved = _moved(events)
    for line, event in zip(lines, events, strict=False):
        try:
            reason = _why_aside(event, closes=closes)
            if reason is None:
                found.update(_stretches(event, moved.get(str(event.get("UID")), set()), ZoneInfo(timezone)))
            elif reason:
                held.left_aside.append(Problem(line, f"{shown(_name(event))} {reason}"))
        except (MalformedError, ValueError, OverflowError, TypeError) as error:
            held.problems.append(Problem(line, f"{shown(_name(event))}: {error}"))
        if len(found) > EVENTS_MOST:
            held.problems.append(Problem(line, f"more than {EVENTS_MOST:,} days and times: leave out what is past"))
            break
    held.stretches.extend(sorted(found, key=str))
    return held


def _unreadable(content: bytes, error: Exception) -> Problem:
    """Where a file is no iCalendar: the first line that is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Problem(None, "it is not UTF-8: save it as UTF-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith((" ", "\t")) and not re.match(r"[A-Za-z0-9.-]+[:;]", line):
            return Problem(number, f"{shown(line)} is no line of iCalendar, such as DTSTART;VALUE=DATE:20261224")
    return Problem(None, f"it is no iCalendar file: {str(error).splitlines()[0] if str(error) else 'it is empty'}")


def _name(event: Component) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())[:NAME_LONGEST]


def _why_aside(event: Component, *, closes: bool) -> str | None:
    """Why an event does not count, None if it does, empty if that needs no word."""
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return ""
    if not closes:
        return None
    said = " ".join(str(event.get(name, "")) for name in ("SUMMARY", "DESCRIPTION"))
    if _NO_DAY_OFF.search(said):
        return "says that it is no day off, and closes nothing"
    start = event.get("DTSTART")
    is_timed = start is not None and isinstance(getattr(start, "dt", None), datetime)
    if is_timed and str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return "is shown as free, and closes nothing"
    return None


def _moved(events: Sequence[Component]) -> dict[str, set[Any]]:
    """By event: the occurrences that others stand for, or that were cancelled."""
    found: dict[str, set[Any]] = {}
    for event in events:
        instead_of = event.get("RECURRENCE-ID")
        if instead_of is not None:
            found.setdefault(str(event.get("UID")), set()).add(instead_of.dt)
    return found


def _stretches(event: Component, moved: set[Any], zone: ZoneInfo) -> Iterator[Stretch]:
    if event.errors:
        raise MalformedError(str(event.errors[0][1]))
    start = event.get("DTSTART")
    if start is None:
        raise MalformedError("it has no DTSTART: write when it begins")
    first, last = start.dt, _end(event, start.dt)
    name = _name(event)
    if not isinstance(first, datetime):
        days = max(1, (last - first).days)
        for begins in _occurrences(event, first, moved):
            yield Days(begins, begins + timedelta(days=days - 1), name)
        return
    local = first.tzinfo or zone
    length = last.replace(tzinfo=last.tzinfo or local).astimezone(local).replace(tzinfo=None) - first.replace(
        tzinfo=None
    )
    for begins in _occurrences(event, first, moved):
        naive = begins.replace(tzinfo=None)
        start_at, end_at = (_instant(each, local) for each in (naive, naive + length))
        if start_at < end_at:
            yield Times(start_at, end_at, name)


def _instant(naive: datetime, zone: Any) -> int:
    return to_epoch_ms(naive.replace(tzinfo=zone).astimezone(UTC))


def _end(event: Component, first: Any) -> Any:
    if (end := event.get("DTEND")) is not None:
        if isinstance(end.dt, datetime) is not isinstance(first, datetime):
            raise MalformedError("DTSTART and DTEND are not both dates or both times")
        return end.dt
    if (length := event.get("DURATION")) is not None:
        return first + length.dt
    return first if isinstance(first, datetime) else first + timedelta(days=1)


def _occurrences(event: Component, first: Any, moved: set[Any]) -> Iterator[Any]:
    """When it begins, each time: the rule and further dates, less those that are left out or stand elsewhere."""
    if "EXRULE" in event:
        raise MalformedError("EXRULE is not read: write EXDATE")
    left_out = {
        _like(each, first) for each in (*_dates(event, "EXDATE"), *(moved if "RECURRENCE-ID" not in event else ()))
    }
    seen: set[Any] = set()
    for begins in (first, *_ruled(event, first), *(_like(each, first) for each in _dates(event, "RDATE"))):
        if begins not in left_out and begins not in seen:
            seen.add(begins)
            yield begins


def _dates(event: Component, name: str) -> list[Any]:
    written = event.get(name, [])
    lists = written if isinstance(written, list) else [written]
    return [each.dt[0] if isinstance(each.dt, tuple) else each.dt for one in lists for each in one.dts]


def _like(when: Any, first: Any) -> Any:
    """A date or time of the kind that the event begins with, in its zone."""
    if not isinstance(first, datetime):
        return when.date() if isinstance(when, datetime) else when
    if not isinstance(when, datetime):
        return datetime.combine(when, first.timetz())
    if first.tzinfo is not None:
        return when.astimezone(first.tzinfo) if when.tzinfo is not None else when.replace(tzinfo=first.tzinfo)
    return when.replace(tzinfo=None)


def _ruled(event: Component, first: Any) -> Iterator[Any]:
    rule = event.get("RRULE")
    if rule is None:
        return
    if isinstance(rule, list):
        raise MalformedError("more than one RRULE: write one")
    if [str(each).upper() for each in rule.get("FREQ", [])] not in [[each] for each in _FREQUENCIES]:
        raise MalformedError(f"RRULE is followed by {', '.join(_FREQUENCIES)} alone")
    until = next(iter(rule.get("UNTIL", [])), None)
    parts: Any = vRecur({name: value for name, value in rule.items() if name != "UNTIL"})
    plain = parts.to_ical().decode()
    begins_at = datetime.combine(first, time()) if not isinstance(first, datetime) else first.replace(tzinfo=None)
    for number, naive in enumerate(rrulestr(plain, dtstart=begins_at)):
        begins = naive.replace(tzinfo=first.tzinfo) if isinstance(first, datetime) else naive.date()
        if naive.date() >= FOLLOWED_TO or (until is not None and _is_past(begins, until)):
            return
        if number > EVENTS_MOST:
            raise MalformedError(f"it comes more than {EVENTS_MOST:,} times: write an UNTIL")
        yield begins


def _is_past(begins: Any, until: Any) -> bool:
    if not isinstance(until, datetime):
        return bool((begins.date() if isinstance(begins, datetime) else begins) > until)
    if not isinstance(begins, datetime):
        return bool(begins > until.date())
    if begins.tzinfo is None or until.tzinfo is None:
        return begins.replace(tzinfo=None) > until.replace(tzinfo=None)
    return begins > until

"""Working time by brute force: every minute is asked by what the clocks on the wall show. Slow, and built otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sla.units import MINUTE_MS, to_epoch_ms
from sla.working_time import Timetable

_MINUTE = timedelta(minutes=1)


def wall(start: datetime, days: int, zone: str) -> dict[datetime, datetime]:
    """What the wall shows in each minute of UTC."""
    minutes = [start + step * _MINUTE for step in range(days * 24 * 60)]
    return {minute: minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for minute in minutes}


def first_shown(shown: dict[datetime, datetime], local: datetime) -> datetime:
    """The first minute in which the wall shows a local time, or that time moved on by the gap it was skipped in."""
    before: datetime | None = None
    for minute, label in shown.items():
        if label == local:
            return minute
        if before is not None and before < local < label:
            return first_shown(shown, local + (label - before - _MINUTE))
        before = label
    raise LookupError(local)


def open_minutes(timetable: Timetable, start: datetime, days: int) -> set[int]:
    """The minutes (epoch milliseconds) that are open, two days at either end left out."""
    shown = wall(start, days, timetable.timezone)
    found: set[int] = set()
    closed = {each.day for each in timetable.closed_days}
    for step in range(2, days - 2):
        day = (start + timedelta(days=step)).replace(tzinfo=None)
        shifts = list(timetable.week[day.weekday()]) if day.date() not in closed else []
        shifts += [each.shift for each in timetable.openings if each.day == day.date()]
        for shift in shifts:
            at = first_shown(shown, day + timedelta(minutes=shift.from_minute))
            end = first_shown(shown, day + timedelta(minutes=shift.to_minute))
            while at < end:
                found.add(to_epoch_ms(at))
                at += _MINUTE
    return found


def utc(text: str) -> int:
    return to_epoch_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def runs(minutes: set[int]) -> list[tuple[int, int]]:
    """Minutes as intervals."""
    found: list[tuple[int, int]] = []
    for minute in sorted(minutes):
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + MINUTE_MS)
        else:
            found.append((minute, minute + MINUTE_MS))
    return found

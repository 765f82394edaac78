"""Half-open intervals of epoch milliseconds, the rule of buckets, and local calendar periods."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from .definitions import DAY_MS, HOUR_MS, MINUTE_MS, Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Interval = tuple[int, int]


def floor_to(at: int, step_ms: int) -> int:
    return at // step_ms * step_ms


def bucket_ms(window_ms: int) -> int:
    """The width of the buckets that a window of this length is read from."""
    if window_ms <= 6 * HOUR_MS:
        return MINUTE_MS
    return 5 * MINUTE_MS if window_ms <= 3 * DAY_MS else HOUR_MS


def rolling_start(window_ms: int, now: int) -> int:
    """`from >= floor(now, r) - w + r`: the first instant whose bucket belongs to the window."""
    width_ms = bucket_ms(window_ms)
    start = floor_to(now, width_ms) - window_ms + width_ms
    return -(-start // width_ms) * width_ms  # a bucket that begins before it is outside as a whole


def length(intervals: list[Interval]) -> int:
    return sum(end - begin for begin, end in intervals)


def union(intervals: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for begin, end in sorted(intervals):
        if begin >= end:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def clip(intervals: list[Interval], begin: int, end: int) -> list[Interval]:
    clipped = [(max(begin, low), min(end, high)) for low, high in intervals]
    return [(low, high) for low, high in clipped if low < high]


def without(interval: Interval, holes: list[Interval]) -> list[Interval]:
    """What is left of the interval; `holes` are a union (sorted, apart)."""
    left = []
    at, end = interval
    for low, high in holes:
        if high <= at or low >= end:
            continue
        if low > at:
            left.append((at, low))
        at = max(at, high)
    if at < end:
        left.append((at, end))
    return left


def inside(at: int, intervals: list[Interval]) -> bool:
    return any(begin <= at < end for begin, end in intervals)


def to_ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def instant(value: str | int) -> int:
    """RFC 3339 or epoch milliseconds; what is finer than a millisecond is cut."""
    if isinstance(value, int):
        return value
    return to_ms(datetime.fromisoformat(value))


def spell(at: int | None) -> str | None:
    if at is None:
        return None
    moment = EPOCH + timedelta(milliseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def local_midnight(day: date, zone: ZoneInfo) -> int:
    """The instant at which the local day begins; a midnight that does not exist moves forward by the gap."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=zone, fold=0).astimezone(UTC))


def period_days(calendar: str, day: date) -> tuple[date, date]:
    """First day of the period that holds `day`, and of the next one."""
    if calendar == "day":
        return day, day + timedelta(days=1)
    if calendar == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[calendar]
    first_month = (day.month - 1) // months * months
    first = date(day.year, first_month + 1, 1)
    following = day.year * 12 + first_month + months
    return first, date(following // 12, following % 12 + 1, 1)


def period(window: Window, at: int) -> tuple[int, int, str]:
    """The calendar period that holds the instant: from, to, and its first local date."""
    zone = ZoneInfo(window.timezone)
    local = (EPOCH + timedelta(milliseconds=at)).astimezone(zone).date()
    first, following = period_days(str(window.calendar), local)
    return local_midnight(first, zone), local_midnight(following, zone), first.isoformat()

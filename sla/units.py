"""Integers with units: milliseconds, parts per million, and the few ways they are written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

MILLION: Final = 1_000_000
SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

LOG_LATEST_AT: Final = 253_339_228_800_000  # 9998-01-01T00:00:00Z: any period of a later log time might have no end

_SECOND_TEXTS: Final = tuple(f":{second:02d}" for second in range(60))
_MS_TEXTS: Final = tuple(f".{ms:03d}Z" for ms in range(SECOND_MS))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def floor_to(at: int, step_ms: int) -> int:
    """The last multiple of `step_ms` (counted from the Unix epoch) at or before `at`."""
    return at - at % step_ms


def ceil_to(at: int, step_ms: int) -> int:
    """The first multiple of `step_ms` (counted from the Unix epoch) at or after `at`."""
    return -(-at // step_ms) * step_ms


def from_epoch_ms(at: int) -> datetime:
    """An instant as an aware UTC datetime, exact to the millisecond (floats would not be)."""
    return _EPOCH + timedelta(milliseconds=at)


def to_epoch_ms(moment: datetime) -> int:
    """An aware datetime as epoch milliseconds; finer parts are cut, not rounded."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=4096)  # an event names the same few instants again and again
def rfc3339(at: int) -> str:
    """An instant as it leaves: RFC 3339, UTC, milliseconds, `Z`."""
    rest_ms = at % MINUTE_MS
    second, ms = _SECOND_TEXTS[rest_ms // SECOND_MS], _MS_TEXTS[rest_ms % SECOND_MS]
    return _minute_text(at // MINUTE_MS) + second + ms


@lru_cache(maxsize=4096)
def _minute_text(minute: int) -> str:
    return from_epoch_ms(minute * MINUTE_MS).replace(tzinfo=None).isoformat(timespec="minutes")


def rounded(numerator: int, denominator: int, places: int) -> float:
    """`numerator / denominator` rounded half up to `places`, computed in integers (wire.md: decimals)."""
    scale: int = 10**places
    doubled = 2 * numerator * scale + denominator
    return (doubled // (2 * denominator)) / scale


def span_text(duration_ms: int) -> str:
    """A window as it is spelled in events: `5m`, `30m`, `1h`, `6h`, `1d`, `30d`; odd ones in whole minutes (`84m`)."""
    for unit_ms, letter in ((DAY_MS, "d"), (HOUR_MS, "h")):
        if duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms}{letter}"
    return f"{duration_ms // MINUTE_MS}m"


def spoken(duration_ms: int) -> str:
    """A duration in plain words, whole minutes, floored: `16 h 36 min`, `2 d 3 h`, `under a minute`."""
    minutes = max(0, duration_ms) // MINUTE_MS
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "under a minute"

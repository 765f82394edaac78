"""Instants as they arrive: RFC 3339 with an offset, or epoch milliseconds (wire.md).

Finer than 1 ms is cut, not rounded. The answer is always epoch milliseconds.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

EARLIEST_AT: Final = -62_135_596_800_000  # 0001-01-01T00:00:00Z: dates before it cannot be written
LATEST_AT: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z: dates after it cannot be written either

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]"
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_HOUR, _LAST_MINUTE, _LAST_SECOND, _LEAP_SECOND = 23, 59, 59, 60

# The form in which nearly all arrive, `2026-11-23T10:00:00.000Z`, is read by look-up: its minute, second and the rest.
_USUAL_CHARACTERS: Final = 24
_MINUTE_CHARACTERS: Final = 16
_SECOND_CHARACTERS: Final = 19
_SECONDS: Final = {f":{second:02d}": second * SECOND_MS for second in range(60)}
_MILLISECONDS: Final = {f".{ms:03d}Z": ms for ms in range(1000)}


def read_rfc3339(text: str) -> int | None:
    """The instant as epoch milliseconds, or None when the text is no RFC 3339 date-time with an offset.

    A leap second (`23:59:60` in UTC) is the first instant of the next day, as in POSIX time.
    """
    return _read_often(text) if len(text) == _USUAL_CHARACTERS else _read_any(text)


def read_own_rfc3339(text: str) -> int | None:
    """The same, sooner where a record's instant is its own: what is not looked for need not be kept either."""
    return _read_usual(text) if len(text) == _USUAL_CHARACTERS else _read_any(text)


def _read_usual(text: str) -> int | None:
    minute_at = _minute_at(text[:_MINUTE_CHARACTERS])
    second_ms = _SECONDS.get(text[_MINUTE_CHARACTERS:_SECOND_CHARACTERS])
    ms = _MILLISECONDS.get(text[_SECOND_CHARACTERS:])
    if minute_at is None or second_ms is None or ms is None:
        return _read_any(text)
    return minute_at + second_ms + ms


# Where traffic is dense many records share an instant, to the letter; only short texts are kept.
_read_often: Final = lru_cache(maxsize=4096)(_read_usual)


def read_instant(value: str | int) -> int | None:
    """An instant in either form, or None when it cannot be read or has no date in the years 1 to 9999."""
    at = read_rfc3339(value) if isinstance(value, str) else value
    return at if at is not None and EARLIEST_AT <= at <= LATEST_AT else None


@lru_cache(maxsize=4096)
def _minute_at(start: str) -> int | None:
    return _read_any(f"{start}:00Z")


def _read_any(text: str) -> int | None:
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[group]) for group in range(1, 7))
    offset_hour, offset_minute = int(found[9] or 0), int(found[10] or 0)
    if hour > _LAST_HOUR or minute > _LAST_MINUTE or second > _LEAP_SECOND:
        return None
    if offset_hour > _LAST_HOUR or offset_minute > _LAST_MINUTE:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    offset_ms = (offset_hour * HOUR_MS + offset_minute * MINUTE_MS) * (-1 if found[8] == "-" else 1)
    minute_at = days * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS - offset_ms
    if second > _LAST_SECOND and minute_at % DAY_MS != DAY_MS - MINUTE_MS:
        return None
    return minute_at + second * SECOND_MS + int(((found[7] or "") + "000")[:3])

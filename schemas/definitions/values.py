"""Durations, percentages, rates and money: from the text people write to integers, and back.

Every `parse_*` takes whatever YAML held and raises MalformedError with what to write instead.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sla.units import DAY_MS, HOUR_MS, MILLION, MINUTE_MS, SECOND_MS, to_epoch_ms

_UNITS_MS: Final = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_LONGEST_MS: Final = 3_660 * DAY_MS
_DURATION: Final = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_MILLISECONDS: Final = re.compile(r"(\d{1,9})ms", re.ASCII)
_PERCENTAGE: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,12}))?%", re.ASCII)
_RATE: Final = re.compile(r"(\d{1,6})/([smhd])", re.ASCII)
_MONEY: Final = re.compile(r"(\d{1,13})(?:\.(\d{2}))? ([A-Z]{3})(?:/(day|week|month|quarter|year))?", re.ASCII)
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


class MalformedError(ValueError):
    """A value that cannot be read; the message says what to write instead."""


class Rate(NamedTuple):
    """At most `times` in `per_ms`."""

    times: int
    per_ms: int


class Money(NamedTuple):
    """An amount in hundredths of its currency, and the period it is for (None: once)."""

    hundredths: int
    currency: str
    per: str | None


def parse_duration(value: Any) -> int:
    """`90s`, `5m`, `4h`, `30d` as milliseconds. Zero is read; who cannot use it says so."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedError(
            f"{shown(value)} is not a duration: write a whole number and one of s, m, h, d, such as 90s or 5m"
        )
    duration_ms = int(match[1]) * _UNITS_MS[match[2]]
    if duration_ms > _LONGEST_MS:
        raise MalformedError(f"{value} is longer than ten years: write a shorter duration")
    return duration_ms


def parse_step(value: Any) -> int:
    """The time between two decisions: a duration, or milliseconds (`100ms`)."""
    match = _MILLISECONDS.fullmatch(value) if isinstance(value, str) else None
    return parse_duration(value) if match is None else int(match[1])


def duration_text(duration_ms: int) -> str:
    """Milliseconds (whole seconds) in the largest unit that says them exactly."""
    for letter in "dhm":
        if duration_ms and duration_ms % _UNITS_MS[letter] == 0:
            return f"{duration_ms // _UNITS_MS[letter]}{letter}"
    return f"{duration_ms // SECOND_MS}s"


def parse_percentage(value: Any) -> int:
    """`99.9%` as parts per million, from 0 to 100 %. Finer than one part per million is refused, not rounded."""
    match = _PERCENTAGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedError(f"{shown(value)} is not a percentage: {_percentage_hint(value)}")
    decimals = (match[2] or "").rstrip("0")
    if len(decimals) > 4:  # noqa: PLR2004 - a part per million is 0.0001 %
        raise MalformedError(f"{value} is finer than one part per million: write at most four decimals")
    share_ppm = int(match[1]) * 10_000 + int(decimals.ljust(4, "0"))
    if share_ppm > MILLION:
        raise MalformedError(f"{value} is above 100%: write a share from 0% to 100%")
    return share_ppm


def _percentage_hint(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 100:  # noqa: PLR2004
        number = Decimal(str(value)) * (100 if value < 1 else 1)
        return f"write {number.normalize():f}%"
    return "write a number and a percent sign, such as 99.9%"


def percentage_text(share_ppm: int) -> str:
    """Parts per million as a percentage without needless zeros: `99.9%`."""
    whole, rest = divmod(share_ppm, 10_000)
    decimals = f"{rest:04d}".rstrip("0")
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"


def parse_rate(value: Any) -> Rate:
    """`6/h`: a count and the unit of time it is for."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise MalformedError(f"{shown(value)} is not a rate: write a count, a slash and one of s, m, h, d, such as 6/h")
    return Rate(int(match[1]), _UNITS_MS[match[2]])


def parse_money(value: Any) -> Money:
    """`12000 EUR`, `40.50 EUR`, `3000 EUR/month`."""
    match = _MONEY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedError(
            f"{shown(value)} is not an amount: write a number (two decimals or none), a space and a currency of three "
            "capitals, such as 12000 EUR, or with a period, such as 12000 EUR/month",
        )
    return Money(int(match[1]) * 100 + int(match[2] or 0), match[3], match[4])


def parse_instant(value: Any) -> int:
    """RFC 3339 with an offset as epoch milliseconds; finer parts are cut."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return to_epoch_ms(datetime.fromisoformat(value.upper()))
        except (ValueError, OverflowError):
            raise MalformedError(f"{shown(value)} is not a date and time that exists") from None
    raise MalformedError(
        f"{shown(value)} is not an instant: write date, time and offset, such as 2026-01-01T00:00:00Z",
    )


def shown(value: Any) -> str:
    """A value as a message quotes it: short, and never with a line break."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = "true" if value is True else "false" if value is False else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions.calendar import Shift, parse_shift, parse_weekdays
from schemas.definitions.values import (
    MalformedError,
    Money,
    Rate,
    duration_text,
    parse_duration,
    parse_instant,
    parse_money,
    parse_percentage,
    parse_rate,
    percentage_text,
)
from sla.units import DAY_MS, HOUR_MS, MILLION, MINUTE_MS, SECOND_MS, rfc3339


@given(st.integers(min_value=0, max_value=3_660 * 24 * 3_600))
def test_a_duration_survives_being_written_and_read(seconds: int) -> None:
    assert parse_duration(duration_text(seconds * SECOND_MS)) == seconds * SECOND_MS


@given(st.integers(min_value=0, max_value=MILLION))
def test_a_percentage_survives_being_written_and_read(share_ppm: int) -> None:
    assert parse_percentage(percentage_text(share_ppm)) == share_ppm


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_an_instant_survives_being_written_and_read(at: int) -> None:
    assert parse_instant(rfc3339(at)) == at


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("90s", 90_000), ("5m", 5 * MINUTE_MS), ("4h", 4 * HOUR_MS), ("30d", 30 * DAY_MS), ("0s", 0), ("0090s", 90_000)],
)
def test_durations_that_are_read(text: str, duration_ms: int) -> None:
    assert parse_duration(text) == duration_ms


@pytest.mark.parametrize(
    "value", ["5", 5, 5.0, "5ms", "5 m", "1w", "1.5h", "-5m", "", None, [], True, "٥m", "9999999999s", "4000d"]
)
def test_what_is_no_duration_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError, match="write"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("text", "share_ppm"),
    [("99.9%", 999_000), ("99.9000000%", 999_000), ("100%", MILLION), ("0%", 0), ("0.0001%", 1), ("99.9999%", 999_999)],
)
def test_percentages_that_are_read(text: str, share_ppm: int) -> None:
    assert parse_percentage(text) == share_ppm


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (99.9, "write 99.9%"),
        (0.999, "write 99.9%"),
        (99, "write 99%"),
        ("99.9", "percent sign"),
        ("99.99999%", "finer than one part per million"),
        ("100.1%", "above 100%"),
        ("-1%", "percent sign"),
        (True, "percent sign"),
        (None, "percent sign"),
    ],
)
def test_what_is_no_percentage_is_refused_with_what_to_write(value: Any, advice: str) -> None:
    with pytest.raises(MalformedError, match=advice):
        parse_percentage(value)


def test_rates_and_money_are_read() -> None:
    assert parse_rate("6/h") == Rate(6, HOUR_MS)
    assert parse_money("12000 EUR") == Money(1_200_000, "EUR", None)
    assert parse_money("40.50 EUR/month") == Money(4_050, "EUR", "month")


@pytest.mark.parametrize("value", ["6", "0/h", "6/w", "6 / h", 6, None, "-1/h"])
def test_what_is_no_rate_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError, match="6/h"):
        parse_rate(value)


@pytest.mark.parametrize("value", ["12000", "12000EUR", "12,000 EUR", "1.5 EUR", "€5", "5 eur", 5, None, "5 EUR/hour"])
def test_what_is_no_money_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError, match="12000 EUR"):
        parse_money(value)


def test_an_instant_is_cut_to_the_millisecond_and_needs_an_offset() -> None:
    assert parse_instant("2026-01-01T00:00:00.9999+01:00") == parse_instant("2025-12-31T23:00:00.999Z")
    for value in ("2026-01-01", "2026-01-01T00:00:00", 1, None, "yesterday"):
        with pytest.raises(MalformedError, match="offset"):
            parse_instant(value)
    with pytest.raises(MalformedError, match="exists"):
        parse_instant("2026-02-30T00:00:00Z")


def test_a_shift_may_run_over_midnight() -> None:
    assert parse_shift("09:00-12:00") == Shift(540, 720)
    assert parse_shift("22:00-06:00") == Shift(1320, 1800)
    assert parse_shift("00:00-24:00") == Shift(0, 1440)
    assert parse_shift("22:00-00:00") == Shift(1320, 1440)


@pytest.mark.parametrize(
    "value", ["09:00-09:00", "9-17", "09:00", "24:00-25:00", "24:00-08:00", "09:60-10:00", 9, None]
)
def test_what_is_no_shift_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError):
        parse_shift(value)


def test_weekdays_may_be_single_listed_or_a_range() -> None:
    assert parse_weekdays("mon-fri") == (0, 1, 2, 3, 4)
    assert parse_weekdays("sat,sun") == (5, 6)
    assert parse_weekdays("Sat-Mon") == (0, 5, 6)
    for text in ("", "monday", "mon-", "mon-xyz", "1"):
        with pytest.raises(MalformedError):
            parse_weekdays(text)

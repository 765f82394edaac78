"""Promises that count in a calendar's hours: the oracle by hand, and some seeds of it against the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .campaign import one_seed
from .definitions import HOUR_MS, MINUTE_MS, nominal_ms, window
from .detect import events
from .hours import Hours
from .open_time import OpenTime
from .test_oracle import T0, at, counts, promise, steady, story
from .workload import document

# 2026-11-23 is a Monday; Berlin's clocks go back on 2026-10-25 at 03:00.
OFFICE: dict[str, Any] = {"timezone": "UTC", "hours": {"mon-fri": ["09:00-12:00", "13:00-17:00"]}}
SHORT: dict[str, Any] = {"timezone": "UTC", "hours": {"mon": ["10:00-10:30", "11:00-12:00"]}}
NIGHT: dict[str, Any] = {"timezone": "Europe/Berlin", "hours": {"sat": ["22:00-06:00"]}}


def opens(spec: dict[str, Any]) -> OpenTime:
    return OpenTime(Hours(document("Calendar", "office", spec)))


@pytest.mark.parametrize(
    ("spec", "window_ms", "now", "start"),
    [
        # 40 minutes today, and twenty of a week ago: its buckets are of an hour
        (SHORT, HOUR_MS, at("11:10:30"), at("11:00:00", "2026-11-16")),
        (SHORT, HOUR_MS, at("11:40:00"), at("10:10:00")),
        (SHORT, 30 * MINUTE_MS, at("10:45:00"), at("10:00:00")),  # nothing counts in a break
        (OFFICE, 7 * HOUR_MS, at("09:10:00", "2026-11-24"), at("09:10:00")),
        (NIGHT, 9 * HOUR_MS, at("08:00:00", "2026-10-25"), at("20:00:00", "2026-10-24")),  # nine hours long that night
    ],
)
def test_a_window_reaches_back_over_closed_time(spec: dict[str, Any], window_ms: int, now: int, start: int) -> None:
    assert opens(spec).window_start(window_ms, now) == start


def test_a_month_has_its_share_of_the_calendars_year() -> None:
    always_open = {"timezone": "UTC", "hours": {"mon-sun": ["00:00-12:00"]}}
    assert nominal_ms(window({"calendar": "month"}), *opens(always_open).year_share) == 15 * 24 * HOUR_MS


def test_what_comes_while_the_calendar_is_closed_does_not_count() -> None:
    log = steady(T0, at("12:00:00"), MINUTE_MS, 10, 0)
    log += [counts(at("10:40:30"), 0, 10_000), counts(at("11:05:30"), 0, 200)]
    told = events(
        [promise(calendar="short"), document("Calendar", "short", SHORT)],
        sorted(log, key=lambda line: line["timestamp"]),
        tick_ms=30_000,
    )
    assert story(told) == [("11:06:00", "breach", "budget_spent")]


def test_silence_runs_in_open_time_alone() -> None:
    log = steady(T0, at("10:28:00"), MINUTE_MS, 10, 0)
    told = events(
        [promise(calendar="short", noData={"after": "5m", "treat": "unknown"}), document("Calendar", "short", SHORT)],
        log,
        tick_ms=30_000,
        until=at("11:10:00"),
    )
    # the last record is of 10:27: three minutes until half past, two from eleven on
    assert story(told) == [("11:02:00", "unknown", "no_data")]


@pytest.mark.parametrize("seed", [2, 5])
def test_the_product_tells_what_the_oracle_expects(seed: int, tmp_path: Path) -> None:
    assert one_seed(seed, tmp_path, in_hours=True) == []

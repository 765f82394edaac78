"""Forecasts: the oracle by hand, and some seeds of it against the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .account import Sum
from .campaign import one_seed
from .definitions import DAY_MS, HOUR_MS
from .detect import events
from .forecast import Outlook, as_now, shown
from .test_oracle import T0, at, counts, line, promise, story
from .windows import spell
from .workload import NOTHING

LOOKS = {**NOTHING, "forecast": {"within": "12h", "probability": "50%"}}


def loaded(begin: int, good: int, bad: int) -> dict[str, Any]:
    return line(T0, type="history", good=good, bad=bad, **{"from": spell(begin), "to": spell(T0)})


def told(*lines: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return events([promise(warnings=LOOKS, **more)], [*lines, line(at("10:32:00"), type="change")], tick_ms=60_000)


def test_a_budget_that_would_end_tonight() -> None:
    # Three days at 0.7 % of 1 %; then fifty bad in an hour of 4,300 or so.
    found = told(
        loaded(T0 - 3 * DAY_MS, 428_976, 3_024),
        counts(at("10:00:10"), 800, 0),
        counts(at("10:10:10"), 950, 50),
        counts(at("10:20:10"), 1_000, 0),
        target="99%",
        window={"rolling": "1d"},
    )
    assert story(found) == [("10:11:00", "early_warning", "forecast"), ("10:21:00", "recovery", "cleared")]
    night = dict.fromkeys(("p10", "p50", "p90"), "2026-11-23T21:11:00.000Z")
    assert found[0]["value"]["data"]["forecast"] == {"breach_at": night, "p_breach_in_window": 1.0}


def test_the_rule_wants_its_probability_of_the_last_six_hours() -> None:
    # Five hours of 600 without bad, then 150 of 600, which would be too much if it went on: one of six.
    found = told(
        loaded(T0 - 5 * HOUR_MS, 3_000, 0),
        counts(at("10:30:10"), 450, 150),
        window={"rolling": "4h"},
        target="90%",
    )
    assert story(found) == []


def test_a_share_is_told_in_four_places() -> None:
    assert shown(Outlook([T0, T0 + 1], 3)) == {
        "breach_at": {"p10": spell(T0), "p50": spell(T0), "p90": spell(T0 + 1)},
        "p_breach_in_window": 0.6667,
    }


@pytest.mark.parametrize(
    ("breaches", "count", "quantiles"),
    [
        ([], 0, (None, None, None)),
        ([7], 3, (None, None, None)),
        ([7], 2, (7, 7, 7)),
        ([1, 2, 3], 3, (1, 2, 3)),
        (list(range(10)), 20, (0, 4, 8)),
        (list(range(11)), 11, (1, 5, 9)),
    ],
)
def test_quantiles_are_of_the_scenarios_that_breach_if_half_of_them_do(
    breaches: list[int], count: int, quantiles: tuple[int | None, ...]
) -> None:
    assert tuple(Outlook(breaches, count).quantile(percent) for percent in (10, 50, 90)) == quantiles


@pytest.mark.parametrize(
    ("hour", "scaled"),
    [
        (Sum(200, 4), [Sum(200, 4), Sum(20, 10)]),  # twice the traffic
        (Sum(200, 9), [Sum(200, 9), Sum(20, 15)]),  # and five bad more in each hour
        (Sum(200, 2), [Sum(200, 2), Sum(20, 5)]),  # and half as much bad
    ],
)
def test_a_past_day_goes_on_at_the_pace_of_the_present_hour(hour: Sum, scaled: list[Sum]) -> None:
    assert as_now([Sum(100, 2), Sum(10, 5)], hour) == scaled


@pytest.mark.parametrize(("seed", "in_hours", "is_late"), [(103, False, False), (106, False, False), (100, True, True)])
def test_the_product_tells_what_the_oracle_expects(seed: int, *, in_hours: bool, is_late: bool, tmp_path: Path) -> None:
    assert one_seed(seed, tmp_path, in_hours=in_hours, is_late=is_late, looks_ahead=True) == []

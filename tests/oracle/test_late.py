"""Late data: what it corrects, by hand, and some seeds of it against the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .campaign import one_seed
from .definitions import HOUR_MS, MINUTE_MS
from .detect import events
from .late_workload import held_back
from .test_oracle import T0, at, counts, line, promise, steady, story
from .workload import document, workload

DAY = {"calendar": "day", "timezone": "Pacific/Kiritimati"}  # a day begins at 10:00


def told(*lines: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    log = [*steady(T0 - HOUR_MS, T0 + 40 * MINUTE_MS, MINUTE_MS, 10, 0), *lines]
    definitions = [promise(grace="1m", correctFor="30m", **more)]
    definitions.append(document("Agreement", "gold", {"objectives": ["paid"], "period": DAY}))
    return events(definitions, sorted(log, key=lambda line: line["timestamp"]), tick_ms=30_000)


def test_late_failures_would_have_been_a_breach() -> None:
    found = told({**counts(at("10:10:10"), 0, 200), "timestamp": at("10:20:10")})
    assert story(found)[-2:] == [("10:20:30", "breach", "budget_spent"), ("10:20:30", "correction", "late_data")]
    correction = found[-1]["value"]["data"]
    assert (correction["before"]["state"], correction["after"]["state"]) == ("ok", "breached")


def test_what_is_on_time_or_too_late_corrects_nothing() -> None:
    for arrives in ("10:11:10", "10:40:11"):
        found = told({**counts(at("10:10:10"), 0, 200), "timestamp": at(arrives)})
        assert "late_data" not in [rule for _, _, rule in story(found)]


def test_a_closed_period_is_corrected_under_its_own_key() -> None:
    found = told({**counts(at("09:59:10"), 0, 1), "timestamp": at("10:20:10")})
    of_period = [event["value"]["data"] for event in found if event["key"].startswith("gold/")]
    assert [(each["sequence"], each["period"]["attained_ppm"]) for each in of_period] == [(1, 1_000_000), (2, 998_336)]


def test_where_the_first_record_comes_late_nothing_had_been_published() -> None:
    log = [counts(at("10:20:10"), 10, 0, at("10:03:10")), counts(at("10:20:40"), 0, 900, at("10:03:10"))]
    end = line(at("10:25:00"), type="change")
    found = events([promise(grace="1m", correctFor="30m")], [*log, end], tick_ms=30_000)
    assert story(found) == [("10:21:00", "breach", "budget_spent")]


def test_a_slice_counts_for_a_past_minute_once_it_was_judged() -> None:
    # Down from 10:08:30 on, told at 10:10:05: the slice of 10:09 is judged at 10:11, with what is known then.
    up, sliced = {"type": "uptime", "signal": "ok"}, {"timeslices": "1m", "sliceTarget": "90%"}
    one = promise(grace="1m", correctFor="30m", indicator=up, budgeting=sliced, target="97%")
    states = [("10:05:00", "10:05:00", True), ("10:08:00", "10:08:00", False), ("10:08:12", "10:08:12", True)]
    log = [
        line(at(came), type="state", at=at(happened), up=is_up)
        for came, happened, is_up in [*states, ("10:10:05", "10:08:30", False)]
    ]
    found = events([one], [*log, line(at("10:13:00"), type="change")], tick_ms=60_000)
    assert story(found) == [("10:11:00", "breach", "budget_spent")]


def test_what_is_held_back_is_not_lost() -> None:
    case = workload(3)
    held = held_back(3, case)
    assert sorted(str(line["value"]) for line in held.lines) == sorted(str(line["value"]) for line in case.lines)
    assert held.lines != case.lines


@pytest.mark.parametrize("seed", [6, 40])
def test_the_product_tells_what_the_oracle_expects(seed: int, tmp_path: Path) -> None:
    assert one_seed(seed, tmp_path, is_late=True) == []

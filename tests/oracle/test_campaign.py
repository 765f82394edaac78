"""The comparison sees what it is for, and the workloads are what a seed says."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import pytest

from .compare import differences
from .definitions import HOUR_MS, MINUTE_MS
from .detect import events
from .test_oracle import T0, counts, promise, steady
from .workload import workload


@pytest.fixture(name="told")
def breach_and_recovery() -> list[dict[str, Any]]:
    log = steady(T0 - HOUR_MS, T0 + 90 * MINUTE_MS, MINUTE_MS, 10, 0)
    log.append(counts(T0 + 30_000, 0, 100))
    log.sort(key=lambda line: line["timestamp"])
    found = events([promise()], log, tick_ms=30_000)
    assert [event["value"]["type"] for event in found] == ["forewarn.breach.v1", "forewarn.recovery.v1"]
    return found


def test_equal_stories_have_no_differences(told: list[dict[str, Any]]) -> None:
    assert differences(told, deepcopy(told)) == []


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("time", "2026-11-23T10:05:00.000Z", "unexpected"),
        ("id", "0" * 32, "is not the hash"),
        ("data.sequence", 7, "sequence 7 at place 1"),
        ("data.severity", "warning", "data.severity expected 'critical', is 'warning'"),
        ("data.budget.allowed_count", 61, "data.budget.allowed_count expected"),
        ("data.flags.final", False, "data.flags.final expected True"),
    ],
)
def test_a_changed_field_is_told(told: list[dict[str, Any]], path: str, value: Any, words: str) -> None:
    changed = deepcopy(told)
    *parents, last = path.split(".")
    place = changed[0]["value"]
    for parent in parents:
        place = place[parent]
    place[last] = value
    assert any(words in line for line in differences(told, changed))


def test_a_lost_event_is_missing_and_one_too_many_is_unexpected(told: list[dict[str, Any]]) -> None:
    assert any("missing" in line for line in differences(told, told[:1]))
    assert any("unexpected" in line for line in differences(told[:1], told))


def test_a_seed_gives_the_same_workload_again() -> None:
    assert workload(8) == workload(8)
    assert workload(8) != workload(9)


def test_a_workload_is_in_log_order_and_holds_every_kind_of_transition() -> None:
    types: Counter[str] = Counter()
    for seed in (10, 36):
        case = workload(seed)
        stamps = [line["timestamp"] for line in case.lines]
        assert stamps == sorted(stamps)
        types.update(event["value"]["type"] for event in events(case.definitions, case.lines, case.tick_ms))
    names = ("early_warning", "breach", "recovery", "unknown", "flags_changed", "period_closed")
    assert all(types[f"forewarn.{name}.v1"] > 0 for name in names)

"""Promises now, from Redis."""

from __future__ import annotations

import orjson
import pytest
import redis

from forewarn.status import STATUS_KEY
from tests.cli.conftest import Run

WELL = {
    "dedup_key": "search/latency",
    "service": "search",
    "state": "ok",
    "budget": {"remaining_ratio": 1.0},
    "reason": None,
    "forecast": None,
    "opened_at": "2026-11-23T08:00:00.000Z",
}
ILL = {
    "dedup_key": "payments/availability",
    "service": "payments",
    "state": "at_risk",
    "budget": {"remaining_ratio": 0.5093},
    "reason": {"rule": "burn_rate", "burn_long": 22.08, "long_window": "1h"},
    "forecast": {"breach_at": {"p50": "2026-11-24T02:43:00.000Z"}},
    "opened_at": "2026-11-23T10:07:00.000Z",
    "flags": {"no_data": True},
}


@pytest.fixture
def stored(redis_url: str) -> str:
    with redis.Redis.from_url(redis_url) as client:
        for status in (WELL, ILL):
            client.hset(STATUS_KEY, str(status["dedup_key"]), orjson.dumps(status))
    return redis_url


def test_a_person_reads_a_table_with_the_worst_first(run: Run, stored: str) -> None:
    head, *rows = [line.split("  ") for line in run("status", REDIS_URL=stored).stdout.splitlines()]
    assert [cell.strip() for cell in head if cell] == [
        *("OBJECTIVE", "STATE", "BUDGET LEFT", "BURN", "BREACH FORECAST", "SINCE"),
    ]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        [
            *("payments/availability", "at_risk (no data)", "50.9%", "22.08 over 1h"),
            *("2026-11-24T02:43:00.000Z", "2026-11-23T10:07:00.000Z"),
        ],
        ["search/latency", "ok", "100.0%", "-", "-", "-"],
    ]


def test_a_program_reads_the_data_as_they_are(run: Run, stored: str) -> None:
    lines = run("status", "--json", "--service", "search", REDIS_URL=stored).stdout.splitlines()
    assert [orjson.loads(line) for line in lines] == [WELL]


def test_an_empty_read_model_says_what_is_missing(run: Run, redis_url: str) -> None:
    result = run("status", REDIS_URL=redis_url)
    assert (result.exit_code, "role project" in result.stdout) == (0, True)
    assert run("status", "--json", REDIS_URL=redis_url).stdout == ""

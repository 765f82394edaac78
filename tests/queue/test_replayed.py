"""Tickets through the whole detector: their outcomes as an objective, their queue as a forecast, their exclusions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from forewarn.replay.run import run
from schemas.outbound import schema_of
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, rfc3339

MONDAY: Final = 1_795_392_000_000  # 2026-11-23T00:00:00Z
PROMISES: Final = """
apiVersion: forewarn/v1
kind: TicketObjective
metadata: {name: p2-resolution}
spec:
  service: pay
  metric: resolution
  target: 4h
  when: {priority: [P2]}
  stop: {state: [resolved]}
  warnAt: none
---
apiVersion: forewarn/v1
kind: Objective
metadata: {name: p2-in-time}
spec:
  service: pay
  indicator: {type: tickets, of: p2-resolution}
  target: 99%
  window: {rolling: 7d}
  warnings: {burnRates: none, budgetConsumed: none, forecast: none}
---
apiVersion: forewarn/v1
kind: Service
metadata: {name: pay}
spec: {owner: pay-team}
---
apiVersion: forewarn/v1
kind: Stakeholder
metadata: {name: pay-team}
spec: {audience: owner, watches: {services: [pay]}, channels: [console]}
"""

Record = tuple[int, dict[str, Any]]


def ticket(number: str, at: int, event: str = "updated", **fields: Any) -> Record:
    body = {"type": "ticket", "ticket": number, "service": "pay", "at": rfc3339(at), "event": event, "fields": fields}
    return at, body


def opened(number: str, at: int, team: str = "core") -> Record:
    return ticket(number, at, "created", priority="P2", team=team, state="new")


def resolved(number: str, at: int) -> Record:
    return ticket(number, at, state="resolved")


def steady_hours(count: int, until: int, per_hour: int = 2) -> Iterator[Record]:
    """So many tickets in each hour, opened and resolved within it."""
    for hour in range(count):
        start = until - (count - hour) * HOUR_MS
        for place in range(per_hour):
            name = f"old-{hour}-{place}"
            yield opened(name, start + place * 10 * MINUTE_MS)
            yield resolved(name, start + place * 10 * MINUTE_MS + 5 * MINUTE_MS)


@pytest.fixture
def replay(tmp_path: Path) -> Any:
    def play(records: Iterable[Record], until: int) -> list[dict[str, Any]]:
        (tmp_path / "promises.yaml").write_text(PROMISES, encoding="utf-8")
        lines = [
            {
                "topic": "sla.tickets.v1" if value["type"] == "ticket" else "sla.telemetry.v1",
                "key": value.get("ticket") or value["service"],
                "value": value,
                "timestamp": at,
            }
            for at, value in sorted(records, key=lambda each: each[0])
        ]
        source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
        source.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        run([tmp_path / "promises.yaml"], str(source), str(output), tick_ms=MINUTE_MS, until=until)
        return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]

    return play


def of_topic(printed: list[dict[str, Any]], topic: str) -> list[dict[str, Any]]:
    return [each["value"] for each in printed if each["topic"] == topic]


def test_a_queue_beyond_the_pace_of_late_is_forecast_and_its_owner_told(replay: Any) -> None:
    start = MONDAY + DAY_MS
    queue = [opened(f"new-{place}", start + MINUTE_MS) for place in range(15)]
    printed = replay([*steady_hours(20, start), *queue], start + 10 * MINUTE_MS)
    (event,) = of_topic(printed, "sla.forecasts.v1")
    Draft202012Validator(schema_of("forecasts")).validate(event)
    data = event["data"]
    # Two an hour: the seven that are stopped in the four hours less a bit are in time, the other eight are not.
    assert data["queue"] == {
        "team": "core", "priority": "P2", "open_count": 15, "paused_count": 0, "sample_count": 40,
        "by": rfc3339(start + MINUTE_MS + 4 * HOUR_MS), "breach_count": {"p10": 8, "p50": 8, "p90": 8},
    }  # fmt: skip
    assert (event["type"], data["dedup_key"], data["sequence"]) == (
        "forewarn.forecast.v1", "pay/p2-resolution/queue:core:P2", 1,
    )  # fmt: skip
    assert data["advice"]["summary"] == "At the pace of late 8 P2 tickets of core will breach by 2026-11-24 04:01 UTC."
    told = [each for each in of_topic(printed, "sla.outbox.v1") if each["event_id"] == event["id"]]
    assert [each["stakeholder"] for each in told] == ["pay-team"]


def test_under_thirty_samples_nothing_is_forecast(replay: Any) -> None:
    start = MONDAY + DAY_MS
    queue = [opened(f"new-{place}", start + MINUTE_MS) for place in range(15)]
    printed = replay([*steady_hours(14, start), *queue], start + 10 * MINUTE_MS)
    assert of_topic(printed, "sla.forecasts.v1") == []


def test_a_queue_that_was_worked_off_is_told_as_such_once(replay: Any) -> None:
    start = MONDAY + DAY_MS
    queue = [opened(f"new-{place}", start + MINUTE_MS) for place in range(15)]
    done = [resolved(f"new-{place}", start + 5 * MINUTE_MS) for place in range(15)]
    printed = replay([*steady_hours(20, start), *queue, *done], start + HOUR_MS)
    counts = [event["data"]["queue"]["breach_count"]["p50"] for event in of_topic(printed, "sla.forecasts.v1")]
    assert counts == [8, 0]


def test_a_ticket_that_changes_its_team_changes_its_queue(replay: Any) -> None:
    start = MONDAY + DAY_MS
    queue = [opened(f"new-{place}", start + MINUTE_MS) for place in range(15)]
    moved = [ticket(f"new-{place}", start + 2 * MINUTE_MS, team="night") for place in range(15)]
    printed = replay([*steady_hours(20, start), *queue, *moved], start + 10 * MINUTE_MS)
    # `core` is rid of them before the next whole minute is decided; `night` has no pace of its own yet.
    open_counts = [
        (event["data"]["queue"]["team"], event["data"]["queue"]["open_count"])
        for event in of_topic(printed, "sla.forecasts.v1")
    ]
    assert open_counts == [("core", 15), ("core", 0)]


def test_outcomes_of_tickets_feed_an_objective_like_any_other(replay: Any) -> None:
    start = MONDAY + DAY_MS
    late = [opened(f"late-{place}", start - 5 * HOUR_MS) for place in range(20)]
    printed = replay([*steady_hours(20, start), *late], start)
    breaches = [
        event
        for event in of_topic(printed, "sla.alerts.v1")
        if event["type"] == "forewarn.breach.v1" and event["data"]["objective"]["name"] == "p2-in-time"
    ]
    (breach,) = breaches
    assert breach["data"]["objective"]["kind"] == "tickets"
    assert breach["data"]["signal"] == "tickets:p2-resolution"
    # All twenty are missed at one instant, 23:00; extrapolated to a week, one of a hundred may be.
    assert breach["data"]["budget"]["consumed_count"] == 20


def test_an_exclusion_of_the_service_reaches_the_clocks_of_its_tickets(replay: Any) -> None:
    start = MONDAY + DAY_MS
    exclusion = {
        "type": "exclusion", "service": "pay", "id": "CHG-7", "from": rfc3339(start + HOUR_MS),
        "to": rfc3339(start + 3 * HOUR_MS), "reason": "planned", "category": "planned",
    }  # fmt: skip
    printed = replay([opened("T1", start), (start + MINUTE_MS, exclusion)], start + 7 * HOUR_MS)
    fed = [each for each in of_topic(printed, "sla.tickets.v1") if each["type"] == "exclusion"]
    assert [each["id"] for each in fed] == ["CHG-7"]
    (breach,) = [each for each in of_topic(printed, "sla.alerts.v1") if each["type"] == "forewarn.breach.v1"]
    assert breach["time"] == rfc3339(start + 6 * HOUR_MS)

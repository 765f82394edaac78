"""What is sent by hand is what the workers read; what is on a topic can be read by a person."""

from __future__ import annotations

import orjson
import pytest

from forewarn.kafka import Read, Record, read_to_end, write
from forewarn.tail import line_of
from sla.partitioner import partition_of
from tests.cli.conftest import Run

EVENT = {
    "type": "forewarn.breach.v1",
    "time": "2026-11-23T10:07:00.000Z",
    "id": "e1",
    "data": {
        "dedup_key": "payments/availability",
        "service": "payments",
        "severity": "critical",
        "state": "breached",
        "objective": {"name": "availability"},
        "reason": {"rule": "budget_spent"},
        "budget": {"remaining_ratio": -0.25},
        "advice": {"summary": "The budget is spent."},
    },
}


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (("counts", "--good", "118", "--bad", "2"), {"type": "counts", "good": 118, "bad": 2}),
        (("sample", "--value", "312.5"), {"type": "sample", "value": 312.5}),
        (("state", "down"), {"type": "state", "up": False}),
        (("counts", "--good", "1", "--bad", "0", "--instance", "eu"), {"type": "counts", "good": 1, "instance": "eu"}),
    ],
)
def test_a_measurement_lands_where_every_producer_would_put_it(
    run: Run, bootstrap: str, arguments: tuple[str, ...], body: dict[str, object]
) -> None:
    sent = run(
        "send", *arguments, "--service", "payments", "--signal", "a", "--json", KAFKA_BOOTSTRAP_SERVERS=bootstrap
    )
    assert sent.exit_code == 0, sent.output
    (record,) = read_to_end({"bootstrap.servers": bootstrap}, "sla.telemetry.v1")
    assert orjson.loads(record.value or b"").items() >= ({"service": "payments", "signal": "a"} | body).items()
    told = orjson.loads(sent.stdout)
    assert told == {"topic": record.topic, "partition": record.partition, "offset": 0, "key": "payments"}
    assert record.partition == partition_of(b"payments", 4)


def test_a_change_and_an_exclusion_can_be_sent(run: Run, bootstrap: str) -> None:
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap}
    change = run("send", "change", "--service", "s", "--id", "deploy-1", "--summary", "v2", **kafka)
    start = ("--from", "2026-11-23T10:00:00Z", "--to", "2026-11-23T11:00:00Z")
    why = ("--reason", "maintenance", "--category", "planned")
    exclusion = run("send", "exclusion", "--service", "s", "--id", "CHG-7", *start, *why, **kafka)
    assert (change.exit_code, exclusion.exit_code) == (0, 0), change.output + exclusion.output
    first, second = (
        orjson.loads(r.value or b"") for r in read_to_end({"bootstrap.servers": bootstrap}, "sla.telemetry.v1")
    )
    assert (first["type"], first["id"], second["status"]) == ("change", "deploy-1", "approved")


def test_what_would_be_rejected_is_not_written(run: Run, bootstrap: str) -> None:
    refused = run(
        *("send", "counts", "--service", "s", "--signal", "a", "--good", "-1", "--bad", "0"),
        KAFKA_BOOTSTRAP_SERVERS=bootstrap,
    )
    assert refused.exit_code == 2
    assert read_to_end({"bootstrap.servers": bootstrap}, "sla.telemetry.v1") == []


def test_tail_prints_what_is_there_and_ends(run: Run, bootstrap: str) -> None:
    record = Record("sla.alerts.v1", "payments/availability", orjson.dumps(EVENT))
    write({"bootstrap.servers": bootstrap}, [record])
    lines = run("tail", "--no-follow", KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    assert lines.stdout == (
        "2026-11-23T10:07:00.000Z  [critical] Breach: availability (payments)  (budget_spent)  The budget is spent.\n"
    )
    (found,) = map(
        orjson.loads, run("tail", "--no-follow", "--json", KAFKA_BOOTSTRAP_SERVERS=bootstrap).stdout.splitlines()
    )
    assert (found["topic"], found["key"], found["value"]) == ("sla.alerts.v1", "payments/availability", EVENT)


def test_a_missing_topic_says_how_to_make_it(run: Run, embedded_broker: object) -> None:
    result = run("tail", "--no-follow", KAFKA_BOOTSTRAP_SERVERS=embedded_broker.bootstrap)  # type: ignore[attr-defined]
    assert (result.exit_code, "forewarn topics create" in result.stderr) == (3, True)


@pytest.mark.parametrize(
    ("feed", "value", "line"),
    [
        ("status", EVENT, "payments/availability  breached  budget left -25.0%"),
        (
            "notices",
            {"stakeholder": "ops", "event": EVENT},
            "to ops: [critical] Breach: availability (payments)",
        ),
        (
            "deliveries",
            {"stakeholder": "ops", "channel": {"kind": "sms"}, "outcome": "failed", "detail": "no", "dedup_key": "p/a"},
            "failed to ops by sms: no (p/a)",
        ),
        (
            "deliveries",
            {"stakeholder": None, "channel": None, "outcome": "dropped", "detail": "no owner", "dedup_key": "p/a"},
            "dropped for nobody: no owner (p/a)",
        ),
        (
            "dlq",
            {"reason": "not_json", "topic": "t", "partition": 1, "offset": 2, "detail": "x"},
            "not_json at t/1@2: x",
        ),
        ("late", {"late_ms": 5, "counted": True, "record": {"a": 1}}, 'late by 5 ms, counted: {"a":1}'),
        ("records", {"type": "detector_gap"}, '{"type":"detector_gap"}'),
        ("alerts", {"type": [], "data": []}, "Event: "),
    ],
)
def test_each_feed_has_a_line_for_people(feed: str, value: dict[str, object], line: str) -> None:
    assert line_of(Read(f"sla.{feed}.v1", 0, 0, 0, None, orjson.dumps(value))).split("  ", 1)[1].startswith(line)


@pytest.mark.parametrize("raw", [None, b"\xff", b"{", b"[]", b"1"])
def test_whatever_stands_on_a_topic_has_a_line(raw: bytes | None) -> None:
    assert line_of(Read("sla.alerts.v1", 0, 0, 0, None, raw)).startswith("1970-01-01T00:00:00.000Z")

"""A whole system on a real Kafka and on the embedded broker.

Whatever is stopped or killed, the events are those of the log, and none is lost, doubled or changed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.oracle import detect as oracle
from tests.oracle.compare import differences
from tests.system import foreign, services
from tests.system.conftest import Finished
from tests.system.recorded import line_of, unlike, without_own

pytestmark = [pytest.mark.kafka, pytest.mark.redis]

ALERTS = ("sla.alerts.v1", "sla.alerts.shadow.v1")
SCHEMAS = Path("schemas/generated")
VALIDATED = ("alerts", "status", "records", "notices", "outbox", "deliveries", "late")


@pytest.fixture(scope="session", params=["real", "embedded"])
def done(request: pytest.FixtureRequest) -> Finished:
    found: Finished = request.getfixturevalue({"real": "on_kafka", "embedded": "on_embedded"}[request.param])
    return found


def alerts_of(done: Finished) -> list[dict[str, Any]]:
    return [
        {"topic": topic, "key": key, "value": orjson.loads(value)}
        for (topic, key, _), values in done.live.items()
        if topic in ALERTS
        for value in values
    ]


def test_the_fleet_has_lived_through_all_that_can_happen(done: Finished) -> None:
    alerts = alerts_of(done)
    seen = Counter((alert["value"]["type"].split(".")[1], alert["value"]["data"]["reason"]["rule"]) for alert in alerts)
    for wanted in (
        ("early_warning", "burn_rate"),
        ("early_warning", "budget_consumed"),
        ("breach", "budget_spent"),
        ("recovery", "cleared"),
        ("unknown", "no_data"),
        ("recovery", "data_again"),
        ("flags_changed", "no_data"),
        ("correction", "exclusion"),
    ):
        assert seen[wanted], f"{wanted} never happened: {seen}"
    assert {alert["topic"] for alert in alerts} == set(ALERTS)
    assert not any(alert["key"].startswith("well") for alert in alerts)


def test_live_output_is_replay_byte_for_byte(done: Finished) -> None:
    assert unlike(without_own(done.live), done.replayed) == []
    assert {topic for topic, _, _ in done.live} >= {*ALERTS, "sla.status.v1", "sla.late.v1", "sla.outbox.v1"}


def test_live_alerts_are_those_of_the_oracle(done: Finished) -> None:
    lines = []
    for record in done.input:
        line = line_of(record)
        if record.topic == oracle.TELEMETRY:
            lines.append({**line, "value": json.loads(line["value"])})
    expected = oracle.events(services.documents(), lines, None, cluster="system")
    assert expected
    told = sorted(alerts_of(done), key=lambda alert: alert["value"]["data"]["evaluated_at"])
    keys = sorted({alert["key"] for alert in [*expected, *told]})
    found: list[str] = []
    for key in keys:  # partitions are told one after the other, so order is compared within a key
        found += differences([one for one in expected if one["key"] == key], [one for one in told if one["key"] == key])
    assert found == []


def test_sequences_have_no_holes_and_ids_do_not_repeat(done: Finished) -> None:
    ids: Counter[str] = Counter()
    for (topic, key, _), values in done.live.items():
        if topic not in {*ALERTS, "sla.status.v1"}:
            continue
        events = [orjson.loads(value) for value in values]
        assert [event["data"]["sequence"] for event in events] == list(range(1, len(events) + 1)), (topic, key)
        ids.update(event["id"] for event in events)
    assert ids
    assert set(ids.values()) == {1}


def test_feeds_count_up_within_each_source_and_reach_the_outbox_once(done: Finished) -> None:
    notices: dict[str, list[int]] = defaultdict(list)
    sends: Counter[str] = Counter()
    for (topic, _, _), values in done.live.items():
        documents = [orjson.loads(value) for value in values] if topic in {"sla.notices.v1", "sla.outbox.v1"} else []
        for document in documents:
            if document["type"] == "notice":
                notices[f"{document['stakeholder']} {document['source']}"].append(document["sequence"])
            elif document["type"] == "send":
                sends[document["id"]] += 1
    assert all(found == sorted(set(found)) for found in notices.values())
    assert sum(sends.values()) == sum(map(len, notices.values()))
    assert set(sends.values()) == {1}


def test_a_foreign_consumer_reads_and_validates_the_events(done: Finished, tmp_path: Path) -> None:
    program = shutil.copy(foreign.__file__, tmp_path)
    pairs = [f"sla.{name}.v1={name}.schema.json" for name in VALIDATED]
    ended = subprocess.run(
        [sys.executable, "-I", program, done.run.broker.bootstrap, str(SCHEMAS.absolute()), *pairs],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["invalid"] == []
    assert found["imported"] == []
    assert all(found["counts"].values()), found["counts"]


def test_no_worker_wrote_a_traceback(done: Finished) -> None:
    assert "Traceback" not in done.run.workers.logs()

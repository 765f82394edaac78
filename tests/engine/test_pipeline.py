"""The four roles as real processes on a real Kafka and Redis: telemetry in; alert, notice, delivery and status out."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis

from agents.__main__ import ROLES
from agents.project import STATUS_KEY
from schemas import topics
from schemas.catalogue_log import records_of
from sla.units import HOUR_MS, rfc3339
from tests.harness import Broker, consume_until, produce
from tests.harness.ports import free_port
from tests.harness.process import Process, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.redis]

PARTITIONS = 4
DOCUMENTS = [
    {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    for kind, name, spec in (
        ("Service", "payments", {"owner": "payments-team"}),
        (
            "Objective",
            "payments-availability",
            {
                "service": "payments",
                "indicator": {"type": "ratio", "signal": "availability"},
                "target": "99.9%",
                "window": {"rolling": "1h"},
                "warnings": {"burnRates": "none", "forecast": "none"},
            },
        ),
        (
            "Stakeholder",
            "payments-oncall",
            {"audience": "oncall", "watches": {"services": ["payments"]}, "channels": [{"console": {}}]},
        ),
    )
]


@pytest.fixture
def pipeline(kafka: Broker, redis_url: str) -> Iterator[dict[str, Process]]:
    names = [topic.name for topic in topics.ALL]
    kafka.delete_topics(*names)
    for topic in topics.ALL:
        kafka.create_topics({topic.name: topic.partitions or PARTITIONS}, topic.settings())
    workers = {
        role: Process(
            [sys.executable, "-m", "agents", role],
            name=role,
            env={
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
                "REDIS_URL": redis_url,
                "FOREWARN_FLUSH_INTERVAL": "1s",
                "FOREWARN_SESSION_TIMEOUT": "3s",
                "FOREWARN_HEALTH_PORT": str(free_port()),
            },
        )
        for role in ROLES
    }
    yield workers
    for worker in workers.values():
        worker.kill()
    kafka.delete_topics(*names)


def telemetry(bootstrap: str, *records: dict[str, Any]) -> None:
    produce(bootstrap, topics.TELEMETRY.name, [("payments", orjson.dumps(record)) for record in records])


def values(bootstrap: str, topic: str, count: int) -> list[Any]:
    found = consume_until(bootstrap, [topic], lambda records: len(records) >= count)
    return [orjson.loads(record.value or b"") for record in found]


def test_a_breach_is_published_told_delivered_and_shown(
    kafka: Broker, redis_url: str, pipeline: dict[str, Process]
) -> None:
    produce(kafka.bootstrap, topics.CATALOGUE.name, records_of(DOCUMENTS, "apply-1", 0))
    # The marker is in the log before the data: else the fold would not know the objective yet.
    consume_until(
        kafka.bootstrap,
        [topics.TELEMETRY.name],
        lambda records: len({r.partition for r in records if b'"catalogue"' in (r.value or b"")}) == PARTITIONS,
    )
    now = int(time.time() * 1000)
    named = {"service": "payments", "signal": "availability"}
    telemetry(
        kafka.bootstrap,
        {"type": "history", **named, "from": rfc3339(now - HOUR_MS), "to": rfc3339(now), "good": 100_000, "bad": 0},
        {"type": "counts", **named, "at": rfc3339(now), "good": 500, "bad": 500},
        {"type": "counts", **named, "service": "nobody", "at": rfc3339(now), "good": -1, "bad": 0},
    )
    alerts = values(kafka.bootstrap, topics.ALERTS.name, 1)
    breach = next(alert for alert in alerts if alert["type"] == "forewarn.breach.v1")
    assert breach["data"]["dedup_key"] == "payments/payments-availability"
    (sent, *_) = values(kafka.bootstrap, topics.OUTBOX.name, 1)
    assert sent["stakeholder"] == "payments-oncall"
    (delivery, *_) = values(kafka.bootstrap, topics.DELIVERIES.name, 1)
    assert (delivery["id"], delivery["outcome"]) == (sent["id"], "delivered")
    pipeline["deliver"].wait_for_log("to payments-oncall (oncall)")
    (letter, *_) = values(kafka.bootstrap, topics.DEAD_LETTERS.name, 1)
    assert letter["topic"] == topics.TELEMETRY.name

    client = redis.Redis.from_url(redis_url)

    def shown() -> dict[str, Any]:
        text = client.hget(STATUS_KEY, "payments/payments-availability")
        return dict(orjson.loads(text)) if isinstance(text, bytes) else {}

    wait_for(lambda: shown().get("state") == "breached", "the state in Redis")
    client.flushall()
    wait_for(lambda: shown().get("state") == "breached", "the state in Redis once more")
    client.close()
    for worker in pipeline.values():
        worker.terminate()
    for name, worker in pipeline.items():
        wait_for(lambda worker=worker: worker.exit_code is not None, f"{name} to stop", explain=worker.log_tail)
        assert worker.exit_code == 0, worker.log_tail()
        assert "Traceback" not in worker.log.read_text()

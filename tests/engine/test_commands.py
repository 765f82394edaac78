"""A command on its way through real processes: route sends it on, detect decides it, all who were told hear of it."""

from __future__ import annotations

import sys
import time
from typing import Any

import orjson

from forewarn.embedded import EmbeddedBroker
from schemas import topics
from schemas.catalogue_log import records_of
from sla.units import HOUR_MS, rfc3339
from tests.engine.test_pipeline import DOCUMENTS, PARTITIONS
from tests.harness import Process, Received, consume_until, free_port, produce

KEY = "payments/payments-availability"


def of_type(records: list[Received], *kinds: str) -> list[dict[str, Any]]:
    found = [orjson.loads(record.value or b"{}") for record in records]
    return [each for each in found if each.get("type") in kinds]


def test_an_ack_reaches_the_episode_the_record_and_every_partition_of_the_notices() -> None:
    named = {topic.name: topic.partitions or PARTITIONS for topic in topics.ALL}
    with EmbeddedBroker.start(named) as broker:
        bootstrap = broker.bootstrap
        produce(bootstrap, topics.CATALOGUE.name, records_of(DOCUMENTS, "apply-1", 0))
        roles = {
            role: Process(
                [sys.executable, "-m", "agents", role],
                name=role,
                env={"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "FOREWARN_HEALTH_PORT": str(free_port())},
            )
            for role in ("route", "detect")
        }
        with roles["route"], roles["detect"]:
            consume_until(
                bootstrap,
                [topics.TELEMETRY.name],
                lambda got: len(of_type(got, "catalogue")) >= PARTITIONS,
            )
            now = int(time.time() * 1000)
            about = {"service": "payments", "signal": "availability"}
            lasted = {"from": rfc3339(now - HOUR_MS), "to": rfc3339(now), "good": 100_000, "bad": 0}
            told = [
                {"type": "history", **about, **lasted},
                {"type": "counts", **about, "at": rfc3339(now), "good": 500, "bad": 500},
            ]
            produce(bootstrap, topics.TELEMETRY.name, [("payments", orjson.dumps(each)) for each in told])
            consume_until(bootstrap, [topics.ALERTS.name], bool)
            acks = [
                {"type": "ack", "id": name, "by": "bob", "dedup_key": key}
                for name, key in (("c0", KEY), ("c1", "payments/unheard-of"))
            ]
            produce(bootstrap, topics.COMMANDS.name, [(ack["id"], orjson.dumps(ack)) for ack in acks])

            kinds = ("command_accepted", "command_refused")
            records = consume_until(
                bootstrap, [topics.RECORDS.name], lambda got: len(of_type(got, *kinds)) >= len(acks)
            )
            assert {each["id"]: each["type"] for each in of_type(records, *kinds)} == dict(
                zip(("c0", "c1"), kinds, strict=True)
            )
            alerts = consume_until(bootstrap, [topics.ALERTS.name], lambda got: len(got) >= 2)
            (changed,) = of_type(alerts, "forewarn.flags_changed.v1")
            assert changed["data"]["flags"]["acked_by"] == "bob"
            fed = consume_until(bootstrap, [topics.NOTICES.name], lambda got: len(of_type(got, "ack")) >= PARTITIONS)
            assert len({record.partition for record in fed if b'"ack"' in (record.value or b"")}) == PARTITIONS

"""Tickets through a worker of the role `clock` on the embedded broker: what it says is what a replay says."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from agents.settings import Settings
from forewarn.embedded import EmbeddedBroker
from forewarn.replay.run import run
from schemas.catalogue_log import records_of
from schemas.topics import ALERTS, ALL, CATALOGUE, CLOCKS, DEAD_LETTERS, RECORDS, STATUS, TICKETS
from sla.units import MINUTE_MS, rfc3339
from tests.harness import consume_until, produce
from tests.harness.ports import free_port
from tests.harness.process import Process
from tests.system.recorded import Output, committed, line_of, live_output, read_all, replayed_output, unlike

pytestmark = pytest.mark.kafka

PARTITIONS = 2
PLANNING_REPLY = b'"type":"forewarn.planning_reply.v1"'
SAID = (ALERTS.name, CLOCKS.name, STATUS.name, RECORDS.name, DEAD_LETTERS.name)
DOCUMENTS = [
    {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    for kind, name, spec in (
        ("Service", "pay", {"owner": "team"}),
        ("Stakeholder", "team", {"audience": "owner", "watches": {"services": ["pay"]}, "channels": [{"console": {}}]}),
        ("TicketObjective", "fix", {
            "service": "pay", "metric": "resolution", "target": "10m", "when": {"priority": ["P1"]},
            "stop": {"state": ["resolved"]},
        }),
        ("TicketObjective", "answer", {
            "service": "pay", "metric": "first_response", "target": "5m", "when": {"priority": ["P1", "P2"]},
        }),
    )
]  # fmt: skip


@pytest.fixture
def bootstrap() -> Iterator[str]:
    with EmbeddedBroker.start({topic.name: topic.partitions or PARTITIONS for topic in ALL}) as broker:
        yield broker.bootstrap


def happened(ticket: str, at: int, event: str = "updated", by: str | None = None, **fields: str) -> dict[str, Any]:
    body = {"type": "ticket", "ticket": ticket, "service": "pay", "at": rfc3339(at), "event": event, "fields": fields}
    return body if by is None else {**body, "by": by}


def told(at: int) -> list[dict[str, Any]]:
    """Met, missed, paused, retargeted, answered, too late, out of order, and one that is no event."""
    opened = [happened(f"T-{number}", at, "created", priority="P1", state="new") for number in range(6)]
    return [
        *opened,
        happened("T-0", at + 1, "reply", "agent"),
        happened("T-0", at + 2, state="resolved"),
        happened("T-1", at + 3, state="pending"),
        happened("T-2", at + 4, priority="P2"),
        happened("T-3", at + 9, state="pending"),
        happened("T-3", at + 5, state="resolved"),
        happened("T-3", at + 7, "reopened", state="open"),
        {"type": "ticket", "ticket": "T-4"},
    ]


def has(name: str, key: str) -> Callable[[list[Any]], bool]:
    def found(records: list[Any]) -> bool:
        values = [orjson.loads(record.value or b"{}") for record in records]
        return any(each["type"] == f"forewarn.{name}.v1" and each["subject"] == key for each in values)

    return found


def test_what_a_worker_says_of_tickets_is_what_a_replay_of_its_topics_says(bootstrap: str, tmp_path: Path) -> None:
    begin = int(time.time() * 1000)
    produce(bootstrap, CATALOGUE.name, records_of(DOCUMENTS, "apply-1", 0))
    worker = Process(
        [sys.executable, "-m", "agents", "clock"],
        name="clock",
        env={
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "FOREWARN_CLOCK": f"{begin},120",
            "FOREWARN_FLUSH_INTERVAL": "1s",
            "FOREWARN_HEALTH_PORT": str(free_port()),
        },
    )
    try:
        # The marker is in each partition before the data: else the fold would not know the objectives yet.
        consume_until(bootstrap, [TICKETS.name], lambda found: _markers(found) == PARTITIONS)
        sent = [(each["ticket"], orjson.dumps(each)) for each in told(begin)]
        produce(bootstrap, TICKETS.name, sent)
        consume_until(bootstrap, [ALERTS.name], has("breach", "pay/fix/ticket:T-5"))
        late = happened("T-5", begin + 5 * MINUTE_MS, state="resolved")
        produce(bootstrap, TICKETS.name, [("T-5", orjson.dumps(late))])
        consume_until(bootstrap, [ALERTS.name], has("correction", "pay/fix/ticket:T-5"))
        worker.terminate()
        assert worker.wait() == 0
    finally:
        worker.kill()
    live = live_output(bootstrap, SAID)
    replayed = replayed_output(_replay(bootstrap, tmp_path))
    assert {topic for topic, *_ in live} == set(SAID)
    assert unlike(live, _of_clock(replayed)) == []


def _of_clock(replayed: Output) -> Output:
    """Without what `dispatch` says, which no worker runs here: a question that a slow run leaves without an answer."""
    said = {key: [each for each in values if PLANNING_REPLY not in each] for key, values in replayed.items()}
    return {key: values for key, values in said.items() if key[0] in SAID and values}


def _markers(records: list[Any]) -> int:
    return len({each.partition for each in records if b'"catalogue"' in (each.value or b"")})


def _replay(bootstrap: str, folder: Path) -> bytes:
    ends = committed(bootstrap, "clock", TICKETS.name, PARTITIONS)
    read = [each for each in read_all(bootstrap, TICKETS.name) if each.offset < ends[each.partition]]
    definitions, source, output = folder / "definitions.yaml", folder / "in.jsonl", folder / "out.jsonl"
    definitions.write_text(yaml.safe_dump_all(DOCUMENTS[:1]), encoding="utf-8")
    lines = [line_of(each) for each in [*read_all(bootstrap, CATALOGUE.name), *read]]
    source.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    run([definitions], str(source), str(output), cluster=Settings(kafka_bootstrap_servers=bootstrap).forewarn_cluster)
    return output.read_bytes()

"""`--from-kafka`: topics of a cluster become the input of a replay."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from agents.routing import FORWARDED
from forewarn.embedded import EmbeddedBroker
from forewarn.replay.entry import Entry, read_entry
from forewarn.replay.recording import TOPICS, recorded
from sla.partitioner import partition_of

T = 1_795_428_000_000
CATALOGUE, TELEMETRY, TICKETS, NOTICES = TOPICS


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """A broker of its own, since the topics have the names they have; it keeps the stamps that a test chooses."""
    with EmbeddedBroker.start({CATALOGUE: 1, TELEMETRY: 2, TICKETS: 2, NOTICES: 1}) as broker:
        yield broker.bootstrap


def test_topics_are_read_between_two_instants_and_the_catalogue_from_its_beginning(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = Producer({"log_level": 0, "bootstrap.servers": bootstrap})
    for at in range(T - 3000, T + 4000, 1000):
        for partition in (0, 1):
            value = json.dumps([at]).encode()
            producer.produce(TELEMETRY, value, b"\xff", partition, timestamp=at, headers=[("h", b"\x00")])
    producer.produce(CATALOGUE, b"document", b"Objective/x", 0, timestamp=T - 9000)
    producer.produce(TELEMETRY, None, None, 0, timestamp=T)
    assert producer.flush(30) == 0
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    with recorded(f"{T - 1000}..{T + 1000}") as file:
        entries = [entry for line in file if (entry := read_entry(line)) is not None]
    assert entries[0] == Entry(CATALOGUE, 0, 0, b"Objective/x", b"document", T - 1000, is_appended=False)
    stamps = {partition: [e.timestamp - T for e in entries if (e.topic, e.partition) == (TELEMETRY, partition)]
              for partition in (0, 1)}  # fmt: skip
    assert stamps == {0: [-1000, 0, 1000, 0], 1: [-1000, 0, 1000]}
    assert [e.offset for e in entries if e.topic == TELEMETRY and e.partition == 1] == [2, 3, 4]
    assert {e.key for e in entries if e.partition == 1} == {b"\xff"}
    assert {e.headers for e in entries if e.partition == 1} == {(("h", b"\x00"),)}
    assert [e.value for e in entries if e.topic == TELEMETRY][3] is None


def test_a_record_in_a_wrong_partition_is_replayed_where_it_was_sent_on_to(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = Producer({"log_level": 0, "bootstrap.servers": bootstrap})
    right = partition_of(b"pay", 2)
    for partition, headers in ((1 - right, []), (right, [(FORWARDED, b"x")])):
        producer.produce(TELEMETRY, b'{"service":"pay"}', b"pay", partition, timestamp=T, headers=headers)
    assert producer.flush(30) == 0
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    with recorded("..") as file:
        entries = [read_entry(line) for line in file]
    assert [entry.partition for entry in entries if entry is not None] == [right]


def test_tickets_are_replayed_too_and_those_that_went_astray_only_where_they_were_sent_on_to(
    bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = Producer({"log_level": 0, "bootstrap.servers": bootstrap})
    right = partition_of(b"INC-1", 2)
    for partition, headers in ((1 - right, []), (right, [(FORWARDED, b"x")])):
        producer.produce(TICKETS, b'{"ticket":"INC-1"}', None, partition, timestamp=T, headers=headers)
    assert producer.flush(30) == 0
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    with recorded("..") as file:
        entries = [read_entry(line) for line in file]
    assert [(entry.topic, entry.partition) for entry in entries if entry is not None] == [(TICKETS, right)]

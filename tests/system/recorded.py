"""What stands on the topics after a run: as the input of a replay, and as the output to compare with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from time import monotonic
from typing import Any, NamedTuple

import orjson
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, TopicPartition

from schemas.topics import CATALOGUE, NOTICES, TELEMETRY, TICKETS
from tests.harness import Received
from tests.harness.broker import unique
from tests.harness.process import PATIENCE_S
from tests.harness.records import headers_of

INPUTS = (CATALOGUE.name, TELEMETRY.name, NOTICES.name)
OUTPUTS = (
    *("sla.alerts.v1", "sla.alerts.shadow.v1", "sla.status.v1", "sla.records.v1", "sla.notices.v1", "sla.late.v1"),
    *("sla.dlq.v1", "sla.outbox.v1", "sla.tickets.v1"),
)
ROLE_OF = {TELEMETRY.name: "detect", NOTICES.name: "dispatch"}

Key = tuple[str, str | None, str]
"""Topic, key, and whose sequence it is: order is promised among the records of one partition of input."""
Output = dict[Key, list[bytes]]


class Printed(NamedTuple):
    """One emission: where it goes, and its value's bytes."""

    topic: str
    key: str | None
    value: bytes


def read_all(bootstrap: str, topic: str) -> list[Received]:
    """Every record of a topic, each partition in order, up to where it ends now."""
    with_group = {"group.id": unique("system"), "enable.auto.commit": False}
    consumer = Consumer({"bootstrap.servers": bootstrap, "enable.partition.eof": False, **with_group})
    found: list[Received] = []
    try:
        left = {}
        for partition in consumer.list_topics(topic, PATIENCE_S).topics[topic].partitions:
            low, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE_S)
            assert low == 0, f"{topic}/{partition} has lost its beginning"
            if end:
                left[partition] = end
        consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
        deadline = monotonic() + PATIENCE_S
        while left:
            assert monotonic() < deadline, f"{topic}: nothing more comes, yet {left} are the ends"
            for message in consumer.consume(1000, 0.05):
                assert message.error() is None, message.error()
                kind, timestamp = message.timestamp()
                stamped = "append" if kind == TIMESTAMP_LOG_APPEND_TIME else "create"
                place = (message.partition() or 0, message.offset() or 0)
                found.append(
                    Received(topic, *place, timestamp, stamped, message.key(), message.value(), headers_of(message))
                )
                if place[1] + 1 >= left.get(place[0], 0):
                    left.pop(place[0], None)
    finally:
        consumer.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))


def committed(bootstrap: str, role: str, topic: str, partitions_count: int) -> dict[int, int]:
    """How far a role has read, by partition: what lies beyond was written but not read by anybody."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"forewarn-{role}", "enable.auto.commit": False})
    try:
        asked = [TopicPartition(topic, partition) for partition in range(partitions_count)]
        return {found.partition: max(0, found.offset) for found in consumer.committed(asked, timeout=PATIENCE_S)}
    finally:
        consumer.close()


def inputs(bootstrap: str, partitions_count: int) -> list[Received]:
    """The catalogue, and what the folds have read of their topics."""
    found = []
    for topic in INPUTS:
        records = read_all(bootstrap, topic)
        if topic in ROLE_OF:
            ends = committed(bootstrap, ROLE_OF[topic], topic, partitions_count)
            records = [record for record in records if record.offset < ends[record.partition]]
        found += records
    return found


def line_of(record: Received) -> dict[str, Any]:
    """A record in replay's line format; the value is its raw text."""
    return {
        "topic": record.topic,
        "key": None if record.key is None else record.key.decode(),
        "value": None if record.value is None else record.value.decode(),
        "timestamp": record.timestamp,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_type": record.timestamp_type,
    }


def live_output(bootstrap: str, topics: Iterable[str] = OUTPUTS) -> Output:
    """What the workers published, by key, without exact repeats; they publish objects; anything else was a test's."""
    records = [record for topic in topics for record in read_all(bootstrap, topic)]
    records = [record for record in records if (record.value or b"").startswith(b"{")]
    return _by_key(
        Printed(record.topic, None if record.key is None else record.key.decode(), record.value or b"")
        for record in records
    )


def replayed_output(lines: bytes) -> Output:
    """What a replay printed, by key."""
    return _by_key(map(_printed, lines.splitlines()))


def _printed(line: bytes) -> Printed:
    document = orjson.loads(line)
    before = orjson.dumps({"topic": document["topic"], "key": document["key"]})[:-1] + b',"value":'
    assert line.startswith(before), line[:200]
    return Printed(document["topic"], document["key"], line[len(before) : -1])


def _by_key(printed: Iterable[Printed]) -> Output:
    found: dict[Key, dict[bytes, None]] = defaultdict(dict)
    for topic, key, value in printed:
        found[topic, key, _sequence_of(topic, value)][value] = None
    return {key: list(values) for key, values in found.items()}


def _sequence_of(topic: str, value: bytes) -> str:
    """Notices of one stakeholder come from many partitions, dead letters without a key and exclusions too."""
    if topic in {NOTICES.name, TICKETS.name}:
        document = orjson.loads(value)
        return str(document["source"]) if document["type"] in {"notice", "exclusion"} else "own"
    if topic in {"sla.dlq.v1", "sla.late.v1"}:
        document = orjson.loads(value)
        return f"{document['topic']}/{document['partition']}"
    return ""


def without_own(output: Output) -> Output:
    """Less what a partition's owner writes into its own log (ticks)."""
    return {key: values for key, values in output.items() if key[2] != "own"}


def unlike(live: Output, replayed: Output) -> list[str]:
    """One line per key that differs, with the first record that does; empty when all bytes are the same."""
    found = []
    for key in sorted({*live, *replayed}, key=str):
        one, other = live.get(key, []), replayed.get(key, [])
        if one == other:
            continue
        place = next(
            (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
        )
        shown = [values[place].decode() if place < len(values) else "nothing" for values in (one, other)]
        found.append(f"{key}: {len(one)} live, {len(other)} replayed; at {place} live {shown[0]} replayed {shown[1]}")
    return found

"""Producing and consuming by hand: a client that knows nothing of Forewarn's code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import NamedTuple

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, KafkaException, Message, Producer

from tests.harness.broker import unique
from tests.harness.process import PATIENCE_S

SHOWN_MAX = 20


class Received(NamedTuple):
    """One record as a foreign consumer sees it; `timestamp_type` is `create` or `append`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def produce(
    bootstrap: str,
    topic: str,
    records: Iterable[tuple[bytes | str | None, bytes | str | None]],
    *,
    partition: int | None = None,
) -> list[tuple[int, int]]:
    """Send (key, value) pairs, murmur2-partitioned unless told; returns (partition, offset) of each, acknowledged."""
    placed: list[tuple[int, int]] = []
    failed: list[str] = []

    def noted(error: object, message: Message) -> None:
        if error is not None:
            failed.append(str(error))
        else:
            placed.append((message.partition() or 0, message.offset() or 0))

    producer = Producer(
        {
            "log_level": 0,
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "linger.ms": 5,
        }
    )
    where = {} if partition is None else {"partition": partition}
    for key, value in records:
        while True:
            try:
                producer.produce(topic, key=key, value=value, on_delivery=noted, **where)
            except BufferError:
                producer.poll(0.5)
            else:
                break
    left_count = producer.flush(PATIENCE_S)
    if failed or left_count:
        pytest.fail(f"{left_count} records not acknowledged, failed: {failed[:3]}", pytrace=False)
    return placed


def consume_until(
    bootstrap: str,
    topics: Sequence[str],
    enough: Callable[[list[Received]], bool],
    *,
    within_s: float = PATIENCE_S,
) -> list[Received]:
    """Read `topics` from their beginning until `enough(records)` holds; fails, showing what came, at the deadline."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": unique("test"),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "topic.metadata.refresh.interval.ms": 1000,
        }
    )
    received: list[Received] = []
    deadline = monotonic() + within_s
    try:
        consumer.subscribe(list(topics))
        while not enough(received):
            if monotonic() > deadline:
                shown = "\n".join(str(record) for record in received[-SHOWN_MAX:])
                pytest.fail(
                    f"{within_s:g} s passed; {len(received)} records are not enough, the last:\n{shown}",
                    pytrace=False,
                )
            received += [_received(message) for message in consumer.consume(1000, 0.1) if _is_record(message)]
    finally:
        consumer.close()
    return received


def _is_record(message: Message) -> bool:
    error = message.error()
    # A topic that is about to be created is not an error yet: the deadline decides.
    if error is not None and error.name() != "UNKNOWN_TOPIC_OR_PART" and not error.retriable():
        raise KafkaException(error)
    return error is None


def _received(message: Message) -> Received:
    kind, timestamp = message.timestamp()
    return Received(
        str(message.topic()),
        message.partition() or 0,
        message.offset() or 0,
        timestamp,
        "append" if kind == TIMESTAMP_LOG_APPEND_TIME else "create",
        message.key(),
        message.value(),
        headers_of(message),
    )


def headers_of(message: Message) -> tuple[tuple[str, bytes], ...]:
    """A message's headers; there are none on most."""
    return tuple((name, content or b"") for name, content in message.headers() or ())

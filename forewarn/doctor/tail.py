"""The newest records of a topic, as folds see them, and where each partition begins and ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from forewarn.kafka import ANSWER_WITHIN_S, POLL_S, READ_WITHIN_S, Config
from sla.fold import Line

_BATCH_COUNT: Final = 1000


class Bounds(NamedTuple):
    """The first offset that a partition holds, and the one that its next record gets."""

    low: int
    end: int


class Tail(NamedTuple):
    """What the end of a topic looks like; the lines of a partition in order."""

    bounds: Mapping[int, Bounds]
    lines: Mapping[int, list[Line]]


def read_tail(config: Config, topic: str, partitions_count: int, newest_count: int) -> Tail:
    """At most so many of the newest offsets of each partition; raises KafkaException when the broker stops answering.

    What is appended while it reads is left out: a topic that never rests must not hold the reader.
    """
    consumer = _consumer(config)
    try:
        bounds = {number: _bounds(consumer, topic, number) for number in range(partitions_count)}
        starts = {number: max(low, end - newest_count) for number, (low, end) in bounds.items() if low < end}
        consumer.assign([TopicPartition(topic, number, start) for number, start in starts.items()])
        return Tail(bounds, _read(consumer, topic, {number: bounds[number].end for number in starts}))
    finally:
        consumer.close()


def read_bounds(config: Config, topic: str, partitions_count: int) -> dict[int, Bounds]:
    """Where each partition begins and ends now."""
    consumer = _consumer(config)
    try:
        return {number: _bounds(consumer, topic, number) for number in range(partitions_count)}
    finally:
        consumer.close()


def _consumer(config: Config) -> Consumer:
    return Consumer(
        {
            **config,
            "log_level": 0,
            "group.id": "forewarn-doctor",  # required by the library; nothing is ever committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "allow.auto.create.topics": False,
        }
    )


def _bounds(consumer: Consumer, topic: str, partition: int) -> Bounds:
    found = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_WITHIN_S)
    if found is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - public name
    return Bounds(*found)


def _read(consumer: Consumer, topic: str, ends: dict[int, int]) -> dict[int, list[Line]]:
    lines: dict[int, list[Line]] = {}
    heard_at = time.monotonic()
    while ends:
        for message in consumer.consume(_BATCH_COUNT, POLL_S):
            partition, error = message.partition() or 0, message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - public name
                raise KafkaException(error)
            if partition not in ends:
                continue
            heard_at = time.monotonic()
            offset = message.offset() or 0
            if error is None and offset < ends[partition]:
                lines.setdefault(partition, []).append(_line(message))
            if error is not None or offset >= ends[partition] - 1:
                del ends[partition]
                consumer.incremental_unassign([TopicPartition(topic, partition)])
        if time.monotonic() - heard_at > READ_WITHIN_S:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - public name
    return lines


def _line(message: Message) -> Line:
    kind, stamped_at = message.timestamp()
    return Line(
        message.offset() or 0,
        message.key(),
        message.value(),
        stamped_at,
        stamped_at if kind == TIMESTAMP_LOG_APPEND_TIME else None,
        [(name, content or b"") for name, content in message.headers() or ()],
    )

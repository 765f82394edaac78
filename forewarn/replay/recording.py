"""Topics of a live cluster as the input of a replay."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

import orjson
from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from agents.routing import Place, misplaced
from forewarn.connection import kafka_config
from forewarn.console import UserError, progress
from forewarn.kafka import ANSWER_WITHIN_S, POLL_S, READ_WITHIN_S, Config, broker_away, partitions_of
from schemas.instants import read_instant
from schemas.topics import CATALOGUE, NOTICES, TELEMETRY, TICKETS
from sla.fold import Line
from sla.partitioner import partition_of

_KEYS: Final = {TELEMETRY.name: "service", TICKETS.name: "ticket", NOTICES.name: "stakeholder"}
"""The topics of the folds that a replay runs, and the field of a body that repeats the key."""
TOPICS: Final = (CATALOGUE.name, *_KEYS)
_BATCH_COUNT: Final = 1000
_BEGINNING: Final = 0
_NEVER: Final = 2**62


@contextmanager
def recorded(between: str) -> Iterator[BinaryIO]:
    """All records of `FROM..TO`, both included, as lines in a temporary file; the catalogue from its beginning.

    What lies in a wrong partition is left out: no fold has read it there, and its copy lies in the right one.
    """
    from_at, to_at = read_range(between)
    config = kafka_config()
    with TemporaryFile("w+b") as file:
        with progress("reading the topics"):
            for topic, count in partitions_of(config, TOPICS).items():
                for partition in range(count):
                    for message in _messages(config, topic, partition, from_at, to_at):
                        if not _is_sent_on(message, count):
                            file.write(line_of(message, from_at))
        file.seek(0)
        yield file


def read_range(text: str) -> tuple[int, int]:
    """`FROM..TO`: two instants, RFC 3339 or epoch milliseconds; one left out is the beginning or the end."""
    start, dots, end = text.partition("..")
    bounds = (_bound(start, _BEGINNING), _bound(end, _NEVER))
    if not dots or None in bounds:
        raise UserError(
            f"{text!r} is not a range", "write FROM..TO, such as 2026-11-23T10:00:00Z..2026-11-23T11:00:00Z"
        )
    from_at, to_at = bounds
    if from_at is None or to_at is None or from_at > to_at:
        raise UserError(f"{text!r} ends before it begins", "write the earlier instant first")
    return from_at, to_at


def line_of(message: Message, from_at: int) -> bytes:
    """One record as a line of input. What of the catalogue is older than the range is in force at its start."""
    kind, timestamp = message.timestamp()
    key, value = message.key(), message.value()
    line: dict[str, Any] = {
        "topic": message.topic(),
        "key": None,
        "value": None,
        "timestamp": max(timestamp, from_at),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp_type": "append" if kind == TIMESTAMP_LOG_APPEND_TIME else "create",
    }
    if key is not None:
        line["key_base64"] = b64encode(key).decode()
    if value is not None:
        line["value_base64"] = b64encode(value).decode()
    if message.headers():
        line["headers"] = [[name, b64encode(content or b"").decode()] for name, content in message.headers()]
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _is_sent_on(message: Message, partitions_count: int) -> bool:
    topic, partition = message.topic() or "", message.partition() or 0
    if topic not in _KEYS:
        return False
    place = Place(topic, partitions_count, _KEYS[topic], partition_of)
    headers = [(name, content or b"") for name, content in message.headers() or ()]
    line = Line(message.offset() or 0, message.key(), message.value(), message.timestamp()[1], None, headers)
    return misplaced(place, partition, line) is not None


def _bound(text: str, if_empty: int) -> int | None:
    return read_instant(int(text) if text.isascii() and text.isdigit() else text) if text else if_empty


def _messages(config: Config, topic: str, partition: int, from_at: int, to_at: int) -> Iterator[Message]:
    """The records of one partition whose timestamp is in the range, up to where the partition ended at the start."""
    consumer = Consumer(
        {
            **config,
            "log_level": 0,
            "group.id": "forewarn-replay",  # required by the library; nothing is ever committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        low, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_WITHIN_S)
        start = low
        if topic != CATALOGUE.name and from_at > _BEGINNING:
            asked = TopicPartition(topic, partition, from_at)
            # No offset is the answer where nothing is so young, and always the embedded broker's: then all is read.
            start = max(low, consumer.offsets_for_times([asked], timeout=ANSWER_WITHIN_S)[0].offset)
        if start < end:
            consumer.assign([TopicPartition(topic, partition, start)])
            for message in _until(consumer, end):
                at = message.timestamp()[1]
                if at <= to_at and (at >= from_at or topic == CATALOGUE.name):
                    yield message
    except KafkaException as error:
        raise broker_away(config, error) from None
    finally:
        consumer.close()


def _until(consumer: Consumer, end: int) -> Iterator[Message]:
    """What the partition holds below `end`; its last offsets may hold no record. Raises KafkaException."""
    heard_at = time.monotonic()
    while time.monotonic() - heard_at < READ_WITHIN_S:
        for message in consumer.consume(_BATCH_COUNT, POLL_S):
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - public name
                raise KafkaException(error)
            if error is not None or message.offset() >= end:
                return
            heard_at = time.monotonic()
            yield message
            if message.offset() == end - 1:
                return
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - public name

"""The command line's own Kafka client: read a topic, follow topics, write records and know that they arrived.

Synchronous and by librdkafka, since a command does one thing and ends; the workers have their own transport. Records
are placed by Java's murmur2, as everywhere in Forewarn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from forewarn.console import ExitCode, UserError

ANSWER_WITHIN_S: Final = 10.0  # a broker that does not answer for this long is away
READ_WITHIN_S: Final = 30.0  # and one that stops in the middle of a topic, too
POLL_S: Final = 0.2

Config = Mapping[str, Any]


class Record(NamedTuple):
    """One record to write; `partition` only where the topic's key does not decide it."""

    topic: str
    key: str | None
    value: bytes
    partition: int | None = None
    timestamp_ms: int | None = None


class Position(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class Read(NamedTuple):
    """One record as it was read."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


def partitions_of(config: Config, topics: Sequence[str]) -> dict[str, int]:
    """The partition counts of these topics; a broker that is away or a topic that is missing is the user's to mend."""
    with _consumer(config) as consumer:
        try:
            # All topics, not each by name: naming a topic makes some brokers create it, with the wrong settings.
            found = consumer.list_topics(timeout=ANSWER_WITHIN_S).topics
        except KafkaException as error:
            raise broker_away(config, error) from None
    missing = [topic for topic in topics if topic not in found]
    if missing:
        raise UserError(
            f"no topic {', '.join(missing)} on {config['bootstrap.servers']}",
            "create the topics with: forewarn topics create",
            ExitCode.REFUSES,
        )
    return {topic: len(found[topic].partitions) for topic in topics}


def read_to_end(config: Config, topic: str) -> list[Read]:
    """Every record the topic holds at this moment, each partition in order."""
    return list(follow(config, [topic], from_beginning=True, until_end=True))


def follow(
    config: Config, topics: Sequence[str], *, from_beginning: bool = False, until_end: bool = False
) -> Iterator[Read]:
    """Records of all partitions as they come, from now on or from the beginning; for ever, or to the present end."""
    start = OFFSET_BEGINNING if from_beginning else OFFSET_END
    counts = partitions_of(config, topics)
    places = [TopicPartition(topic, number, start) for topic, count in counts.items() for number in range(count)]
    unread = {(place.topic, place.partition) for place in places}
    with _consumer(config) as consumer:
        consumer.assign(places)
        heard_at = time.monotonic()
        while unread or not until_end:
            message = consumer.poll(POLL_S)
            if message is None:
                if until_end and time.monotonic() - heard_at > READ_WITHIN_S:
                    raise broker_away(config, KafkaException(KafkaError(KafkaError._TIMED_OUT)))  # noqa: SLF001
                continue
            heard_at = time.monotonic()
            error = message.error()
            if error is None:
                yield _read(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 — the library's public name for it
                unread.discard((message.topic(), message.partition()))
            elif error.code() in (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT) and not until_end:  # noqa: SLF001
                continue
            else:
                raise broker_away(config, KafkaException(error))


def write(config: Config, records: Sequence[Record]) -> list[Position]:
    """Write the records in order, idempotently, and return where they stand; all of them arrived, or a `UserError`."""
    settings = {
        **_quiet(config),
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "message.timeout.ms": int(ANSWER_WITHIN_S * 1000),
    }
    positions: list[Position | None] = [None] * len(records)
    failures: list[KafkaError] = []
    producer = Producer(settings)
    for index, record in enumerate(records):

        def arrived(error: KafkaError | None, message: Message, index: int = index) -> None:
            if error is not None:
                failures.append(error)
            else:
                positions[index] = Position(message.topic(), message.partition(), message.offset())

        _produce(producer, record, arrived)
    unsent = producer.flush(2 * ANSWER_WITHIN_S)
    if failures or unsent:
        reason = failures[0].str() if failures else "no answer"
        raise UserError(
            f"{len(failures) or unsent} of {len(records)} records did not arrive: {reason}",
            f"is Kafka up at {config['bootstrap.servers']}? What arrived stays; run the command again.",
            ExitCode.REFUSES,
        )
    return [position for position in positions if position is not None]


def broker_away(config: Config, error: KafkaException) -> UserError:
    """What a user is told when the broker does not answer."""
    reason = error.args[0].str() if error.args and isinstance(error.args[0], KafkaError) else str(error)
    return UserError(
        f"no Kafka broker answers at {config['bootstrap.servers']}: {reason}",
        "start it, or set KAFKA_BOOTSTRAP_SERVERS (and KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_… where it asks for them)",
        ExitCode.REFUSES,
    )


def _produce(producer: Producer, record: Record, arrived: Any) -> None:
    optional: dict[str, Any] = {}
    if record.partition is not None:
        optional["partition"] = record.partition
    if record.timestamp_ms is not None:
        optional["timestamp"] = record.timestamp_ms
    deadline = time.monotonic() + 2 * ANSWER_WITHIN_S
    while True:
        try:
            producer.produce(record.topic, record.value, record.key, on_delivery=arrived, **optional)
        except BufferError:
            # The queue is full: wait for room, which comes with deliveries or with their failure.
            if time.monotonic() > deadline:
                raise UserError("the broker takes no records", code=ExitCode.REFUSES) from None
            producer.poll(POLL_S)
        else:
            producer.poll(0)
            return


@contextmanager
def _consumer(config: Config) -> Iterator[Consumer]:
    settings = {
        **_quiet(config),
        "group.id": "forewarn-command",  # required by the library; nothing is ever committed
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "allow.auto.create.topics": False,
        "fetch.wait.max.ms": 100,
    }
    consumer = Consumer(settings)
    try:
        yield consumer
    finally:
        consumer.close()


def _quiet(config: Config) -> dict[str, Any]:
    # librdkafka reports each failed connection on standard error; the commands say it once, in words.
    return {**config, "log_level": 0}


def _read(message: Message) -> Read:
    _, timestamp_ms = message.timestamp()
    return Read(message.topic(), message.partition(), message.offset(), timestamp_ms, message.key(), message.value())

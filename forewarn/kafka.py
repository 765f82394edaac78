"""The command line's own Kafka client: read a topic, follow topics, write records and know that they arrived.

Synchronous and by librdkafka, since a command does one thing and ends; the workers have their own transport. Records
are placed by Java's murmur2, as everywhere in Forewarn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

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

_AWAY_FOR_A_MOMENT: Final = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE)  # noqa: SLF001 - public names

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
    consumer = _consumer(config)
    try:
        # All topics, not each by name: naming a topic makes some brokers create it, with the wrong settings.
        found = consumer.list_topics(timeout=ANSWER_WITHIN_S).topics
    except KafkaException as error:
        raise broker_away(config, error) from None
    finally:
        consumer.close()
    missing = [topic for topic in topics if topic not in found]
    if missing:
        raise UserError(
            f"no topic {', '.join(missing)} on {config['bootstrap.servers']}",
            "create the topics with: forewarn topics create",
            ExitCode.REFUSES,
        )
    return {topic: len(found[topic].partitions) for topic in topics}


class Follower:
    """Reads all partitions of some topics, from now on or from the beginning; a context manager."""

    def __init__(self, config: Config, topics: Sequence[str], *, from_beginning: bool = False) -> None:
        """Begin to read; a `UserError` if the broker is away or a topic is missing."""
        self._config = config
        counts = partitions_of(config, topics)
        start = OFFSET_BEGINNING if from_beginning else OFFSET_END
        places = [TopicPartition(topic, number, start) for topic, count in counts.items() for number in range(count)]
        self._consumer = _consumer(config)
        self._consumer.assign(places)
        self._unread = {(place.topic, place.partition) for place in places}

    @property
    def was_at_end(self) -> bool:
        """Whether every partition has been read to where it ended at some moment since the start."""
        return not self._unread

    def poll(self, timeout_s: float = POLL_S) -> Read | None:
        """The next record, or None if none came in this time or the broker is away for a moment."""
        message = self._consumer.poll(timeout_s)
        if message is None:
            return None
        error = message.error()
        if error is None:
            return _read(message)
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's public name for it
            self._unread.discard((message.topic(), message.partition()))
            return None
        if error.retriable() or error.code() in _AWAY_FOR_A_MOMENT:
            return None
        raise broker_away(self._config, KafkaException(error))

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading."""
        self._consumer.close()


def follow(
    config: Config, topics: Sequence[str], *, from_beginning: bool = False, until_end: bool = False
) -> Iterator[Read]:
    """Records of all partitions as they come; for ever, or to the present end."""
    with Follower(config, topics, from_beginning=from_beginning) as follower:
        heard_at = time.monotonic()
        while not (until_end and follower.was_at_end):
            record = follower.poll()
            if record is not None:
                heard_at = time.monotonic()
                yield record
            elif until_end and time.monotonic() - heard_at > READ_WITHIN_S:
                raise broker_away(config, KafkaException(KafkaError(KafkaError._TIMED_OUT)))  # noqa: SLF001


def read_to_end(config: Config, topic: str) -> list[Read]:
    """Every record the topic holds at this moment, each partition in order."""
    return list(follow(config, [topic], from_beginning=True, until_end=True))


class Writer:
    """Writes records in order, idempotently, and remembers which of them arrived."""

    def __init__(self, config: Config) -> None:
        """Connect when the first record is put."""
        self._config = config
        self._producer = Producer(
            {
                **_quiet(config),
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.timeout.ms": int(ANSWER_WITHIN_S * 1000),
            }
        )
        self._positions: list[Position] = []
        self._failures: list[KafkaError] = []

    def put(self, record: Record) -> None:
        """Hand a record over; it arrives later, see `flush`."""
        optional: dict[str, Any] = {}
        if record.partition is not None:
            optional["partition"] = record.partition
        if record.timestamp_ms is not None:
            optional["timestamp"] = record.timestamp_ms
        deadline = time.monotonic() + 2 * ANSWER_WITHIN_S
        while True:
            try:
                self._producer.produce(record.topic, record.value, record.key, on_delivery=self._arrived, **optional)
            except BufferError:
                # The queue is full: wait for room, which comes with deliveries or with their failure.
                if time.monotonic() > deadline:
                    raise self._lost("its queue stays full") from None
                self._serve(self._producer.poll, POLL_S)
            else:
                self._serve(self._producer.poll, 0)
                return

    def flush(self) -> list[Position]:
        """Wait for all that was put since the last flush: where it stands, or a `UserError` if any did not arrive."""
        unsent = self._serve(self._producer.flush, 2 * ANSWER_WITHIN_S)
        if self._failures or unsent:
            raise self._lost(self._failures[0].str() if self._failures else "no answer")
        arrived, self._positions = self._positions, []
        return arrived

    @staticmethod
    def _serve(call: Callable[[float], int], within_s: float) -> int:
        """Let deliveries be told. A Ctrl-C that strikes in the callback is lost inside the binding, which says this."""
        try:
            return call(within_s)
        except SystemError:
            raise KeyboardInterrupt from None

    def _arrived(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures.append(error)
        else:
            self._positions.append(Position(message.topic(), message.partition(), message.offset()))

    def _lost(self, reason: str) -> UserError:
        return UserError(
            f"Kafka at {self._config['bootstrap.servers']} did not take every record: {reason}",
            "is it up? What arrived stays; run the command again",
            ExitCode.REFUSES,
        )


def committed(config: Config, group: str, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """Where a group stands; partitions that it never finished a batch of are left out."""
    consumer = Consumer({**_quiet(config), "group.id": group, "enable.auto.commit": False})
    try:
        asked = [TopicPartition(topic, number) for number in partitions]
        found = consumer.committed(asked, timeout=ANSWER_WITHIN_S)
    finally:
        consumer.close()
    return {place.partition: place.offset for place in found if place.offset >= 0}


def write(config: Config, records: Sequence[Record]) -> list[Position]:
    """Write the records in order and return where they stand, one partition's in order; a `UserError` otherwise."""
    writer = Writer(config)
    for record in records:
        writer.put(record)
    return writer.flush()


def broker_away(config: Config, error: KafkaException) -> UserError:
    """What a user is told when the broker does not answer."""
    reason = error.args[0].str() if error.args and isinstance(error.args[0], KafkaError) else str(error)
    return UserError(
        f"no Kafka broker answers at {config['bootstrap.servers']}: {reason}",
        "start it, or set KAFKA_BOOTSTRAP_SERVERS (and KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_… where it asks for them)",
        ExitCode.REFUSES,
    )


def _consumer(config: Config) -> Consumer:
    return Consumer(
        {
            **_quiet(config),
            "group.id": "forewarn-command",  # required by the library; nothing is ever committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 100,
        }
    )


def _quiet(config: Config) -> dict[str, Any]:
    # librdkafka reports each failed connection on standard error; the commands say it once, in words.
    return {**config, "log_level": 0}


def _read(message: Message) -> Read:
    _, timestamp_ms = message.timestamp()
    return Read(message.topic(), message.partition(), message.offset(), timestamp_ms, message.key(), message.value())

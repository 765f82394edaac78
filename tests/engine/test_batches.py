"""Records in batches: the order of handing over, the offsets that the broker gave, and nothing behind a failure."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition as Place
from confluent_kafka import Consumer, TopicPartition

from agents.app import build
from agents.metrics import Metrics
from agents.outbox import Outbox
from agents.port import FaustPort
from agents.settings import Settings
from agents.transport import Record, SendFailed
from agents.transport.batches import BatchingProducer
from sla.fold import Emission
from tests.engine.counting import role
from tests.engine.parts import new_app
from tests.engine.test_shell import shell_on
from tests.harness import Broker, unique
from tests.harness.process import PATIENCE_S

FULL_BYTES = 2_000
TOO_LARGE_BYTES = 5_000


class Idle(BatchingProducer):
    """Knows its topics, and has no sender: what is in its batches stays there until `sender_takes`."""

    def __init__(self) -> None:
        super().__init__(
            bootstrap_servers="127.0.0.1:1",
            max_batch_size=FULL_BYTES,
            max_request_size=TOO_LARGE_BYTES,
            compression_type="zstd",
            request_timeout_ms=200,
        )
        self.is_asking = asyncio.Event()
        self.may_know = asyncio.Event()
        self.may_know.set()

    async def partitions_for(self, topic: str) -> set[int]:
        del topic
        self.is_asking.set()
        await self.may_know.wait()
        return {0, 1}

    async def send(self, topic: str, value: Any, *, partition: int, key: Any, timestamp_ms: Any, headers: Any) -> Any:
        self._serialize(key, value, headers)
        place = Place(topic, partition)
        return await self._message_accumulator.add_message(
            place, key, value, 0, timestamp_ms=timestamp_ms, headers=headers
        )

    def sender_sleeps(self) -> None:
        self._message_accumulator._waiter_future = asyncio.get_running_loop().create_future()

    async def sender_wakes(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._message_accumulator.waiter()

    def sender_takes(self, topic: str, partition: int) -> Any:
        return self._message_accumulator._pop_batch((topic, partition))


@asynccontextmanager
async def idle() -> AsyncIterator[Idle]:
    producer = Idle()
    yield producer
    producer._closed = True  # it was never started, and has nothing to close


def app_with(producer: Idle) -> Any:
    app = new_app()
    app.fatal = lambda _: None  # type: ignore[method-assign, assignment, return-value]
    app.finalize()
    app.producer._producer = producer
    return app


def values_in(batch: Any) -> list[bytes | None]:
    records = MemoryRecords(bytes(batch.get_data_buffer())).next_batch()
    return [] if records is None else [each.value for each in records]


def to(partition: int, *values: bytes) -> deque[Record]:
    return deque(Record("t", b"k", value, partition) for value in values)


async def until_it_waits(task: asyncio.Task[Any]) -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()


# -- without a broker


async def test_what_is_handed_over_together_is_one_batch_for_each_partition_compressed() -> None:
    async with idle() as producer:
        waiting = deque(Record("t", b"k", b"%d" % n * 50, n % 2) for n in range(10))
        app = app_with(producer)
        sent = await app.producer.post(waiting)
        assert not waiting
        assert [behind_it for _, behind_it in sent] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
        for partition in (0, 1):
            taken = producer.sender_takes("t", partition)
            assert values_in(taken) == [b"%d" % n * 50 for n in range(partition, 10, 2)]
            records = MemoryRecords(bytes(taken.get_data_buffer())).next_batch()
            assert getattr(records, "compression_type", None) == DefaultRecordBatch.CODEC_ZSTD


async def test_a_batch_that_the_sender_has_taken_does_not_grow() -> None:
    async with idle() as producer:
        waiting = to(0, b"1", b"2")
        while waiting:
            await producer.hand_over(waiting)
        first = producer.sender_takes("t", 0)
        await producer.hand_over(waiting := to(0, b"3"))
        assert not waiting
        assert values_in(first) == [b"1", b"2"]
        assert values_in(producer.sender_takes("t", 0)) == [b"3"]


async def test_a_record_joins_the_last_batch_also_while_one_before_it_is_tried_again() -> None:
    async with idle() as producer:
        await producer.hand_over(to(0, b"1"))
        refused = producer.sender_takes("t", 0)
        await producer.hand_over(to(0, b"2"))
        producer._message_accumulator.reenqueue(refused)
        await producer.hand_over(to(0, b"3"))
        assert values_in(producer.sender_takes("t", 0)) == [b"1"]
        assert values_in(producer.sender_takes("t", 0)) == [b"2", b"3"]


async def test_a_full_batch_does_not_linger() -> None:
    async with idle() as producer:
        app = app_with(producer)
        await app.producer.post(to(0, b"x" * 900))
        producer.sender_sleeps()
        waiting = to(0, *(b"x" * 900 for _ in range(2)))
        posting = asyncio.create_task(app.producer.post(waiting))
        await producer.sender_wakes()
        assert producer.sender_takes("t", 0).remaining_linger() is None
        await posting
        assert not waiting


async def test_a_record_that_is_too_large_is_told_and_those_before_it_are_on_their_way() -> None:
    async with idle() as producer:
        waiting = to(0, b"1", b"x" * TOO_LARGE_BYTES, b"3")
        await producer.hand_over(waiting)
        producer.sender_takes("t", 0)
        with pytest.raises(MessageSizeTooLargeError, match=r"\d+ bytes .* larger than the maximum request size"):
            await producer.hand_over(waiting)


async def test_a_wait_for_room_that_nobody_makes_ends() -> None:
    async with idle() as producer:
        app = app_with(producer)
        waiting = to(0, *(b"x" * 900 for _ in range(3)))
        with pytest.raises(KafkaTimeoutError):
            await app.producer.post(waiting)
        assert len(waiting) == 1


async def test_what_is_forgotten_while_a_send_waits_for_room_is_not_sent_and_what_came_meanwhile_is() -> None:
    async with idle() as producer:
        app = app_with(producer)
        port = FaustPort(app, "unit.in", None)
        port.partitions = {"t": 1}
        outbox = Outbox(port, Metrics())
        outbox.add(Emission("t", "k", {"n": n, "text": "x" * 900}) for n in range(4))
        sending = asyncio.create_task(outbox.send())
        await until_it_waits(sending)
        outbox.forget()
        outbox.add([Emission("t", "k", {"n": 9})])
        first = producer.sender_takes("t", 0)
        await sending
        assert [value[:6] for value in values_in(first) if value] == [b'{"n":0', b'{"n":1']
        assert values_in(producer.sender_takes("t", 0)) == [b'{"n":9}']
        assert len(outbox) == 0


async def test_what_is_forgotten_while_the_broker_is_asked_about_a_topic_is_not_sent() -> None:
    async with idle() as producer:
        producer.may_know.clear()
        waiting = to(0, b"1")
        handing_over = asyncio.create_task(producer.hand_over(waiting))
        await producer.is_asking.wait()
        waiting.clear()
        producer.may_know.set()
        assert await handing_over == []
        assert not producer._batches


async def test_a_failure_while_a_send_waits_for_room_is_the_last_of_it() -> None:
    async with idle() as producer:
        app = app_with(producer)
        waiting = to(0, *(b"x" * 900 for _ in range(4)))
        posting = asyncio.create_task(app.producer.post(waiting))
        await until_it_waits(posting)
        producer.sender_takes("t", 0).failure(OSError("refused"))
        with pytest.raises(SendFailed, match="refused"):
            await posting
        assert len(waiting) == 2
        assert not producer._batches


async def test_what_was_handed_over_before_a_send_is_cancelled_is_waited_for() -> None:
    async with idle() as producer:
        app = app_with(producer)
        waiting = to(0, *(b"x" * 900 for _ in range(4)))
        posting = asyncio.create_task(app.producer.post(waiting))
        await until_it_waits(posting)
        posting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await posting
        flushing = asyncio.create_task(app.producer.flush())
        await until_it_waits(flushing)
        producer.sender_takes("t", 0).done(7)
        await flushing


# -- on a broker


@asynccontextmanager
async def connected(broker: Broker) -> AsyncIterator[Any]:
    """An app whose producer runs, and nothing else of it."""
    app = build(Settings(kafka_bootstrap_servers=broker.bootstrap), role("unit"))
    app.reasons = []  # type: ignore[attr-defined]
    app.fatal = app.reasons.append  # type: ignore[attr-defined, method-assign, assignment]
    app.finalize()
    await app.producer.start()
    yield app
    await app.producer.stop()


def read(broker: Broker, topic: str, partitions: Iterable[int]) -> dict[int, list[Any]]:
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap, "group.id": unique("batches"), "enable.auto.commit": False}
    )
    found: dict[int, list[Any]] = {}
    for partition in partitions:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE_S)
        consumer.assign([TopicPartition(topic, partition, 0)])
        records: list[Any] = []
        while len(records) < end:
            records += consumer.consume(1_000, 1.0)
        found[partition] = records
    consumer.close()
    return found


@pytest.mark.kafka
async def test_a_partition_holds_records_as_they_were_handed_over_whoever_sent_them(broker: Broker) -> None:
    topic, dice = unique("order"), random.Random(1)
    broker.create_topics({topic: 3})
    wanted: dict[int, list[bytes]] = {0: [], 1: [], 2: []}
    async with connected(broker) as app:
        for number in range(300):
            waiting: deque[Record] = deque()
            for each in range(dice.choice([1, 3, 40])):
                partition = dice.randrange(3)
                value = b"%d/%d " % (number, each) + b"x" * dice.choice([10, 1_000, 20_000])
                wanted[partition].append(value)
                waiting.append(Record(topic, b"k", value, partition))
            await app.producer.post(waiting)
            if number % 3 == 0:
                wanted[1].append(b"by Faust %d" % number)
                await app.producer.send(topic, b"k", wanted[1][-1], 1, None, None)
        await app.producer.delivered()
    found = read(broker, topic, wanted)
    assert sum(len(value) for value in wanted[0]) > 5 * 2**18  # several batches
    assert {partition: [each.value() for each in records] for partition, records in found.items()} == wanted


@pytest.mark.kafka
async def test_keys_headers_and_timestamps_arrive_as_they_were_given(broker: Broker) -> None:
    topic, at = unique("whole"), 1_795_000_000_001  # as floating seconds and back this would lose a millisecond
    broker.create_topics({topic: 1})
    records = [
        Record(topic, b"k", b"1", 0, at, (("h", b"v"),)),
        Record(topic, None, b"2", 0, at + 1),
        Record(topic, None, b"3", None, at + 2),
        Record(topic, b"k", None, 0, at + 3, (("h", b"v"), ("h", b""))),
    ]
    async with connected(broker) as app:
        await app.producer.post(deque(records))
        await app.producer.delivered()
    found = read(broker, topic, [0])[0]
    assert [(each.key(), each.value(), each.timestamp()[1]) for each in found] == [
        (key, value, timestamp) for _, key, value, _, timestamp, _ in records
    ]
    assert [each.headers() or [] for each in found] == [list(each.headers) for each in records]


@pytest.mark.kafka
async def test_the_table_is_told_the_offset_at_which_each_record_lies(broker: Broker) -> None:
    topic = unique("offsets")
    broker.create_topics({topic: 2})
    told: dict[tuple[int, int], bytes] = {}

    def stored(partition: int, written: Iterable[tuple[bytes, bytes | None, int]]) -> None:
        told.update({(partition, offset): key for key, _, offset in written})

    async with connected(broker) as app:
        port = FaustPort(app, "unit.in", SimpleNamespace(changelog=topic, stored=stored))  # type: ignore[arg-type]
        writes = [
            [(n % 2, b"%d/%d" % (writer, n), bytes(random.Random(n).randbytes(300))) for n in range(3_000)]
            for writer in range(2)
        ]
        await asyncio.gather(*(port.store(each) for each in writes))  # the one's lie between the other's
        await app.producer.send(topic, b"by Faust", b"1", 0, None, None)
        await port.store([(0, b"last", b"1")])
    found = read(broker, topic, [0, 1])
    lies = {(at, each.offset()): each.key() for at, records in found.items() for each in records}
    assert len(lies) == 6_002
    assert {at: key for at, key in lies.items() if key != b"by Faust"} == told


@pytest.mark.kafka
@pytest.mark.admin
async def test_a_batch_that_the_broker_refuses_ends_the_worker_before_state_is_stored(kafka: Broker) -> None:
    topic, changelog = unique("refused"), unique("changelog")
    kafka.create_topics({topic: 1}, {"max.message.bytes": "1000"})
    kafka.create_topics({changelog: 1})
    async with connected(kafka) as app:
        table = SimpleNamespace(changelog=changelog, stored=lambda *_: None, records=lambda _: {})
        port = FaustPort(app, "unit.in", table)  # type: ignore[arg-type]
        port.partitions = {topic: 1}
        shell = shell_on(port)  # type: ignore[arg-type]
        noise = random.Random(1).randbytes(3_000).hex()
        shell._outbox.add([Emission(topic, "k", {"text": noise})])
        app.consumer.fenced = lambda: False
        with pytest.raises(SendFailed, match="MessageSizeTooLarge"):
            await shell.snapshot()()
        assert len(app.reasons) == 1
        assert "nothing is acknowledged" in app.reasons[0]
        with pytest.raises(SendFailed):
            await port.post(deque([Record(changelog, b"k", b"1", 0)]))
    assert read(kafka, changelog, [0]) == {0: []}

"""Where the records of a partition end, on a real Kafka: the marker of a transaction is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer
from faust.types import TP

from agents.watchdog import END_AFTER_S, Watchdog
from tests.engine.parts import new_app
from tests.harness import Broker
from tests.harness.broker import unique
from tests.harness.process import PATIENCE_S


@asynccontextmanager
async def thread_on(broker: Broker, tp: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The thread of a consumer that reads one partition, in this thread."""
    thread = new_app().consumer._thread
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([tp])

    async def call(function: Any, *args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    monkeypatch.setattr(thread, "_consumer", consumer)
    monkeypatch.setattr(thread, "call_thread", call)
    try:
        yield thread
    finally:
        await consumer.stop()


async def once(thread: Any, tp: Any) -> list[int]:
    """Offsets that a fetch brings."""
    records = await thread._fetch_records(thread._consumer, {tp}, timeout=0.1, max_records=100)
    return [record.offset for record in records.get(tp, [])]


async def fetched(thread: Any, tp: Any) -> list[int]:
    """Offsets of the next fetch that brings any."""
    async with asyncio.timeout(PATIENCE_S):
        while not (offsets := await once(thread, tp)):
            pass
    return offsets


async def ends_at(thread: Any, tp: Any, end: int, meanwhile: Callable[[], Awaitable[Any]] | None = None) -> None:
    """Wait until the records end there, fetching on if that is asked for."""
    async with asyncio.timeout(PATIENCE_S):
        while (await thread.record_ends(tp))[tp] != end:
            if meanwhile is not None:
                await meanwhile()


@pytest.mark.kafka
async def test_a_quiet_topic_that_ends_in_a_transactions_marker_is_not_waited_for(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tp = TP(unique("commands"), 0)
    kafka.create_topics({tp.topic: 1})
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": tp.topic, "log_level": 0})
    producer.init_transactions(PATIENCE_S)
    async with thread_on(kafka, tp, monkeypatch) as thread:
        dog = Watchdog()
        dog.look({0: (await thread.record_ends(tp))[tp]}, 0.0)
        producer.begin_transaction()
        producer.produce(tp.topic, b"a command")
        producer.commit_transaction(PATIENCE_S)
        await ends_at(thread, tp, 2)  # one record, one marker: nothing was fetched yet
        assert await fetched(thread, tp) == [0]
        dog.look({0: (await thread.record_ends(tp))[tp]}, 0.0)
        assert dog.stuck(END_AFTER_S, END_AFTER_S) == [0]  # the record was brought, and is not handled
        dog.handled(0, 0)
        await ends_at(thread, tp, 1, lambda: once(thread, tp))  # the fetcher passes the marker
        dog.look({0: (await thread.record_ends(tp))[tp]}, 0.0)
        assert dog.stuck(END_AFTER_S, END_AFTER_S) == []

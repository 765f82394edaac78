"""The strict producer: a commit waits for everything on its way, and nothing follows a failure."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest

from agents.transport import Record, SendFailed, Sent
from tests.engine.parts import Fatal, new_app


class Kafka:
    """aiokafka's producer: promises that the test keeps or breaks."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes | None]] = []
        self.promises: list[asyncio.Future[Any]] = []

    async def send(self, topic: str, value: bytes | None, **_options: Any) -> asyncio.Future[Any]:
        return self._take(topic, value)

    async def hand_over(self, waiting: deque[Record]) -> list[Sent]:
        """All of them in one batch."""
        promise = self._take(waiting[0].topic, b",".join(each.value or b"" for each in waiting))
        sent = [(promise, place) for place in range(len(waiting))]
        waiting.clear()
        return sent

    def _take(self, topic: str, value: bytes | None) -> asyncio.Future[Any]:
        self.calls.append((topic, value))
        self.promises.append(asyncio.get_running_loop().create_future())
        return self.promises[-1]

    async def flush(self) -> None:
        return


def producer_on(kafka: Kafka) -> tuple[Any, list[str]]:
    app = new_app()
    reasons: list[str] = []

    def fatal(reason: str) -> None:
        reasons.append(reason)

    app.fatal = fatal  # type: ignore[method-assign, assignment]
    app.finalize()
    producer = app.producer
    producer._producer = kafka
    return producer, reasons


def waiting(*values: bytes) -> deque[Record]:
    return deque(Record("t", b"k", value, 0) for value in values)


async def is_waiting(flush: asyncio.Task[None]) -> bool:
    """Whether it still waits after twice as long as Faust's own flush does before it gives up."""
    _, pending = await asyncio.wait({flush}, timeout=0.2)
    return bool(pending)


async def test_a_flush_waits_for_every_record_on_its_way() -> None:
    kafka = Kafka()
    producer, _ = producer_on(kafka)
    await producer.post(waiting(b"1", b"2"))
    await producer.send("t", b"k", b"3", None, None, None)
    flush = asyncio.create_task(producer.flush())
    assert await is_waiting(flush)
    kafka.promises[0].set_result(None)
    assert await is_waiting(flush)
    kafka.promises[1].set_result(None)
    await flush


async def test_a_buffered_send_counts_as_on_its_way_until_its_promise_is_kept() -> None:
    producer, _ = producer_on(Kafka())
    buffered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    producer.send_soon(buffered)
    flush = asyncio.create_task(producer.flush())
    assert await is_waiting(flush)
    buffered.set_result(None)
    await flush


async def test_after_a_failed_send_nothing_is_sent_and_the_worker_ends() -> None:
    kafka = Kafka()
    producer, reasons = producer_on(kafka)
    await producer.post(waiting(b"1"))
    kafka.promises[0].set_exception(OSError("too large"))
    await asyncio.sleep(0)
    assert len(reasons) == 1
    assert "nothing is acknowledged" in reasons[0]
    with pytest.raises(SendFailed):
        await producer.post(waiting(b"2"))
    with pytest.raises(SendFailed):
        await producer.send("t", b"k", b"2", None, None, None)
    with pytest.raises(SendFailed):
        await producer.flush()
    assert len(kafka.calls) == 1


async def test_the_stream_is_idempotent_and_waits_for_all_replicas() -> None:
    producer, _ = producer_on(Kafka())
    assert producer._settings_extra() == {"acks": "all", "enable_idempotence": True}


def test_fatal_raises_in_these_tests() -> None:
    with pytest.raises(Fatal):
        new_app().fatal("x")

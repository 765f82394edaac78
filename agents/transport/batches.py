"""Records into aiokafka's batches, many at a time, with one promise for each batch.

aiokafka's `send` makes a promise for each record, and looks anew each time at what was true of the one before: that
costs more than the record itself. Its `send_batch` waits until the batch before has left, so that a few records each
time would be a round trip each time. Here records join the batch that is open, as `send` puts them there, so the order
of a partition is that of handing over, whoever else sends to it. `tests/engine/test_pins.py` holds what this relies on,
docs/decisions/0027 what was measured.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """What is to be sent. Without a partition it goes into any; without a timestamp it has that of its sending."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    timestamp_ms: int | None = None
    headers: Headers = ()


Sent = tuple[asyncio.Future[Any], int]
"""A promise, which has an `offset` once the broker has the record, and how far behind that the record is."""


class BatchingProducer(AIOKafkaProducer):  # type: ignore[misc]
    """Takes from a queue what its open batches have room for."""

    async def hand_over(self, waiting: deque[Record]) -> list[Sent]:
        """Take from the left what there is room for; where there is none for the first, wait for it and take nothing.

        So what is taken was there after the wait, and the caller knows of all that is on its way while it waits. Raises
        what `send` raises.
        """
        sent = self._joined(waiting)
        if sent or not waiting:
            return sent
        first = waiting[0]
        place = first.topic, first.partition
        batches = self._batches.get(place)
        if batches:
            await self._room_behind(batches[-1])
            return []
        await self.partitions_for(first.topic)  # asks the broker about a topic that is new here
        if not waiting or waiting[0] is not first or self._batches.get(place):
            return []
        if first.partition is None:
            partition = self._partition(first.topic, None, None, None, first.key, None)
            waiting[0] = first._replace(partition=partition)
            return []
        # It begins a batch and goes all the way, which waits for nothing now, and looks at its size: what is too large
        # has no room in any other.
        promise = await self.send(
            first.topic,
            first.value,
            key=first.key,
            partition=first.partition,
            timestamp_ms=first.timestamp_ms,
            headers=list(first.headers),
        )
        waiting.popleft()
        return [(promise, 0)]

    def _joined(self, waiting: deque[Record]) -> list[Sent]:
        """What had room in open batches, up to the first that had none."""
        find, sent = self._batches.get, list[Sent]()
        while waiting:
            topic, key, value, partition, timestamp_ms, headers = waiting[0]
            # Asked for each: a batch that the sender has taken is no longer here, and must not grow.
            batches = find((topic, partition))
            if not batches:
                break
            placed = batches[-1]._builder.append(  # noqa: SLF001 - `MessageBatch.append` makes a promise for each
                timestamp=timestamp_ms, key=key, value=value, headers=list(headers)
            )
            if placed is None:
                break
            waiting.popleft()
            sent.append((batches[-1].future, placed.offset))
        return sent

    async def _room_behind(self, full: Any) -> None:
        """Wait until the sender has taken a batch, as `send` does."""
        lingering = self._message_accumulator.waiter()
        if not lingering.done():
            lingering.set_result(None)
        began_at, within_s = monotonic(), self._request_timeout_ms / 1000
        await full.wait_drain(within_s)
        if monotonic() - began_at >= within_s:
            raise KafkaTimeoutError

    @property
    def _batches(self) -> Mapping[tuple[str, int | None], deque[Any]]:
        """By topic and partition, those that the sender has not taken yet; the last is open, if one is."""
        batches: Mapping[tuple[str, int | None], deque[Any]] = self._message_accumulator._batches  # noqa: SLF001
        return batches

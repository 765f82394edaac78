"""Emissions on their way out: in order, and never later than the state that implies them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from agents.metrics import Metric, Metrics
from agents.port import Port
from agents.routing import Forward
from sla.fold import Emission


class _Outgoing(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes
    partition: int | None
    headers: tuple[tuple[str, bytes], ...]


class Outbox:
    """What was emitted and not yet handed to the producer."""

    def __init__(self, port: Port, metrics: Metrics) -> None:
        """Empty."""
        self._port = port
        self._metrics = metrics
        self._waiting: deque[_Outgoing] = deque()
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, emissions: Iterable[Emission]) -> None:
        """Take emissions in the same breath as the state they come from: nothing is awaited between the two."""
        for topic, key, value, everywhere in emissions:
            encoded = None if key is None else key.encode()
            partitions = range(self._port.partitions_count(topic)) if everywhere else (None,)
            written = orjson.dumps(value)
            self._waiting.extend(_Outgoing(topic, encoded, written, partition, ()) for partition in partitions)
            self._metrics.count(Metric.EMISSIONS, topic=topic)

    def forward(self, topic: str, forward: Forward) -> None:
        """Take a record that belongs into another partition."""
        self._waiting.append(_Outgoing(topic, forward.key, forward.value, forward.partition, forward.headers))

    async def send(self) -> None:
        """Hand over all that waits, in order; where nothing else is said, the producer takes murmur2 of the key."""
        async with self._lock:
            while self._waiting:
                first = self._waiting[0]
                topic, key, value, partition, headers = first
                await self._port.post(topic, key, value, partition=partition, headers=headers)
                if self._waiting and self._waiting[0] is first:  # else it was forgotten meanwhile
                    self._waiting.popleft()

    def forget(self) -> None:
        """Drop what waits: its partition has gone, and its next owner emits it again with the same ids."""
        self._waiting.clear()

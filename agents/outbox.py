"""Emissions on their way out: in order, and never later than the state that implies them."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable

import orjson

from agents.metrics import Metric, Metrics
from agents.port import Port
from agents.routing import Forward, hashed
from agents.transport import Record
from sla.fold import Emission


class Outbox:
    """What was emitted and not yet handed to the producer."""

    def __init__(self, port: Port, metrics: Metrics) -> None:
        """Empty."""
        self._port = port
        self._metrics = metrics
        self._waiting: deque[Record] = deque()
        self._counts: Counter[str] = Counter()  # by topic, not yet in the metrics
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, emissions: Iterable[Emission]) -> None:
        """Take emissions in the same breath as the state they come from: nothing is awaited between the two."""
        take = self._waiting.append
        for topic, key, value, everywhere in emissions:
            encoded = None if key is None else key.encode()
            written = orjson.dumps(value)
            self._counts[topic] += 1
            if everywhere:
                for partition in range(self._port.partitions_count(topic)):
                    take(Record(topic, encoded, written, partition))
            elif encoded is None:
                take(Record(topic, None, written, None))
            else:
                take(Record(topic, encoded, written, hashed(encoded, self._port.partitions_count(topic))))

    def forward(self, topic: str, forward: Forward) -> None:
        """Take a record that belongs into another partition."""
        self._waiting.append(Record(topic, forward.key, forward.value, forward.partition, None, forward.headers))

    async def send(self) -> None:
        """Hand over all that waits, in order; what is forgotten meanwhile is not sent."""
        for topic, count in self._counts.items():
            self._metrics.count(Metric.EMISSIONS, count, topic=topic)
        self._counts.clear()
        async with self._lock:
            await self._port.post(self._waiting)

    def forget(self) -> None:
        """Drop what waits: its partition has gone, and its next owner emits it again with the same ids."""
        self._waiting.clear()

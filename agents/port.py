"""What the shell needs of the world: a way to send, and the table. Faust is behind it; tests have their own."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from faust.types import TP

from agents.pace import in_parts
from agents.transport import BulkTable, Record, Sent

END_OFFSET_WITHIN_S = 30.0
STORED_AT_ONCE = 1_000  # some milliseconds of work


TableWrite = tuple[int, bytes, bytes | None]
"""Partition, key, value; None deletes."""


class Port(Protocol):
    """Sends are in order; a failed one fails every later call."""

    async def post(self, waiting: deque[Record]) -> list[Sent]:
        """Hand over all that waits, from the left, in order; each is taken out when it is handed over.

        So what is taken out or added while this waits for room is not sent, or is. The caller bounds the wait.
        """
        ...

    async def delivered(self) -> None:
        """Wait until the broker has all that was sent so far."""
        ...

    def fenced(self) -> bool:
        """Whether the coordinator has not confirmed this worker lately: then nothing may be written."""
        ...

    def records(self, partition: int) -> Mapping[bytes, bytes]:
        """What the changelog holds of a partition (`agents.changelog`)."""
        ...

    async def store(self, writes: Sequence[TableWrite]) -> None:
        """Write records and wait until the broker has them; then the table has them too."""
        ...

    def alone_for_s(self, partition: int) -> float:
        """How long the partition has been held without a break, and nobody else was seen to write its state."""
        ...

    def source_id(self) -> str | None:
        """What tells the source from another topic that was given its name; None where the broker does not say."""
        ...

    async def end_offset(self, partition: int) -> int:
        """The offset that the next record of the source's partition gets."""
        ...

    def partitions_count(self, topic: str) -> int:
        """How many partitions a topic has; they never change."""
        ...


class FaustPort:
    """The port of a running app."""

    def __init__(self, app: Any, source: str, table: BulkTable | None) -> None:
        """`table` is None for a role without state."""
        self._app = app
        self._source = source
        self._table = table
        self.partitions: Mapping[str, int] = {}  # of every topic, once the broker was asked
        self.id: str | None = None  # of the source, likewise

    async def post(self, waiting: deque[Record]) -> list[Sent]:
        """Through the strict producer."""
        sent: list[Sent] = await self._app.producer.post(waiting)
        return sent

    async def delivered(self) -> None:
        """The strict producer's word."""
        await self._app.producer.delivered()

    def fenced(self) -> bool:
        """The consumer's word."""
        fenced: bool = self._app.consumer.fenced()
        return fenced

    def records(self, partition: int) -> Mapping[bytes, bytes]:
        """As recovered and written since."""
        return self._the_table.records(partition)

    async def store(self, writes: Sequence[TableWrite]) -> None:
        """To the changelog; into the table only what the broker has acknowledged."""
        if not writes:
            return
        table = self._the_table
        topic, sent = table.changelog, list[Sent]()
        async for some in in_parts(writes, STORED_AT_ONCE):
            sent += await self.post(deque(Record(topic, key, value, partition) for partition, key, value in some))
        await self.delivered()
        stored = defaultdict[int, list[tuple[bytes, bytes | None, int]]](list)
        for (partition, key, value), (promise, behind_it) in zip(writes, sent, strict=True):
            stored[partition].append((key, value, promise.result().offset + behind_it))
        for partition, written in stored.items():
            table.stored(partition, written)

    def alone_for_s(self, partition: int) -> float:
        """As the table counts it."""
        return self._the_table.alone_for_s(partition)

    def source_id(self) -> str | None:
        """As the broker said at the start."""
        return self.id

    async def end_offset(self, partition: int) -> int:
        """Asks the broker."""
        tp = TP(self._source, partition)
        end: int = (await self._app.consumer.highwaters(tp))[tp]
        return end

    async def record_ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """One past the last record of each partition, as far as the consumer knows."""
        ends = await self._app.consumer.record_ends(*(TP(self._source, partition) for partition in partitions))
        return {tp.partition: end for tp, end in ends.items()}

    def partitions_count(self, topic: str) -> int:
        """As the broker said at the start."""
        return self.partitions[topic]

    @property
    def _the_table(self) -> BulkTable:
        if self._table is None:
            raise TypeError(f"{self._app.conf.id} has no table")
        return self._table

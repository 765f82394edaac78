"""The live reader of the catalogue's log: every revision, from the beginning."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.process import uncollected
from schemas.topics import CATALOGUE
from sla.catalogue import Catalogue

log = logging.getLogger("forewarn.catalogue")

REACH_WITHIN_S: Final = 30.0
READ_WITHIN_S: Final = 120.0  # it answers after POLL_MS, also while the broker is away; so late only who was stopped
POLL_MS: Final = 200


class CatalogueLog(Protocol):
    """`schemas.catalogue_log.CatalogueLog`, as far as the reader needs it."""

    @property
    def current(self) -> Catalogue:
        """The catalogue after the last valid commit record."""
        ...

    def feed(self, offset: int, value: bytes) -> None:
        """Take one record of the log."""
        ...

    def at(self, revision: int, sha256: str) -> Catalogue | None:
        """One revision, if there is one of that number and hash."""
        ...


class LiveCatalogue:
    """Follows the catalogue's one partition for as long as the worker runs. It belongs to no consumer group."""

    def __init__(self, new_log: Callable[[], CatalogueLog], client: dict[str, Any]) -> None:
        """`client` holds what every aiokafka client needs to connect."""
        self._log = new_log()
        self._client = client
        self._next_offset = 0
        self._moved = asyncio.Condition()
        self._consumer: AIOKafkaConsumer | None = None
        self._partition = TopicPartition(CATALOGUE.name, 0)

    @property
    def current(self) -> Catalogue:
        """The newest revision that was read."""
        return self._log.current

    def at(self, revision: int, sha256: str) -> Catalogue | None:
        """For the folds: `sla.fold.CatalogueReader`."""
        return self._log.at(revision, sha256)

    async def start(self) -> None:
        """Connect and read all that is there now."""
        self._consumer = AIOKafkaConsumer(
            **self._client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await self._consumer.start()
        self._consumer.assign([self._partition])
        await self._consumer.seek_to_beginning(self._partition)
        end = await self._end_offset()
        while self._next_offset < end:
            await self._read()
        log.info("catalogue read: revision %d", self.current.revision)

    async def follow(self) -> None:
        """Read on until cancelled."""
        while True:
            before = self.current.revision
            await self._read()
            if self.current.revision != before:
                log.info("catalogue: revision %d is published", self.current.revision)

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def reach(self, revision: int) -> None:
        """Return once everything up to `revision` was read, or the log ends before it; the fold decides then.

        A revision's number is the offset of its commit record. A marker for one that does not exist must not stop the
        partition: it is a dead letter. Raises TimeoutError when the log cannot be read.
        """
        if self._next_offset > revision:
            return
        async with asyncio.timeout(REACH_WITHIN_S):
            if await self._end_offset() <= revision:
                return
            async with self._moved:
                await self._moved.wait_for(lambda: self._next_offset > revision)

    async def _end_offset(self) -> int:
        async with asyncio.timeout(REACH_WITHIN_S):
            ends = await self._the_consumer.end_offsets([self._partition])
        end: int = ends[self._partition]
        return end

    async def _read(self) -> None:
        async with asyncio.timeout(READ_WITHIN_S):
            fetched = await self._the_consumer.getmany(self._partition, timeout_ms=POLL_MS)
        if fetched:
            with uncollected():
                for record in fetched.get(self._partition, ()):
                    self._log.feed(record.offset, record.value or b"")
                    self._next_offset = record.offset + 1
            async with self._moved:
                self._moved.notify_all()

    @property
    def _the_consumer(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the catalogue's reader was not started")
        return self._consumer

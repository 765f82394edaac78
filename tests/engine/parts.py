"""An app without a broker, Kafka records by hand, and a world for the shell that keeps everything in memory."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NoReturn

from agents.app import build
from agents.port import TableWrite
from agents.settings import Settings
from agents.transport import ALL, Override, Record, Sent
from agents.worker import App
from tests.engine.counting import role

SETTINGS = Settings(kafka_bootstrap_servers="127.0.0.1:1")


class Fatal(Exception):  # noqa: N818 - stands for the end of the process
    """The worker would have ended here."""


def new_app(*without: Override) -> App:
    """The counting role's app with some repairs switched off; where it would end the process it raises `Fatal`."""
    app = build(SETTINGS, role("unit"), overrides=ALL - set(without))

    def fatal(reason: str) -> NoReturn:
        raise Fatal(reason)

    app.fatal = fatal  # type: ignore[method-assign]
    return app


def record(
    offset: int,
    key: bytes | None = b"k",
    value: bytes | None = b'{"value":1}',
    *,
    topic: str = "unit.in",
    partition: int = 0,
    timestamp: int = 0,
    append_time: bool = True,
    headers: Sequence[tuple[str, bytes]] = (),
) -> Any:
    """A record as aiokafka hands it out."""
    return SimpleNamespace(
        topic=topic,
        partition=partition,
        offset=offset,
        key=key,
        value=value,
        timestamp=timestamp,
        timestamp_type=int(append_time),
        headers=tuple(headers),
    )


@dataclass
class World:
    """A port: what was sent and stored, in the order in which the broker got it. `log` holds that order."""

    log: list[tuple[Any, ...]] = field(default_factory=list)
    table: defaultdict[int, dict[bytes, bytes]] = field(default_factory=lambda: defaultdict(dict))
    is_fenced: bool = False
    alone_s: float = 0.0
    ends: dict[int, int] = field(default_factory=dict)
    id: str | None = None  # of the source
    broken: BaseException | None = None
    on_the_way: list[tuple[Any, ...]] = field(default_factory=list)
    gate: asyncio.Event | None = None  # deliveries wait for it
    fence_after_stores: int | None = None
    counts: dict[str, int] = field(default_factory=dict)

    async def post(self, waiting: deque[Record]) -> list[Sent]:
        sent: list[Sent] = []
        while waiting:
            if self.broken is not None:
                raise self.broken
            topic, key, value, partition, timestamp_ms, headers = waiting.popleft()
            self.on_the_way.append(("sent", topic, key, value, partition, timestamp_ms, tuple(headers)))
            done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            done.set_result(SimpleNamespace(offset=len(self.log)))
            sent.append((done, 0))
        return sent

    async def delivered(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.broken is not None:
            raise self.broken
        self.log += self.on_the_way
        self.on_the_way.clear()

    def fenced(self) -> bool:
        return self.is_fenced

    def records(self, partition: int) -> Mapping[bytes, bytes]:
        return self.table[partition]

    async def store(self, writes: Sequence[TableWrite]) -> None:
        if self.broken is not None:
            raise self.broken
        for partition, key, value in writes:
            self.log.append(("stored", partition, key, value))
            if value is None:
                self.table[partition].pop(key, None)
            else:
                self.table[partition][key] = value
        if self.fence_after_stores is not None:
            self.fence_after_stores -= 1
            self.is_fenced = self.fence_after_stores <= 0

    def alone_for_s(self, partition: int) -> float:
        del partition
        return self.alone_s

    def source_id(self) -> str | None:
        return self.id

    async def end_offset(self, partition: int) -> int:
        return self.ends.get(partition, 1 << 40)

    def partitions_count(self, topic: str) -> int:
        return self.counts.get(topic, 1)

    def sent(self, topic: str) -> list[bytes | None]:
        """The values of a topic, delivered or on their way."""
        return [entry[3] for entry in (*self.log, *self.on_the_way) if entry[0] == "sent" and entry[1] == topic]

    def stored_keys(self) -> list[bytes]:
        """The keys of all writes to the table, in order."""
        return [entry[2] for entry in self.log if entry[0] == "stored"]

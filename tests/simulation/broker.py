"""A Kafka broker in memory: logs, offsets, append times, compaction, and answers that take their time."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from tests.simulation.loop import PROCESS, Ended, SeededLoop

Place = tuple[str, int]
"""Topic and partition."""

APPEND_TIME, CREATE_TIME = 1, 0
OFFSET = attrgetter("offset")


@dataclass(frozen=True, slots=True)
class Record:
    """As aiokafka hands it out. `order` is its place among all that ever happened at the broker."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    timestamp_type: int
    headers: tuple[tuple[str, bytes], ...]
    order: int
    appended_at: float  # seconds of the run


class Broker:
    """`cut` holds the names of processes that the network does not reach, `full` those whose producer has no room."""

    def __init__(self, loop: SeededLoop, dice: random.Random, epoch_ms: int, partitions: dict[str, int]) -> None:
        self.loop = loop
        self.partitions = partitions
        self.append_time: set[str] = set()
        self.logs: dict[Place, list[Record]] = {
            (topic, number): [] for topic, count in partitions.items() for number in range(count)
        }
        self.ends: defaultdict[Place, int] = defaultdict(int)
        self.order = 0
        self.written: dict[Place, list[Record]] = {}
        self.is_away = False
        self.cut: set[str] = set()
        self.slow: set[str] = set()
        self.full: set[str] = set()
        self._dice = dice
        self._epoch_ms = epoch_ms
        self._waiting: defaultdict[Place, list[asyncio.Future[None]]] = defaultdict(list)
        self._reachable = asyncio.Event()

    def now_ms(self) -> int:
        return self._epoch_ms + int(self.loop.time() * 1000)

    # -- logs

    def append(
        self,
        place: Place,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int | None = None,
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> Record:
        """One more record; whoever waits for the partition is woken."""
        topic, partition = place
        stamps = topic in self.append_time
        now = self.now_ms()
        stamp = now if stamps or timestamp_ms is None else timestamp_ms
        kind = APPEND_TIME if stamps else CREATE_TIME
        offset = self.ends[place]
        record = Record(
            topic, partition, offset, key, value, stamp, kind, tuple(headers), self.next_order(), self.loop.time()
        )
        self.logs[place].append(record)
        self.ends[place] = offset + 1
        if place in self.written:
            self.written[place].append(record)
        for waiter in self._waiting.pop(place, ()):
            if not waiter.done():
                waiter.set_result(None)
        return record

    def remember(self, changelog: str) -> None:
        """Keep all that is ever written to a changelog: compaction removes records from the log."""
        for place in self.logs:
            if place[0] == changelog:
                self.written[place] = []

    def next_order(self) -> int:
        self.order += 1
        return self.order

    def read(self, place: Place, offset: int, most: int) -> list[Record]:
        """Records from an offset on; what compaction removed is not there."""
        log = self.logs[place]
        start = offset if len(log) == self.ends[place] else bisect_left(log, offset, key=OFFSET)
        return log[start : start + most]

    def compact(self, topic: str, lag_ms: int) -> int:
        """Keep the last value of each key among what is older than the lag; how many records went."""
        gone = 0
        ripe_until = self.now_ms() - lag_ms
        for place, log in self.logs.items():
            if place[0] != topic:
                continue
            ripe = next((n for n, record in enumerate(log) if record.timestamp > ripe_until), len(log))
            last = {record.key: record.offset for record in log[:ripe]}
            kept = [record for record in log[:ripe] if last[record.key] == record.offset and record.value is not None]
            gone += ripe - len(kept)
            self.logs[place] = [*kept, *log[ripe:]]
        return gone

    # -- answers

    def is_reachable(self, name: str) -> bool:
        return not self.is_away and name not in self.cut

    def healed(self) -> None:
        """Somebody is reachable again."""
        self._reachable.set()
        self._reachable = asyncio.Event()

    def latency_s(self) -> float:
        chance = self._dice.random()
        if chance < 0.7:
            return self._dice.uniform(0.0005, 0.005)
        return self._dice.uniform(0.005, 0.05) if chance < 0.96 else self._dice.uniform(0.05, 1.5)

    async def answer(self) -> None:
        """The way to the broker and back for the process that asks, as long as it takes."""
        process = PROCESS.get()
        while True:
            if process.is_dead:
                raise Ended
            await asyncio.sleep(self.latency_s())
            if self.is_reachable(process.name):
                return
            await self._reachable.wait()

    def data(self, places: Iterable[Place]) -> asyncio.Future[None]:
        """Done when one of these partitions gets a record."""
        found: asyncio.Future[None] = self.loop.create_future()
        for place in places:
            self._waiting[place].append(found)
        return found

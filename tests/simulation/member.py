"""What stands in for aiokafka's consumer: the member of a group, and the product's consumer on top of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import Any

from aiokafka.protocol.group import SyncGroupRequest
from faust.types import TP

from agents.transport import Consumer
from agents.transport.consumer import POLL_S
from agents.transport.thread import FencedThread
from tests.simulation.broker import Broker
from tests.simulation.group import Group, Joined, Verdict

FETCH_MOST = 400
IDLE_S = 30.0


class Coordinator:
    """The four methods by which `FencedThread` listens to a group."""

    def __init__(self, broker: Broker, group: Group) -> None:
        self.generation = -1
        self.name = group.member_name()
        self.verdict = Verdict.FINE
        self._broker = broker
        self._group = group

    async def _do_heartbeat(self) -> bool:
        await self._broker.answer()
        self.verdict = self._group.heartbeat(self.name, self.generation)
        return self.verdict is Verdict.FINE

    async def _send_req(self, request: Any) -> Joined | None:
        await self._broker.answer()
        if isinstance(request, SyncGroupRequest):
            await self._broker.answer()
            return None
        joined = await self._group.join(self.name)
        await self._broker.answer()
        return joined

    async def _on_join_complete(self, joined: Joined) -> Joined:
        self.generation = joined.generation
        return joined

    def reset_generation(self) -> None:
        self.generation = -1
        self.name = self._group.member_name()

    async def join(self) -> Joined:
        """JoinGroup, which waits for the others, then SyncGroup."""
        joined = await self._send_req("JoinGroup")
        assert joined is not None
        await self._send_req(object.__new__(SyncGroupRequest))
        return await self._on_join_complete(joined)


class Thread(FencedThread):
    """The consumer's thread without a thread: positions, fetches, commits."""

    def __init__(self, broker: Broker, group: Group, changelog: str, dice: random.Random) -> None:
        self.assigned: set[Any] = set()
        self.positions: dict[Any, int] = {}
        self.coordinator = Coordinator(broker, group)
        self._broker = broker
        self._group = group
        self._changelog = changelog
        self._dice = dice
        self._awake: asyncio.Future[None] | None = None
        self.listen(self.coordinator)

    def assign(self, partitions: Iterable[int]) -> set[Any]:
        """A new assignment: positions begin at what was committed."""
        topics = (self._group.topic, self._changelog)
        self.assigned = {TP(topic, partition) for partition in sorted(partitions) for topic in topics}
        self.positions.clear()
        self.wake()
        return set(self.assigned)

    def wake(self) -> None:
        """End the fetch that waits for data."""
        if self._awake is not None and not self._awake.done():
            self._awake.set_result(None)

    async def getmany(self, active_partitions: Any, timeout: float) -> dict[Any, list[Any]]:  # noqa: ASYNC109 - Faust's
        """A fetch: from the positions as they are when the answer comes."""
        await self._broker.answer()
        places = sorted(active_partitions or ())
        if not any(self._waiting(tp) for tp in places):
            self._awake = self._broker.data(places)
            await asyncio.wait([self._awake], timeout=IDLE_S)
            await asyncio.sleep(self._dice.uniform(0, min(timeout, POLL_S)) if self._dice.random() < 0.2 else 0)
        fetched = {}
        places = [tp for tp in places if tp in self.assigned and self._waiting(tp)]
        self._dice.shuffle(places)
        for tp in places:
            records = self._broker.read(tp, self._position(tp), self._dice.randint(1, FETCH_MOST))
            self.positions[tp] = records[-1].offset + 1
            fetched[tp] = records
        return fetched

    def _position(self, tp: Any) -> int:
        return self.positions.get(tp, self._group.committed.get(tuple(tp), 0))

    def _waiting(self, tp: Any) -> bool:
        return self._position(tp) < self._broker.ends[tuple(tp)]

    async def commit(self, offsets: Any) -> bool:
        await self._broker.answer()
        coordinator = self.coordinator
        return self._group.commit(
            coordinator.name, coordinator.generation, {tuple(tp): offset for tp, offset in offsets.items()}
        )

    async def seek_to_committed(self) -> dict[Any, int | None]:
        found = {}
        for tp in sorted(self.assigned):
            await self._broker.answer()
            found[tp] = self._group.committed.get(tuple(tp))
            if found[tp]:
                self.positions[tp] = found[tp]
        return found

    async def seek_to_beginning(self, *partitions: Any) -> None:
        await self._broker.answer()
        for tp in partitions:
            self.positions[TP(*tp)] = 0

    def assignment(self) -> set[Any]:
        return set(self.assigned)

    def highwater(self, tp: Any) -> int:
        return self._broker.ends[tuple(tp)]

    async def highwaters(self, *partitions: Any) -> dict[Any, int]:
        await self._broker.answer()
        return {tp: self._broker.ends[tuple(tp)] for tp in partitions}

    async def record_ends(self, *partitions: Any) -> dict[Any, int]:
        return await self.highwaters(*partitions)  # this broker ends no log without a record


class Following(Consumer):
    """The product's consumer, its thread replaced."""

    def __init__(self, *args: Any, thread: Thread, **kwargs: Any) -> None:
        self._given = thread
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> Any:
        return self._given

    def add_dependency(self, service: Any) -> Any:
        return service

    def stop_flow(self) -> None:
        super().stop_flow()
        self._given.wake()


class CatalogueReader:
    """The consumer of `agents.catalogue`: one partition, no group."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._position = 0

    async def start(self) -> None:
        await self._broker.answer()

    async def stop(self) -> None:
        return

    def assign(self, partitions: Any) -> None:
        del partitions

    async def seek_to_beginning(self, *_partitions: Any) -> None:
        self._position = 0

    async def end_offsets(self, partitions: list[Any]) -> dict[Any, int]:
        await self._broker.answer()
        return {tp: self._broker.ends[tp.topic, tp.partition] for tp in partitions}

    async def getmany(self, partition: Any, *, timeout_ms: int) -> dict[Any, list[Any]]:
        del timeout_ms
        await self._broker.answer()
        place = partition.topic, partition.partition
        if self._position >= self._broker.ends[place]:
            await asyncio.wait([self._broker.data([place])], timeout=IDLE_S)
            return {}
        records = self._broker.read(place, self._position, 3)
        self._position = records[-1].offset + 1
        return {partition: records}

"""What stands in for aiokafka's producer: a lane to each partition, in order, with everything that can go wrong."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque
from contextvars import Context
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import KafkaError

from agents.transport import Record, Sent
from tests.simulation.broker import Broker, Place
from tests.simulation.loop import Ended, Process

ASK_AGAIN_S = 0.25


@dataclass(eq=False, slots=True)
class _Flight:
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None
    headers: tuple[tuple[str, bytes], ...]
    done: asyncio.Future[Any]
    due_at: float
    has_left: bool = False  # in the socket already: it arrives even when its process does nothing any more


class Wire:
    """The producer of one process.

    `fails_next`: the broker refuses the next record. `kill_after_heads`: the process ends when it has handed over so
    many more records for its changelog.
    """

    def __init__(self, broker: Broker, process: Process, dice: random.Random, changelog: str) -> None:
        self.fails_next = False
        self.kill_after_heads: int | None = None
        self._changelog = changelog
        self._broker = broker
        self._process = process
        self._dice = dice
        self._lanes: defaultdict[Place, deque[_Flight]] = defaultdict(deque)
        self._last_due: defaultdict[Place, float] = defaultdict(float)

    async def hand_over(self, waiting: deque[Record]) -> list[Sent]:
        """As ours: takes none while there is no room. But one at a time, so that something may come between any two."""
        if self._process.is_dead:
            raise Ended
        if self._process.name in self._broker.full:
            await asyncio.sleep(ASK_AGAIN_S)
            return []
        return [(self._send(waiting.popleft()), 0)]

    def _send(self, record: Record) -> asyncio.Future[Any]:
        """The future has the offset when the broker has the record."""
        topic, key, value, partition, timestamp_ms, headers = record
        broker, loop = self._broker, self._broker.loop
        if partition is None:
            partition = self._dice.randrange(broker.partitions[topic])
        place = topic, partition
        delay_s = broker.latency_s()
        if self._process.name in broker.slow:
            delay_s += self._dice.uniform(0.5, 8)
        due_at = self._last_due[place] = max(self._last_due[place], loop.time() + delay_s)
        done = loop.create_future()
        lane = self._lanes[place]
        lane.append(_Flight(key, value, timestamp_ms, tuple(headers), done, due_at))
        if len(lane) == 1:
            self._expect(place)
        if topic == self._changelog and self.kill_after_heads is not None:
            self.kill_after_heads -= 1
            if self.kill_after_heads <= 0:
                self._process.kill()
                raise Ended
        return done

    async def stop(self) -> None:
        """Nothing to close."""

    def in_flight_count(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    # -- what happens to it

    def froze(self) -> None:
        """The process was stopped: of each lane so many records are in the socket already."""
        for lane in self._lanes.values():
            for flight in list(lane)[: self._dice.randint(0, len(lane))]:
                flight.has_left = True

    def ended(self) -> None:
        """The process is gone: what had not left is lost."""
        reachable = self._broker.is_reachable(self._process.name)
        for lane in self._lanes.values():
            kept = self._dice.randint(0, len(lane)) if reachable else 0
            while len(lane) > kept:
                lane.pop()
            for flight in lane:
                flight.has_left = True

    # -- one lane

    def _expect(self, place: Place) -> None:
        flight = self._lanes[place][0]
        self._broker.loop.call_at(flight.due_at, self._arrive, place, context=Context())

    def _arrive(self, place: Place) -> None:
        lane, broker = self._lanes[place], self._broker
        if not lane:
            return
        flight = lane[0]
        is_held = self._process.is_frozen and not flight.has_left
        if is_held or not broker.is_reachable(self._process.name):
            if self._process.is_dead:
                lane.clear()  # nobody tries again
                return
            flight.due_at = broker.loop.time() + ASK_AGAIN_S
            self._expect(place)
            return
        if self.fails_next and not self._process.is_dead:
            self.fails_next = False
            for each in lane:  # an idempotent producer sends nothing of a partition behind a gap
                self._settle(each.done, KafkaError("the broker refused the record"))
            lane.clear()
            return
        lane.popleft()
        record = broker.append(place, flight.key, flight.value, flight.timestamp_ms, flight.headers)
        broker.loop.call_later(broker.latency_s(), self._answer, flight.done, record.offset, context=Context())
        if lane:
            self._expect(place)

    def _answer(self, done: asyncio.Future[Any], offset: int) -> None:
        if self._process.is_dead:
            return
        if not self._broker.is_reachable(self._process.name):
            self._broker.loop.call_later(ASK_AGAIN_S, self._answer, done, offset, context=Context())
            return
        self._settle(done, SimpleNamespace(offset=offset))

    def _settle(self, done: asyncio.Future[Any], outcome: Any) -> None:
        if self._process.is_dead or done.done():
            return
        if isinstance(outcome, Exception):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)

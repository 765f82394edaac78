"""The coordinator of one consumer group: members, sessions, generations, committed offsets."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tests.simulation.broker import Broker, Place

SESSION_S = 10.0
REBALANCE_S = 20.0
CHECK_EVERY_S = 0.5


class Verdict(StrEnum):
    """What a member hears."""

    FINE = "fine"
    REJOIN = "rejoin"
    UNKNOWN = "unknown"


class Joined(NamedTuple):
    """A member's part of a generation."""

    generation: int
    partitions: frozenset[int]


class Commit(NamedTuple):
    """An accepted commit, with its place among all that happened at the broker."""

    order: int
    place: Place
    offset: int


@dataclass(eq=False, slots=True)
class Member:
    name: str
    seen_at: float
    generation: int = -1
    waits: asyncio.Future[Joined] | None = None  # has joined, and waits for the others
    partitions: frozenset[int] = frozenset()


class Group:
    """Eager rebalances, as Faust does them: everybody gives up everything, then the partitions are dealt."""

    def __init__(self, broker: Broker, dice: random.Random, topic: str) -> None:
        self.topic = topic
        self.generation = 0
        self.moved_at = 0.0
        self.committed: dict[Place, int] = {}
        self.commits: list[Commit] = []
        self.is_sticky = True
        self._broker = broker
        self._dice = dice
        self._members: dict[str, Member] = {}
        self._preparing_since: float | None = None
        self._numbers = 0

    async def watch(self) -> None:
        """Sessions and rebalances run out; while the broker is away they do not."""
        loop = self._broker.loop
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            if self._broker.is_away:
                for member in self._members.values():
                    member.seen_at += CHECK_EVERY_S
                continue
            now = loop.time()
            for member in list(self._members.values()):
                if member.waits is None and now - member.seen_at > SESSION_S:
                    self.remove(member.name)
            if self._preparing_since is not None and now - self._preparing_since > REBALANCE_S:
                for member in list(self._members.values()):
                    if member.waits is None:
                        del self._members[member.name]
                self._deal()

    def rebalance(self) -> None:
        """Everybody is to join anew."""
        if self._preparing_since is None and self._members:
            self._preparing_since = self._broker.loop.time()

    def remove(self, name: str) -> None:
        """A member left, or its session ran out."""
        if self._members.pop(name, None) is not None:
            self.rebalance()
            self._deal_if_complete()

    def member_name(self) -> str:
        self._numbers += 1
        return f"member-{self._numbers}"

    def join(self, name: str) -> asyncio.Future[Joined]:
        """A member joins; the answer comes when all the others have."""
        now = self._broker.loop.time()
        member = self._members.setdefault(name, Member(name, now))
        member.seen_at = now
        self.rebalance()
        member.waits = self._broker.loop.create_future()
        waits = member.waits
        self._deal_if_complete()
        return waits

    def heartbeat(self, name: str, generation: int) -> Verdict:
        member = self._members.get(name)
        if member is None or member.generation != generation:
            return Verdict.UNKNOWN
        member.seen_at = self._broker.loop.time()
        return Verdict.FINE if self._preparing_since is None else Verdict.REJOIN

    def commit(self, name: str, generation: int, offsets: dict[Place, int]) -> bool:
        """Refused from whoever is not of this generation."""
        member = self._members.get(name)
        if member is None or member.generation != generation:
            return False
        for place, offset in offsets.items():
            self.committed[place] = offset
            self.commits.append(Commit(self._broker.next_order(), place, offset))
        return True

    def _deal_if_complete(self) -> None:
        if self._members and all(member.waits is not None for member in self._members.values()):
            self._deal()

    def _deal(self) -> None:
        self._preparing_since = None
        self.generation += 1
        self.moved_at = self._broker.loop.time()
        count = self._broker.partitions[self.topic]
        members = sorted(self._members.values(), key=lambda member: member.name)
        if not members:
            return
        dealt = self._dealt(members, count)
        for member in members:
            member.generation = self.generation
            member.partitions = frozenset(dealt[member.name])
            member.seen_at = self._broker.loop.time()
            waits, member.waits = member.waits, None
            if waits is not None and not waits.done():
                waits.set_result(Joined(self.generation, member.partitions))

    def _dealt(self, members: list[Member], count: int) -> dict[str, set[int]]:
        """An even share each; sticky: what a member held it keeps."""
        self._dice.shuffle(members)
        shares = {
            member.name: count // len(members) + (place < count % len(members)) for place, member in enumerate(members)
        }
        dealt: dict[str, set[int]] = {member.name: set() for member in members}
        free = set(range(count))
        if self.is_sticky:
            for member in members:
                kept = sorted(member.partitions & free)[: shares[member.name]]
                dealt[member.name] |= set(kept)
                free -= set(kept)
        rest = sorted(free)
        self._dice.shuffle(rest)
        for member in members:
            while len(dealt[member.name]) < shares[member.name]:
                dealt[member.name].add(rest.pop())
        return dealt

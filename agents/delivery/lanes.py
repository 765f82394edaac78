"""A lane per channel target: what waits for it, how much is under way, and whether it is worth trying at all.

One that is dead or hangs holds up its own lane and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agents.delivery.pending import Pending, Slot
from agents.delivery.retry import Over, given_up, gives_up_at
from sla.stakeholder import Channel
from sla.units import SECOND_MS

AT_ONCE_MAX: Final = 8  # messages under way to one target
UNSTORED_MAX: Final = 16  # tries of one target whose outcome is not stored yet: a crash repeats no more than these
WAITING_MAX: Final = 1_000  # for one target whose circuit is broken; beyond it the oldest are given up
FAILURES_MAX: Final = 5  # in a row, then the circuit breaks
BROKEN_FOR_MS: Final = 30 * SECOND_MS  # then one message is the probe


class Lane:
    """What goes to one target, in the order in which it came."""

    def __init__(self) -> None:
        """Empty, and trusted."""
        self._waiting: dict[Slot, Pending] = {}
        self._under_way: dict[Slot, Pending] = {}
        self.unstored: set[Slot] = set()  # whose outcome is known, and not in the table yet
        self._failures_count = 0
        self._broken_until = 0

    def add(self, pending: Pending) -> None:
        """Something waits, unless it is under way already."""
        if pending.slot not in self._under_way:
            self._waiting[pending.slot] = pending

    def add_again(self, pending: Pending) -> None:
        """It was under way and waits again, before all that came after it."""
        self._waiting = {pending.slot: pending, **self._waiting}

    def hopeless(self, now: int) -> list[tuple[Pending, Over]]:
        """Take out what has waited for too long for a channel that fails, and the oldest of what is too much for it.

        For a channel that works they only queue: who comes back after hours tries each message at least once.
        """
        if not self.is_broken:
            return []
        found = [
            (each, given_up(each.tries_count, each.taken_at, now, "the channel fails"))
            for each in self._waiting.values()
            if gives_up_at(each.send.severity, each.taken_at) <= now
        ]
        for each, _ in found:
            del self._waiting[each.slot]
        too_many = list(self._waiting.values())[: max(0, len(self._waiting) - WAITING_MAX)]
        for each in too_many:
            del self._waiting[each.slot]
        return found + [(each, Over("given up: too many messages wait for this channel")) for each in too_many]

    def next(self, now: int) -> Pending | None:
        """What may be tried now, which is under way from here on.

        What concerns one dedup key goes one after the other: a recovery must not overtake its breach.
        """
        if now < self._broken_until:
            return None
        room = 1 if self._failures_count >= FAILURES_MAX else AT_ONCE_MAX
        if len(self._under_way) >= room or len(self.unstored) >= UNSTORED_MAX:
            return None
        busy = {each.send.dedup_key for each in self._under_way.values()}
        for pending in self._waiting.values():
            if pending.send.dedup_key in busy:
                continue
            if pending.is_stored and pending.next_at <= now:
                self._under_way[pending.slot] = self._waiting.pop(pending.slot)
                return pending
            busy.add(pending.send.dedup_key)
        return None

    def ended(self, pending: Pending, now: int, *, is_troubled: bool) -> None:
        """A try has ended; trouble that repeats breaks the circuit for a while."""
        self._under_way.pop(pending.slot, None)
        self._failures_count = self._failures_count + 1 if is_troubled else 0
        self._broken_until = now + BROKEN_FOR_MS if self._failures_count >= FAILURES_MAX else 0

    def cut_short(self, pending: Pending) -> None:
        """A try has ended without an answer, and says nothing of the channel."""
        self._under_way.pop(pending.slot, None)

    def settled(self, pending: Pending) -> None:
        """An outcome is known here, and is not in the table yet."""
        self.unstored.add(pending.slot)

    def forget(self) -> None:
        """What waits belongs to somebody else now; of what is under way its caller takes care."""
        self._waiting.clear()
        self.unstored.clear()

    @property
    def is_broken(self) -> bool:
        """Whether the circuit is broken, or its probe is under way."""
        return self._failures_count >= FAILURES_MAX

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)


class Lanes:
    """All lanes of a worker."""

    def __init__(self) -> None:
        """None yet."""
        self._lanes: dict[Channel, Lane] = {}

    def of(self, pending: Pending) -> Lane:
        """The lane of a message."""
        return self._lanes.setdefault(pending.target, Lane())

    def due(self, now: int) -> Iterator[Pending]:
        """All that may be tried now, lane by lane."""
        for lane in self._lanes.values():
            while (pending := lane.next(now)) is not None:
                yield pending

    def hopeless(self, now: int) -> Iterator[tuple[Pending, Over]]:
        """What no channel will take in time, and why it is given up."""
        for lane in self._lanes.values():
            yield from lane.hopeless(now)

    def forget(self) -> None:
        """All partitions have been revoked."""
        for lane in self._lanes.values():
            lane.forget()

    @property
    def unstored(self) -> frozenset[Slot]:
        """Whose outcome is known, and not in the table yet, of all lanes."""
        return frozenset().union(*(lane.unstored for lane in self._lanes.values()))

    def stored(self, slots: frozenset[Slot]) -> None:
        """The table has these outcomes: whoever waited for that may go on."""
        for lane in self._lanes.values():
            lane.unstored -= slots

    @property
    def broken_count(self) -> int:
        """How many targets are not tried for now."""
        return sum(lane.is_broken for lane in self._lanes.values())

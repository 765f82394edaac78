"""A lane per channel target: what waits for it, how much is under way, and whether it is worth trying at all.

One that is dead or hangs holds up its own lane and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agents.delivery.pending import Pending, Slot
from sla.stakeholder import Channel
from sla.units import SECOND_MS

AT_ONCE_MAX: Final = 8  # messages under way to one target
WAITING_MAX: Final = 1_000  # for one target whose circuit is broken; beyond it the oldest are given up
FAILURES_MAX: Final = 5  # in a row, then the circuit breaks
BROKEN_FOR_MS: Final = 30 * SECOND_MS  # then one message is the probe


class Lane:
    """What goes to one target, in the order in which it came."""

    def __init__(self) -> None:
        """Empty, and trusted."""
        self._waiting: dict[Slot, Pending] = {}
        self._under_way: dict[Slot, Pending] = {}
        self._failures_count = 0
        self._broken_until = 0

    def add(self, pending: Pending) -> None:
        """Something waits, unless it is under way already."""
        if pending.slot not in self._under_way:
            self._waiting[pending.slot] = pending

    def add_again(self, pending: Pending) -> None:
        """It was under way and waits again, before all that came after it."""
        self._waiting = {pending.slot: pending, **self._waiting}

    def overflow(self) -> list[Pending]:
        """Take out the oldest that are too many for a channel that fails; for one that works they only queue."""
        if not self.is_broken:
            return []
        too_many_count = max(0, len(self._waiting) - WAITING_MAX)
        return [self._waiting.pop(slot) for slot in list(self._waiting)[:too_many_count]]

    def next(self, now: int) -> Pending | None:
        """What may be tried now, which is under way from here on.

        What concerns one dedup key goes one after the other: a recovery must not overtake its breach.
        """
        if now < self._broken_until:
            return None
        room = 1 if self._failures_count >= FAILURES_MAX else AT_ONCE_MAX
        if len(self._under_way) >= room:
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

    def forget(self) -> None:
        """What waits belongs to somebody else now; what is under way ends by itself."""
        self._waiting.clear()

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

    def overflow(self) -> Iterator[Pending]:
        """What is too much for its lane."""
        for lane in self._lanes.values():
            yield from lane.overflow()

    def forget(self) -> None:
        """All partitions have been revoked."""
        for lane in self._lanes.values():
            lane.forget()

    @property
    def broken_count(self) -> int:
        """How many targets are not tried for now."""
        return sum(lane.is_broken for lane in self._lanes.values())

"""What is due when. A timer is only a reminder: whoever set it looks at its state again when it is due."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from heapq import heappop, heappush
from typing import NamedTuple


class Kind(IntEnum):
    """What a timer reminds of, in the order in which those of one instant are looked at."""

    SILENCE = 0
    ACK = 1
    QUESTION = 2
    ESCALATE = 3
    ASK = 4
    GROUP = 5
    REPEAT = 6
    DIGEST = 7
    FORGET = 8
    END = 9


class Timer(NamedTuple):
    """At `due_at`, for a stakeholder ("" for all): what, and of which dedup key, group or silence."""

    due_at: int
    stakeholder: str
    kind: Kind
    key: str = ""


class Timers:
    """A heap of timers; it may hold some that no longer matter."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []

    def set(self, timer: Timer) -> None:
        """Remind at this instant."""
        heappush(self._heap, timer)

    def clear(self) -> None:
        """Forget all."""
        self._heap.clear()

    def next_due(self, until: int) -> list[Timer]:
        """The earliest instant's timers of one stakeholder, up to `until`, each once; none if nothing is due."""
        heap = self._heap
        if not heap or heap[0].due_at > until:
            return []
        first = heappop(heap)
        found = [first]
        while heap and heap[0][:2] == first[:2]:
            timer = heappop(heap)
            if timer != found[-1]:
                found.append(timer)
        return found

    def put_back(self, timers: Iterable[Timer]) -> None:
        """They were not looked at."""
        for timer in timers:
            heappush(self._heap, timer)

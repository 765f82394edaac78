"""What is due when: instants at which a partition must act although nothing arrives."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple


class Timer(NamedTuple):
    """Something due. Timers of one instant run by dedup key, then in the order of `kind`."""

    due_at: int
    dedup_key: str
    kind: str  # "1 period" | "2 silence" | "3 slice" | "4 close"
    service: str
    signal: str
    name: str  # of the objective; for a close "<agreement>/<objective>"


class Timers:
    """A heap in which only the latest setting of each timer counts."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._due: dict[tuple[str, str, str, str], int] = {}

    def set(self, timer: Timer) -> None:
        """Set or move a timer."""
        place = timer[2:]
        if self._due.get(place) != timer.due_at:
            self._due[place] = timer.due_at
            heappush(self._heap, timer)

    def pop(self, until: int) -> Timer | None:
        """The next timer due at or before an instant, now no longer set."""
        while self._heap and self._heap[0].due_at <= until:
            timer = heappop(self._heap)
            if self._due.get(timer[2:]) == timer.due_at:
                del self._due[timer[2:]]
                return timer
        return None

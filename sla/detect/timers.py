"""What is due when: instants at which a partition must act although nothing arrives."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final, NamedTuple

NEVER_AT: Final = 1 << 62


class Timer(NamedTuple):
    """Something due. Timers of one instant run in the order of `kind`: an account is closed on judged slices."""

    due_at: int
    kind: str  # "0 quiet" | "0 ack" | "1 period" | "2 silence" | "3 slice" | "4 close"
    dedup_key: str
    service: str
    signal: str
    name: str  # of the objective; for a close its `close_place`

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What the timer is for: there is one setting of each."""
        return self.kind, self.service, self.signal, self.name


class Timers:
    """A heap in which only the latest setting of each timer counts."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._due: dict[tuple[str, str, str, str], int] = {}

    @property
    def due_at(self) -> int:
        """Before this nothing is due."""
        return self._heap[0].due_at if self._heap else NEVER_AT

    def set(self, timer: Timer) -> None:
        """Set or move a timer."""
        place = timer.place
        if self._due.get(place) != timer.due_at:
            self._due[place] = timer.due_at
            heappush(self._heap, timer)

    def ensure(self, timer: Timer) -> None:
        """Set a timer unless one for the same is set: an early one finds out, when due, that it must wait on."""
        if timer.place not in self._due:
            self.set(timer)

    def pop(self, until: int) -> Timer | None:
        """The next timer due at or before an instant, now no longer set."""
        while self._heap and self._heap[0].due_at <= until:
            timer = heappop(self._heap)
            if self._due.get(timer.place) == timer.due_at:
                del self._due[timer.place]
                return timer
        return None

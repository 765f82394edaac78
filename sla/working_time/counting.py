"""Time that counts from an instant on: how much of it has passed by another, and when so much will have.

What is lost on the way is looked up once and kept as positions with their running sum, so that both questions cost a
search, however much was lost, and one more stretch costs no more than that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from sla.intervals import Interval, merged
from sla.working_time.unfolded import RoundTheClock, Unfolded


class Counting:
    r"""open ∩ [start, ∞) \ uncounted; `uncounted` may overlap and be in any order."""

    __slots__ = ("_from_ms", "_lost", "_lost_ms", "_open", "_start", "_wanted")

    def __init__(self, open_time: RoundTheClock | Unfolded, start: int, uncounted: Iterable[Interval] = ()) -> None:
        self._open = open_time
        self._start = start
        self._from_ms = open_time.position(start)
        self._lost: list[Interval] = []  # disjoint, in order, as positions
        self._wanted: list[int] = []  # what has passed when each of them begins
        self._lost_ms = [0]  # what was lost before each of them, and in all
        if uncounted:
            for a, b in merged(uncounted):
                if b > start:
                    self._append(a, b)

    def copy(self) -> Counting:
        """Another that may lose more."""
        other = Counting(self._open, self._start)
        other._lost, other._wanted, other._lost_ms = [*self._lost], [*self._wanted], [*self._lost_ms]
        return other

    def _append(self, start: int, end: int) -> None:
        position, lost_ms = self._open.position, self._lost_ms[-1]
        a = position(start) if start > self._start else self._from_ms
        b = position(end)
        self._lost.append((a, b))
        self._wanted.append(a - self._from_ms - lost_ms)
        self._lost_ms.append(lost_ms + b - a)

    def lose(self, start: int, end: int) -> None:
        """One more stretch that does not count; dear only where it lies before much that was lost already."""
        if end <= max(start, self._start):
            return
        a = self._open.position(start) if start > self._start else self._from_ms
        b = self._open.position(end)
        behind: list[Interval] = []
        while self._lost and self._lost[-1][1] > a:
            c, d = self._lost.pop()
            self._wanted.pop()
            self._lost_ms.pop()
            if c > b:
                behind.append((c, d))
            else:
                a, b = min(a, c), max(b, d)
        for c, d in ((a, b), *reversed(behind)):
            lost_ms = self._lost_ms[-1]
            self._lost.append((c, d))
            self._wanted.append(c - self._from_ms - lost_ms)
            self._lost_ms.append(lost_ms + d - c)

    def elapsed_ms(self, at: int) -> int:
        """How much has passed by an instant; none before the start."""
        if at <= self._start:
            return 0
        here = self._open.position(at)
        elapsed_ms = here - self._from_ms
        if not self._lost:
            return elapsed_ms
        place = bisect_left(self._lost, (here,))  # the stretches that begin before it
        if not place:
            return elapsed_ms
        a, b = self._lost[place - 1]
        return elapsed_ms - self._lost_ms[place - 1] - (min(here, b) - a)

    def after(self, span_ms: int) -> int | None:
        """The first instant by which so much has passed; the start itself for nothing. None if there is none."""
        if span_ms <= 0:
            return self._start
        place = bisect_left(self._wanted, span_ms) if self._lost else 0
        return self._open.first_at(self._from_ms + span_ms + self._lost_ms[place])

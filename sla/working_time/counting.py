"""Time that counts from an instant on: how much of it has passed by another, and when so much will have.

What is lost on the way is looked up once and kept as positions, in which both questions are sums.
"""

from __future__ import annotations

from collections.abc import Iterable

from sla.intervals import Interval, merged
from sla.working_time.unfolded import RoundTheClock, Unfolded


class Counting:
    r"""open ∩ [start, ∞) \ uncounted; `uncounted` may overlap and be in any order."""

    __slots__ = ("_from_ms", "_lost", "_open", "_start")

    def __init__(self, open_time: RoundTheClock | Unfolded, start: int, uncounted: Iterable[Interval]) -> None:
        self._open = open_time
        self._start = start
        position = open_time.position
        self._from_ms = from_ms = position(start)
        self._lost = [
            (position(a) if a > start else from_ms, position(b)) for a, b in merged(uncounted) if b > start
        ] if uncounted else []  # fmt: skip

    def elapsed_ms(self, at: int) -> int:
        """How much has passed by an instant; none before the start."""
        if at <= self._start:
            return 0
        here = self._open.position(at)
        elapsed_ms = here - self._from_ms
        for a, b in self._lost:
            if a >= here:
                break
            elapsed_ms -= min(here, b) - a
        return elapsed_ms

    def after(self, span_ms: int) -> int | None:
        """The first instant by which so much has passed; the start itself for nothing. None if there is none."""
        if span_ms <= 0:
            return self._start
        wanted = self._from_ms + span_ms
        for a, b in self._lost:
            if a >= wanted:
                break
            wanted += b - a  # what is lost is made up for later
        return self._open.first_at(wanted)

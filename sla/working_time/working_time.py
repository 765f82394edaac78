"""Time that counts: how much of it lies between two instants, and when so much of it will have passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from sla.intervals import Interval, clipped, without
from sla.units import DAY_MS, to_epoch_ms
from sla.working_time.counting import Counting
from sla.working_time.timetable import Closed, Timetable
from sla.working_time.unfolded import RoundTheClock, Unfolded

YEAR_MS: Final = 365 * DAY_MS
_A_YEAR_AT: Final = to_epoch_ms(datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class WorkingTime:
    """A calendar; without a timetable it is open round the clock. Instants and spans are milliseconds, never rounded.

    Equal timetables are equal calendars; what a calendar has unfolded is kept in it. With a timetable all is closed
    before 1970 and from 2101 on.
    """

    timetable: Timetable | None = None

    def is_open(self, at: int) -> bool:
        """Whether an instant counts."""
        return self._open.position(at + 1) > self._open.position(at)

    def next_open_at(self, at: int) -> int | None:
        """The first instant at or after another that counts; None if there is none."""
        found = self.after(at, 1)
        return None if found is None else found - 1

    def open_between(self, start: int, end: int) -> list[Interval]:
        """What counts of [start, end): disjoint intervals in order, none touching the next."""
        return self._open.between(start, end)

    def counting(self, start: int, uncounted: Sequence[Interval] = ()) -> Counting:
        """What counts from an instant on, for who asks more than once."""
        return Counting(self._open, start, uncounted)

    def elapsed_ms(self, start: int, end: int, uncounted: Sequence[Interval] = ()) -> int:
        r"""|open ∩ [start, end) \ uncounted|; `uncounted` may overlap and be in any order. 0 if end <= start."""
        if uncounted:
            return self.counting(start, clipped(uncounted, start, end)).elapsed_ms(end)
        if self.timetable is None:  # nearly always, and asked of every promise each minute
            return max(0, end - start)
        return max(0, self._open.position(end) - self._open.position(start))

    def after(self, start: int, span_ms: int, uncounted: Sequence[Interval] = ()) -> int | None:
        """The first instant t with elapsed_ms(start, t, uncounted) = span_ms; `start` itself if nothing is to elapse.

        None if so much will never have elapsed, with a timetable not before 2101.
        """
        return self.counting(start, uncounted).after(span_ms)

    def before(self, end: int, span_ms: int) -> int | None:
        """The last instant t with elapsed_ms(t, end) = span_ms; `end` itself if nothing is to have elapsed.

        None if so much never had, with a timetable not since 1970.
        """
        return end if span_ms <= 0 else self._open.last_at(self._open.position(end) - span_ms)

    def why_closed(self, start: int, end: int) -> list[Closed]:
        """What of [start, end) does not count, in order, each stretch with its reason; equal neighbours are joined."""
        if self.timetable is None:
            return []
        found: list[Closed] = []
        for a, b in without([(start, end)], self.open_between(start, end)):
            for piece in self.timetable.why_closed(a, b):
                last = found[-1] if found else None
                if last is not None and (last.end, *last[2:]) == (piece.start, *piece[2:]):
                    found[-1] = last._replace(end=piece.end)
                else:
                    found.append(piece)
        return found

    @property
    def is_always(self) -> bool:
        """Whether it is open round the clock."""
        return self.timetable is None

    @cached_property
    def year_ms(self) -> int:
        """How much is open in a year of 365 days, which is that of 2026, so that it is the same in every year."""
        return self.elapsed_ms(_A_YEAR_AT, _A_YEAR_AT + YEAR_MS)

    @cached_property
    def _open(self) -> RoundTheClock | Unfolded:
        return RoundTheClock() if self.timetable is None else Unfolded(self.timetable)


ALWAYS: Final = WorkingTime()

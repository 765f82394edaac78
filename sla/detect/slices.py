"""Timeslices: stretches of local time, each judged once as a whole (semantics.md 1, Slices)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sla.catalogue import CalendarPeriod, Objective, Timeslices, Treat
from sla.intervals import Interval, merged, overlaps
from sla.ledger import Ledger
from sla.periods import local_date, local_midnight
from sla.units import MILLION


class SliceBoard:
    """The slices of one objective: what each holds, and in `ledger` the verdicts, one good or bad per slice.

    A slice without data is neither, unless no data had begun in it and the objective treats that as good or bad.
    Slices count from local midnight; the last of a day may be shorter. Those outside of the hours that count are none;
    one that is open in part is judged by that part, and its verdict lies at its first open instant.
    """

    def __init__(self, objective: Objective, budgeting: Timeslices) -> None:
        self.slice_ms = budgeting.slice_ms
        self._target_ppm = budgeting.target_ppm
        window = objective.window
        self._timezone = window.timezone if isinstance(window, CalendarPeriod) else "UTC"
        self._treat = objective.no_data.treat if objective.no_data else Treat.IGNORE
        self.grace_ms = objective.grace_ms  # the stream sets its largest: a record on time finds its slice open
        self.ledger = Ledger()
        self.hours = objective.hours
        self.cells: dict[int, list[int]] = {}  # start → [total, bad]
        self.next_start: int | None = None  # the first slice that has no verdict yet
        self.first_start = 0
        self.silent: set[int] = set()  # slices in which no data had begun
        self._day: Interval = (0, 0)
        self._counted: dict[Interval, int] = {}  # slices of stretches that were asked for, where that is work

    def _day_of(self, at: int) -> Interval:
        if not self._day[0] <= at < self._day[1]:
            day = local_date(at, self._timezone)
            midnights = [local_midnight(day + timedelta(days=n), self._timezone) for n in (0, 1)]
            self._day = (midnights[0], midnights[1])
        return self._day

    def slice_of(self, at: int) -> Interval:
        """The slice that holds an instant."""
        midnight, next_midnight = self._day_of(at)
        start = at - (at - midnight) % self.slice_ms
        return start, min(start + self.slice_ms, next_midnight)

    def count_between(self, start: int, end: int) -> int:
        """How many slices of the time that counts have their verdict in [start, end)."""
        if self.hours.is_always:
            return self._begin_between(start, end)
        if (start, end) not in self._counted:
            self._counted[start, end] = self._open_between(start, end)
        return self._counted[start, end]

    def _open_between(self, start: int, end: int) -> int:
        count, last = 0, None
        for a, b in self.hours.open_between(start, end):
            first = self.slice_of(a)[0]
            if self._verdict_at(first) < start:
                first = self.slice_of(a)[1]
            count += self._begin_between(first, b) - (first == last)
            last = self.slice_of(b - 1)[0]
        return count

    def _verdict_at(self, start: int) -> int:
        """Where a slice stands in the ledger."""
        if self.hours.is_always:
            return start
        opens_at = self.hours.next_open_at(start)
        return start if opens_at is None else max(start, opens_at)

    def _begin_between(self, start: int, end: int) -> int:
        count = 0
        while start < end:
            midnight, next_midnight = self._day_of(start)
            until = min(end, next_midnight)
            count += -(-(until - midnight) // self.slice_ms) - -(-(start - midnight) // self.slice_ms)
            start = until
        return count

    def widened(self, intervals: Sequence[Interval]) -> list[Interval]:
        """Exclusions as whole slices: one that is touched does not count."""
        return merged((self.slice_of(a)[0], self.slice_of(b - 1)[1]) for a, b in intervals)

    def begin(self, at: int) -> int:
        """The slice of the first record is the first to be judged; the next one now."""
        if self.next_start is None:
            self.next_start = self.first_start = self.slice_of(self._verdict_at(at))[0]
        return self.next_start

    def add(self, at: int, total: int, bad: int) -> None:
        """Count in the slice of an instant; a slice that was judged already is judged anew.

        One before the first waits for its turn too, or, where a later one was judged, has missed it and is judged now.
        """
        next_start = self.begin(at)
        start = self.slice_of(at)[0]
        if start < next_start == self.first_start:
            self.next_start = self.first_start = next_start = start
        was_judged = start < next_start and (start >= self.first_start or start in self.cells)
        if was_judged:
            self._publish(start, -1)
        cell = self.cells.setdefault(start, [0, 0])
        cell[0] += total
        cell[1] += bad
        if start < next_start:
            self._publish(start, 1)

    def judged_until(self, at: int) -> int:
        """Of the slices that began before this, and of no others, the verdict was due at an instant."""
        return self.slice_of(at - self.grace_ms)[0]

    @property
    def due_at(self) -> int | None:
        """When the next slice is to be judged: its end and the objective's grace."""
        return None if self.next_start is None else self.slice_of(self.next_start)[1] + self.grace_ms

    def judge(self, silent: Sequence[Interval]) -> None:
        """Give the next slice its verdict, and wait for the one after it. `silent`: the stretches of no data."""
        if self.next_start is not None:
            start, end = self.slice_of(self.next_start)
            if overlaps(silent, start, end):
                self.silent.add(start)
            self._publish(start, 1)
            self.next_start = max(end, self.slice_of(self._verdict_at(end))[0])

    def _publish(self, start: int, sign: int) -> None:
        total, bad = self.cells.get(start, (0, 0))
        if total:
            is_bad = (total - bad) * MILLION < self._target_ppm * total
            self.ledger.add(self._verdict_at(start), sign, sign * is_bad, 0)
        elif self._treat in {Treat.GOOD, Treat.BAD} and start in self.silent and start not in self.cells:
            self.ledger.add(self._verdict_at(start), sign, sign * (self._treat is Treat.BAD), 0)

    def forget_before(self, at: int) -> None:
        """Drop the contents of slices that no late record can touch any more."""
        for start in [start for start in self.cells if start < at]:
            del self.cells[start]
        self.silent = {start for start in self.silent if start >= at}
        self._counted.clear()

    def to_json(self) -> dict[str, Any]:
        """The state that a restart needs."""
        return {
            "cells": [[start, *cell] for start, cell in self.cells.items()],
            "silent": sorted(self.silent),
            "next_start": self.next_start,
            "first_start": self.first_start,
            "ledger": self.ledger.to_json(),
        }

    def load(self, body: Mapping[str, Any]) -> None:
        """Take back what `to_json` gave, but for the ledger."""
        self.cells = {start: [total, bad] for start, total, bad in body["cells"]}
        self.silent = set(body["silent"])
        self.next_start = body["next_start"]
        self.first_start = body["first_start"]

    def take_over(self, old: SliceBoard) -> None:
        """Go on with the slices of a definition before this one; what is stored of them gets this one's name."""
        self.load(old.to_json())
        self.ledger = old.ledger
        for cell in self.ledger.cells:
            cell.version = None

"""How records of a signal become good and bad, each way with its own ledger; slices are judged on top of one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any, Final

from sla.archive import cells_of
from sla.budget import COUNT_MOST
from sla.catalogue import Indicator, NoData, NotEvaluated, Objective, Op, Ratio, Threshold, Treat, Uptime
from sla.detect.season import Season
from sla.detect.slices import SliceBoard
from sla.intervals import Interval
from sla.ledger import Ledger
from sla.records import Counts, Measurement, Sample, State
from sla.ticket_objective import Outcomes
from sla.units import MINUTE_MS, floor_to

COUNTS: Final = "counts"
"""The key of the one measure that takes counts."""

_COMPARE: Final = {Op.LTE: le, Op.LT: lt, Op.GTE: ge, Op.GT: gt}


def slices_label(objective: str) -> str:
    """What the segments of an objective's slices are called by; those of a measure bear its key."""
    return f"slices:{objective}"


class Measure:
    """One way to count a stream. `boards` are the slice boards that judge what it counts, by objective."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.boards: dict[str, SliceBoard] = {}
        self.season = Season(self.ledger)

    def begin_anew(self) -> None:
        """Before other definitions are bound, whose hours may be others: without boards, and without what was found."""
        self.boards = {}
        self.season = Season(self.ledger)

    def fill(self, minutes: Iterable[tuple[int, int, int]]) -> None:
        """Take loaded history, (at, good, bad) by the minute, if it is of this measure's kind."""

    def counts_at(self, at: int) -> bool:
        """Whether an instant is in the time that counts."""
        hours = self.ledger.hours
        return hours.is_always or hours.is_open(at)

    def begin(self, at: int) -> None:
        """Something was heard, whether it counts or not: the slices from there on will be judged."""
        for board in self.boards.values():
            board.begin(at)

    def take(self, record: Measurement) -> None:
        """Count a record if it is of this measure's kind; any other does not count."""
        raise TypeError(record)  # pragma: no cover - each measure has its own

    def settle(self, now: int) -> None:
        """Count what time itself brings, up to now."""

    def count(self, at: int, total: int, bad: int, marked: int = 1) -> None:
        """Add to the ledger and to every board; `marked` is 0 for what is assumed and not data."""
        self.ledger.add(at, total, bad, marked)
        for board in self.boards.values():
            board.add(at, total, bad)

    def to_json(self) -> dict[str, Any]:
        """What a head holds of it."""
        boards = {name: board.to_json() for name, board in self.boards.items()}
        return {"ledger": self.ledger.to_json(), **({"boards": boards} if boards else {})}

    def load(self, key: str, body: Mapping[str, Any], segments: Mapping[str, bytes]) -> None:
        """Take back what `to_json` gave, `key` being the measure's; the boards must be bound before."""
        held = body["ledger"]
        self.ledger.load(held, cells_of(key, held["segments"], segments))
        boards = body.get("boards", {})
        for name, board in self.boards.items():
            if name in boards:
                board.load(boards[name])
                held = boards[name]["ledger"]
                board.ledger.load(held, cells_of(slices_label(name), held["segments"], segments))


class CountsMeasure(Measure):
    """Good and bad as they were counted at the source.

    One record may hold 2^53 - 1 of each, so a thousand of them can exceed what 64 bits hold. Beyond `COUNT_MOST` in all
    that the ledger keeps, nothing more is counted: so every bucket, cell, slice and window's sum fits, and what was
    counted is what a window loses again.
    """

    def take(self, record: Measurement) -> None:
        """Count a `counts` record."""
        if type(record) is not Counts:
            return
        if not self.counts_at(record.at):
            self.begin(record.at)
        else:
            total, bad = self._fitting(record.good + record.bad, record.bad)
            self.ledger.add(record.at, total, bad)
            for board in self.boards.values():
                board.add(record.at, total, bad)

    def _fitting(self, total: int, bad: int) -> tuple[int, int]:
        """Total and bad as far as there is room, bad first."""
        room = COUNT_MOST - self.ledger.held_count
        return (total, bad) if total <= room else (room, min(bad, room))

    def fill(self, minutes: Iterable[tuple[int, int, int]]) -> None:
        """It is seen, but no data."""
        for at, good, bad in minutes:
            if self.counts_at(at):
                self.count(at, *self._fitting(good + bad, bad), 0)


class ThresholdMeasure(Measure):
    """One sample is one event, good when it compares with the threshold as wanted."""

    def __init__(self, indicator: Threshold) -> None:
        super().__init__()
        self._is_good = _COMPARE[indicator.op]
        self._value = indicator.value

    def take(self, record: Measurement) -> None:
        """Count a `sample` record."""
        if type(record) is not Sample:
            return
        if not self.counts_at(record.at):
            self.begin(record.at)
        else:
            self.count(record.at, 1, 0 if self._is_good(record.value, self._value) else 1)


class UptimeMeasure(Measure):
    """Milliseconds up and down. A state holds until the next one, or until nothing was heard for `after_ms`.

    `points` are the states heard, in order; what follows them is counted up to `settled_at`. A state that comes late
    takes back what was counted over its stretch and counts that anew.
    """

    def __init__(self, no_data: NoData | None) -> None:
        super().__init__()
        self._no_data = no_data
        self.uncounted: Sequence[Interval] = ()
        self.points: list[tuple[int, bool]] = []
        self.settled_at = 0

    def take(self, record: Measurement) -> None:
        """Take a `state` record."""
        if type(record) is not State:
            return
        index = bisect_right(self.points, (record.at, True))
        # What lies behind `settled_at` was not counted yet, also where a newer state is known already.
        until = min(self.points[index][0], self.settled_at) if index < len(self.points) else self.settled_at
        before = self.points[index - 1] if index else None
        if until > record.at:
            if before is not None:
                self._count_stretch(before, record.at, until, -1)
            self._count_stretch((record.at, record.up), record.at, until, 1)
        self.points.insert(index, (record.at, record.up))
        if len(self.points) == 1:
            self.settled_at = max(self.settled_at, record.at)
            self.begin(record.at)  # its time is counted by the decisions to come, and its slice must wait for it

    def settle(self, now: int) -> None:
        """Count the present state up to now."""
        if self.points and now > self.settled_at:
            for index in range(max(0, bisect_right(self.points, (self.settled_at, True)) - 1), len(self.points)):
                point = self.points[index]
                end = self.points[index + 1][0] if index + 1 < len(self.points) else now
                self._count_stretch(point, max(point[0], self.settled_at), min(end, now), 1)
            self.settled_at = now

    def recount(self, uncounted: Sequence[Interval], since: int) -> None:
        """Follow other exclusions: a state held longer or shorter than was counted is counted anew, from `since` on."""
        before, rule = self.uncounted, self._no_data
        self.uncounted = uncounted
        if rule is None or list(uncounted) == list(before):
            return
        for index, point in enumerate(self.points):
            end = self.points[index + 1][0] if index + 1 < len(self.points) else self.settled_at
            start = max(point[0], since)
            if end - point[0] > rule.after_ms and start < end:
                self.uncounted = before
                self._count_stretch(point, start, end, -1)
                self.uncounted = uncounted
                self._count_stretch(point, start, end, 1)

    def forget_before(self, at: int) -> None:
        """Drop the points that no late record can touch any more; the newest stays, since it still holds."""
        keep = max(0, bisect_right(self.points, (at, True)) - 1)
        del self.points[:keep]

    def _count_stretch(self, point: tuple[int, bool], start: int, end: int, sign: int) -> None:
        for a, b, up, marked in self._held(point, start, end):
            for c, d in self.ledger.hours.open_between(a, b):
                for at, length_ms in _pieces(c, d, self.ledger.cuts):
                    self.count(at, sign * length_ms, 0 if up else sign * length_ms, marked)

    def _held(self, point: tuple[int, bool], start: int, end: int) -> Iterator[tuple[int, int, bool, int]]:
        """Stretches as (from, to, up, 1 if that is known and 0 if it is what silence is treated as)."""
        if self._no_data is None:
            yield start, end, point[1], 1
            return
        known_until = self.ledger.hours.after(point[0], self._no_data.after_ms, self.uncounted)
        if known_until is None:
            known_until = end
        if start < known_until:
            yield start, min(end, known_until), point[1], 1
        if end > known_until and self._no_data.treat in {Treat.BAD, Treat.GOOD}:
            yield max(start, known_until), end, self._no_data.treat is Treat.GOOD, 0

    def to_json(self) -> dict[str, Any]:
        """The ledger and the states heard."""
        points = [[at, up] for at, up in self.points]
        return {**super().to_json(), "points": points, "settled_at": self.settled_at}

    def load(self, key: str, body: Mapping[str, Any], segments: Mapping[str, bytes]) -> None:
        """Take back what `to_json` gave."""
        super().load(key, body, segments)
        self.points = [(at, up) for at, up in body["points"]]
        self.settled_at = body["settled_at"]


def _pieces(start: int, end: int, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """A stretch by the minute and by the cuts, (from, length): no bucket gets more of it than lies in its own time."""
    while start < end:
        edge = min(floor_to(start, MINUTE_MS) + MINUTE_MS, end)
        following = bisect_right(cuts, start)
        if following < len(cuts):
            edge = min(edge, cuts[following])
        yield start, edge - start
        start = edge


def measure_key(objective: Objective) -> str:
    """Which measure an objective reads: objectives that count alike, in the hours of one calendar, share one."""
    key = _indicator_key(objective)
    return key if objective.calendar is None else f"{key}@{objective.calendar}"


def _indicator_key(objective: Objective) -> str:
    indicator: Indicator = objective.indicator
    match indicator:
        case Ratio() | Outcomes():
            return COUNTS
        case Threshold():
            return f"{indicator.op}:{indicator.value!r}"
        case Uptime():
            silence = objective.no_data
            return f"uptime:{silence.after_ms}:{silence.treat}" if silence else "uptime"
        case NotEvaluated():
            raise ValueError(f"{objective.name}: {indicator.kind} is not evaluated")


def new_measure(objective: Objective) -> Measure:
    """The measure of an objective's indicator."""
    match objective.indicator:
        case Threshold() as indicator:
            return ThresholdMeasure(indicator)
        case Uptime():
            return UptimeMeasure(objective.no_data)
        case _:
            return CountsMeasure()

"""What one objective's history says at an instant, computed from every record that there was."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

from .definitions import HOUR_MS, MINUTE_MS, Objective, Tier
from .surprise import tail_is_below
from .windows import (
    Interval,
    clip,
    floor_to,
    inside,
    length,
    period,
    union,
    without,
)

COUNTED_AS = {"counts": "ratio", "sample": "threshold", "state": "uptime"}
NEVER = -1


@dataclass(frozen=True, order=True)
class Record:
    """One counted record of a stream: ordered by its instant, then by its place in the log."""

    at: int
    order: int
    type: str
    good: int = 0
    bad: int = 0
    value: Fraction = Fraction(0)
    up: bool = True


@dataclass(frozen=True)
class Sum:
    total: int = 0
    bad: int = 0


@dataclass(frozen=True)
class Reading:
    """One burn tier at one instant."""

    tier: Tier
    long: Sum
    short: Sum
    burn_long: Fraction | None  # None: the window is empty
    burn_short: Fraction | None
    warm: bool

    @property
    def above(self) -> bool:
        if self.burn_long is None or self.burn_short is None:
            return False
        return self.burn_long > self.tier.factor and self.burn_short > self.tier.factor

    @property
    def clears(self) -> bool:
        return self.burn_short is not None and self.burn_short < Fraction(9, 10) * self.tier.factor


@dataclass(frozen=True)
class Budget:
    """`allowed_count` is None while there is no verdict."""

    actual: Sum
    allowed_count: int | None

    @property
    def spent(self) -> bool | None:
        return None if self.allowed_count is None else self.actual.bad > self.allowed_count


class Account:
    """One objective over all the records it counts, with the exclusions and the detector's gaps as they are known."""

    def __init__(
        self,
        objective: Objective,
        *,
        records: list[Record],
        loaded: list[Record],
        seen_from: int | None,
        excluded: list[Interval],
        gaps: list[Interval],
        grace_ms: int,
        silent_slices: AbstractSet[int] = frozenset(),
    ) -> None:
        """`silent_slices`: those that no data touched when they were judged, by their beginning."""
        self.objective = objective
        self.records = sorted(record for record in records if COUNTED_AS[record.type] == objective.kind)
        self.loaded = loaded if objective.kind == "ratio" else []
        self.seen_from = seen_from
        self.excluded = excluded
        self.gaps = gaps
        self.grace_ms = grace_ms
        self.silent_slices = silent_slices
        self.hours = objective.hours
        self.hearing = self  # knows the silences that leave the window
        self.stands_at = cache(self._stands_at)  # of a slice
        self._slices: dict[Interval, list[int]] = {}  # of whole periods
        self._silent: dict[int, int | None] = {}  # by the instant of a record
        # Several windows ask at one instant.
        self._held: tuple[int, list[tuple[int, int, bool]]] | None = None
        self._judged: tuple[int, list[tuple[int, int]]] | None = None

    def take(self, record: Record) -> None:
        """One record more of the stream: in its place, for sorting all of them each time is quadratic."""
        self.seen_from = record.at if self.seen_from is None else min(self.seen_from, record.at)
        if COUNTED_AS[record.type] != self.objective.kind:
            return
        insort(self.records, record)
        if "items" in vars(self):
            for item in self.items_of(record):
                insort(self.items, item)
        self._held = self._judged = None
        for worked_out in ("past_silences", "sliced"):
            vars(self).pop(worked_out, None)

    def before_slices(self) -> Account:
        """The same, as it stands at an instant before the slices are judged that are due at it."""
        return self._like(self.records, self.grace_ms + 1)

    def less(self, late: list[Record]) -> Account:
        """The same without the counts of some of its records; they were heard nonetheless."""
        gone = {record.order for record in late}
        left = self._like([record for record in self.records if record.order not in gone], self.grace_ms)
        left.hearing = self
        left.stands_at, left._slices = self.stands_at, self._slices  # which slices there are no record decides
        return left

    def _like(self, records: list[Record], grace_ms: int) -> Account:
        return Account(
            self.objective,
            records=records,
            loaded=self.loaded,
            seen_from=self.seen_from,
            excluded=self.excluded,
            gaps=self.gaps,
            grace_ms=grace_ms,
            silent_slices=self.silent_slices,
        )

    # -- no data ------------------------------------------------------------------------------------------------

    def silent_from(self, at: int) -> int | None:
        """The instant from which silence after a record at `at` is no data."""
        if self.objective.no_data_after_ms is None:
            return None
        if at not in self._silent:
            holes = union(self.excluded + self.gaps)
            self._silent[at] = self.hours.after(at, self.objective.no_data_after_ms, holes)
        return self._silent[at]

    def no_data_from(self) -> int | None:
        return self.silent_from(self.records[-1].at) if self.records else None

    @cached_property
    def past_silences(self) -> list[Interval]:
        """The no-data spans between records, by their instants."""
        if self.objective.no_data_after_ms is None:
            return []
        after_ms = self.objective.no_data_after_ms
        spans = []
        for earlier, later in zip(self.records, self.records[1:], strict=False):
            if later.at - earlier.at <= after_ms:
                continue
            begin = self.silent_from(earlier.at)
            if begin is not None and begin < later.at:
                spans.append((begin, later.at))
        return spans

    def silences(self, now: int) -> list[Interval]:
        begin = self.no_data_from()
        return self.past_silences + ([(begin, now)] if begin is not None and begin < now else [])

    # -- time ---------------------------------------------------------------------------------------------------

    def counted_ms(self, begin: int, now: int) -> int:
        """Time of [begin, now) that counts: open, not excluded, and not without data where that leaves the window."""
        left = self.open_between(begin, now)
        counted = length(left)
        if self.objective.no_data_treat in ("ignore", "unknown"):
            silences = self.hearing.silences(now)
            counted -= sum(length(clip(silences, low, high)) for low, high in left)
        return counted

    def open_between(self, begin: int, end: int) -> list[Interval]:
        """What of [begin, end) is open and not excluded."""
        return [left for piece in self.hours.between(begin, end) for left in without(piece, self.excluded)]

    def seen_ms(self, now: int) -> int:
        return 0 if self.seen_from is None else self.counted_ms(self.seen_from, now)

    # -- counting -----------------------------------------------------------------------------------------------

    @cached_property
    def items(self) -> list[tuple[int, int, int]]:
        """(instant, total, bad) of every record that counts, by instant; for ratio and threshold."""
        return sorted(item for record in [*self.loaded, *self.records] for item in self.items_of(record))

    def items_of(self, record: Record) -> list[tuple[int, int, int]]:
        """What one record counts: nothing while it is excluded or the calendar is closed."""
        if inside(record.at, self.excluded) or not self.hours.has(record.at):
            return []
        if record.type in ("counts", "history"):
            return [(record.at, record.good + record.bad, record.bad)]
        if record.type == "sample":
            return [(record.at, 1, 0 if self.is_good(record.value) else 1)]
        return []

    def is_good(self, value: Fraction) -> bool:
        limit = self.objective.value
        assert limit is not None
        return {"lte": value <= limit, "lt": value < limit, "gte": value >= limit, "gt": value > limit}[
            str(self.objective.op)
        ]

    def held(self, now: int) -> list[tuple[int, int, bool]]:
        """(from, to, down) of every stretch of known state up to `now` that is open and not excluded; for uptime."""
        if self._held is None or self._held[0] != now:
            self._held = (now, self.stretches(now))
        return self._held[1]

    def stretches(self, now: int) -> list[tuple[int, int, bool]]:
        stretches = []
        treat = self.objective.no_data_treat
        for index, record in enumerate(self.records[: bisect_left(self.records, now, key=attrgetter("at"))]):
            end = min(self.records[index + 1].at, now) if index + 1 < len(self.records) else now
            silent = self.silent_from(record.at)
            known_until = end if silent is None else min(silent, end)
            stretches.append((record.at, known_until, not record.up))
            if known_until < end and treat in ("bad", "good"):
                stretches.append((known_until, end, treat == "bad"))
        return [(low, high, down) for begin, end, down in stretches for low, high in self.open_between(begin, end)]

    def sum(self, begin: int, end: int, now: int) -> Sum:
        """Good and bad of [begin, end) as known at `now`, in the objective's own unit."""
        if self.objective.slice_ms is not None:
            chosen = [bad for stands_at, bad in self.judged(now) if begin <= stands_at < end]
            return Sum(len(chosen), sum(chosen))
        if self.objective.kind == "uptime":
            return self.sum_of_time(begin, min(end, now), now)
        items = self.items
        chosen_items = items[bisect_left(items, (begin, -1, -1)) : bisect_left(items, (end, -1, -1))]
        return Sum(sum(item[1] for item in chosen_items), sum(item[2] for item in chosen_items))

    def sum_of_time(self, begin: int, end: int, now: int) -> Sum:
        total = bad = 0
        for low, high, down in self.held(now):
            span = min(high, end) - max(low, begin)
            if span > 0:
                total += span
                bad += span if down else 0
        return Sum(total, bad)

    # -- slices -------------------------------------------------------------------------------------------------

    def slice_ms(self) -> int:
        assert self.objective.slice_ms is not None
        return self.objective.slice_ms

    def slices_in(self, begin: int, end: int) -> list[int]:
        """The open slices of the whole span that are not excluded, by their beginning."""
        width_ms = self.slice_ms()
        if (begin, end) not in self._slices:
            starts = range(floor_to(begin, width_ms), end, width_ms)
            self._slices[begin, end] = [start for start in starts if begin <= self.stands_at(start) < end]
        return self._slices[begin, end]

    def excluded_slices(self, begin: int, end: int) -> list[int]:
        """The open slices of the span that are excluded."""
        width_ms = self.slice_ms()
        starts = {at for low, high in self.excluded for at in range(floor_to(low, width_ms), high, width_ms)}
        return [start for start in starts if inside(start, self.excluded) and begin <= self.opens_at(start) < end]

    def opens_at(self, start: int) -> int:
        """The first open instant of a slice, by which it belongs to a span; NEVER where it is closed as a whole."""
        found = self.hours.opens_in(start, start + self.slice_ms())
        return NEVER if found is None else found

    def _stands_at(self, start: int) -> int:
        """That instant, where the verdict stands; NEVER where the slice is excluded too."""
        return NEVER if inside(start, self.excluded) else self.opens_at(start)

    @cached_property
    def sliced(self) -> dict[int, Sum]:
        slices: dict[int, Sum] = {}
        for at, total, bad in self.items:
            start = floor_to(at, self.slice_ms())
            so_far = slices.get(start, Sum())
            slices[start] = Sum(so_far.total + total, so_far.bad + bad)
        return slices

    def sliced_time(self, now: int) -> dict[int, Sum]:
        slices: dict[int, Sum] = {}
        width_ms = self.slice_ms()
        for low, high, down in self.held(now):
            for start in range(floor_to(low, width_ms), high, width_ms):
                span = min(high, start + width_ms) - max(low, start)
                so_far = slices.get(start, Sum())
                slices[start] = Sum(so_far.total + span, so_far.bad + (span if down else 0))
        return slices

    def judged(self, now: int) -> list[tuple[int, int]]:
        """(where its verdict stands, 1 if bad) of every slice that counts and whose end + grace has come."""
        if self._judged is None or self._judged[0] != now:
            self._judged = (now, self.verdicts(now))
        return self._judged[1]

    def verdicts(self, now: int) -> list[tuple[int, int]]:
        width_ms = self.slice_ms()
        limit = self.objective.slice_target
        assert limit is not None
        slices = self.sliced_time(now) if self.objective.kind == "uptime" else self.sliced
        verdicts: dict[int, int] = {}
        if self.objective.kind != "uptime" and self.objective.no_data_treat in ("bad", "good"):
            verdicts = dict.fromkeys(self.silent_slices, 1 if self.objective.no_data_treat == "bad" else 0)
        for start, whole in slices.items():
            verdicts.pop(start, None)
            if whole.total > 0:
                verdicts[start] = 0 if Fraction(whole.total - whole.bad, whole.total) >= limit else 1
        due = sorted(start for start in verdicts if start + width_ms + self.grace_ms <= now)
        stand = [(self.stands_at(start), verdicts[start]) for start in due]
        return [each for each in stand if each[0] != NEVER]

    # -- verdicts -----------------------------------------------------------------------------------------------

    def budget_window(self, now: int) -> Interval:
        rolling_ms = self.objective.window.rolling_ms
        if rolling_ms is None:
            return period(self.objective.window, now)[:2]
        begin = self.hours.window_start(rolling_ms, now)
        return begin, begin + rolling_ms if self.hours.is_always else now + 1

    def budget(self, now: int, known_at: int | None = None) -> Budget:
        """`known_at`: as it is told later, from all that lay before `now` or was judged by then."""
        objective = self.objective
        begin, end = self.budget_window(now)
        rolling_ms = objective.window.rolling_ms
        window_ms = self.hours.length(begin, end) if rolling_ms is None else rolling_ms
        end_and_now = (max(end, now + 1), now) if known_at is None else self.looked_back(now, known_at)
        actual = self.sum(begin, *end_and_now)
        if self.seen_from is None or not self.records:
            return Budget(actual, None)
        counted_ms = self.counted_ms(max(begin, self.seen_from), now)
        is_full = rolling_ms is not None and self.seen_from <= begin
        if counted_ms == 0 and not is_full:
            return Budget(actual, None)
        if objective.slice_ms is not None:
            if rolling_ms is None:
                total = len(self.slices_in(begin, end))
            else:
                total = rolling_ms // self.slice_ms() - len(self.excluded_slices(begin, end))
            return Budget(actual, floor_share(total, objective.tolerated))
        if is_full:
            return Budget(actual, floor_share(actual.total, objective.tolerated))
        return Budget(actual, floor_share(actual.total * window_ms // counted_ms, objective.tolerated))

    def reading(self, tier: Tier, now: int, known_at: int | None = None) -> Reading:
        """`known_at`: as for `budget`."""
        end_and_now = (now + 1, now) if known_at is None else self.looked_back(now, known_at)
        long = self.sum(self.hours.window_start(tier.long_ms, now), *end_and_now)
        short = self.sum(self.hours.window_start(tier.short_ms, now), *end_and_now)
        return Reading(
            tier,
            long,
            short,
            self.burn(long),
            self.burn(short),
            warm=self.seen_ms(now) >= tier.long_ms,
        )

    def looked_back(self, now: int, known_at: int) -> tuple[int, int]:
        """Up to where it is counted, and as known when: slices as far as they had been judged."""
        return now, now if self.objective.slice_ms is not None else known_at

    def burn(self, counts: Sum) -> Fraction | None:
        return None if counts.total == 0 else Fraction(counts.bad, counts.total) / self.objective.tolerated

    def is_significant(self, reading: Reading) -> bool:
        bad = reading.long.bad
        if self.objective.slice_ms is not None:
            return bad >= 2
        if self.objective.kind == "uptime":
            return bad >= MINUTE_MS
        enough = bad >= (3 if reading.tier.severity == "critical" else 1)
        return enough and self.is_rare(reading)

    def is_rare(self, reading: Reading) -> bool:
        chance = reading.tier.factor * self.objective.tolerated
        return tail_is_below(reading.long.bad, reading.long.total, chance, Fraction(1, 20))

    # -- confidence ---------------------------------------------------------------------------------------------

    def confidence(self, rule_ms: int | None, now: int) -> dict[str, Any]:
        """Of a rule over its long window; `rule_ms` None: a budget rule, over the budget's own window."""
        begin = self.budget_window(now)[0] if rule_ms is None else self.hours.window_start(rule_ms, now)
        with_data, counted = self.coverage(begin, now)
        coverage = Fraction(with_data, counted) if counted else Fraction(1)
        level = "partial" if coverage < Fraction(9, 10) else "full"
        if self.seen_ms(now) < (HOUR_MS if rule_ms is None else rule_ms):
            level = "warming"
        return {"level": level, "coverage": float(coverage), "minutes": counted}

    def coverage(self, begin: int, now: int) -> tuple[int, int]:
        """How many minutes have data, of how many counted ones of [begin, now); `history` is seen, not data."""
        seen_from = begin if self.seen_from is None else max(begin, self.seen_from)
        minutes = range(floor_to(seen_from, MINUTE_MS), now, MINUTE_MS)
        counted = [start for start in minutes if self.counted_ms(start, min(start + MINUTE_MS, now)) > 0]
        if self.objective.kind == "uptime":
            known = [each for low, high, _ in self.held(now) for each in without((low, high), self.silences(now))]
            with_data = {m for low, high in known for m in range(floor_to(low, MINUTE_MS), high, MINUTE_MS)}
        else:
            with_data = {floor_to(record.at, MINUTE_MS) for record in self.records}
        return sum(1 for minute in counted if minute in with_data), len(counted)


def floor_share(total: int, share: Fraction) -> int:
    return total * share.numerator // share.denominator

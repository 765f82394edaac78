"""From a ledger to its scenarios: what the forecast of one objective is worked out from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sla.buckets import Totals
from sla.budget import allowed_count, extrapolated
from sla.catalogue import CalendarPeriod, Rolling
from sla.cells import COARSE_MS, step_of
from sla.detect.account import Account, Reading, Seen
from sla.detect.hindsight import Past
from sla.forecast import (
    DAYS_LEAST,
    HOURS_MAX,
    HOURS_PER_DAY,
    LEAST_SEEN_MS,
    Outlook,
    Pace,
    Scenario,
    Walk,
    days_of,
    of_days,
    of_hours,
    outlook,
)
from sla.periods import period_at
from sla.units import DAY_MS, HOUR_MS, floor_to

ByHour = Mapping[int, tuple[int, int]]
"""Total and bad by the start of their hour."""


def work_out(account: Account, seen: Seen, reading: Reading, at: int) -> Outlook | None:
    """The outlook at a whole minute; None without bad counts in the last hour, or before an hour was seen."""
    budget = reading.budget
    hour = account.ledger.read(HOUR_MS)
    if budget is None or budget.is_overspent or not hour.bad or seen.first_at is None:
        return None
    if account.seen_ms(seen, at) < LEAST_SEEN_MS:
        return None
    span = _span(account, seen.first_at, at)
    left = _leaving(account, span)
    allowed = _allowed(account, seen, reading, at, len(left))
    walk = Walk(at, Pace(reading.total, reading.bad), left, allowed, allowed.full_from)
    found = outlook(walk, _scenarios(account, seen.first_at, hour, span))
    # A walk goes by whole hours that count; what is told is the time of day, and before a period's end.
    ends_at = period_at(window, at).end if isinstance(window := account.objective.window, CalendarPeriod) else None
    ahead = (_ahead(account, at, breach_at - at) for breach_at in found.breach_ats)
    return Outlook(tuple(each for each in ahead if ends_at is None or each <= ends_at), found.scenarios_count)


class _Span(NamedTuple):
    """What is known around an instant: how many past days to learn from, and what they brought.

    `by_hour` serves where every hour counts. A calendar's hours lie anywhere, and are added up by `between`.
    """

    at: int
    days_count: int
    by_hour: ByHour
    between: Callable[[int, int], Totals]


def _span(account: Account, first_at: int, at: int) -> _Span:
    this_hour, hours = floor_to(at, HOUR_MS), account.objective.hours
    days_count = days_of(hours.elapsed_ms(first_at, this_hour))
    if not hours.is_always:
        # Some thousand stretches are asked for: from running sums, not from buckets that are packed.
        return _Span(at, days_count, {}, Past(account.ledger.rows(), account.ledger.excluded).between)
    by_hour = account.ledger.by_hour(min(account.start_at(at), this_hour - days_count * DAY_MS))
    return _Span(at, days_count, by_hour, account.ledger.between)


def _ahead(account: Account, at: int, counted_ms: int) -> int:
    """When so much more time will have counted."""
    ahead_at = account.objective.hours.after(at, counted_ms)
    return at + counted_ms if ahead_at is None else ahead_at


def _scenarios(account: Account, first_at: int, hour: Totals, span: _Span) -> list[Scenario]:
    present = Pace(hour.total, hour.bad)
    if span.days_count >= DAYS_LEAST:
        return of_days(present, _past_hours(account, span), span.days_count)
    hours = account.objective.hours
    until = account.ledger.edge(HOUR_MS, span.at)
    known = [present]
    for _ in range(1, HOURS_MAX):
        start = hours.before(until, HOUR_MS)
        if start is None or start < first_at:
            break
        sums = span.between(start, until)
        known.append(Pace(sums.total, sums.bad))
        until = start
    return of_hours(present, known)


def _past_hours(account: Account, span: _Span) -> Callable[[int, int], Pace]:
    """What the k-th hour from now brought some days ago; a day is 24 hours that count."""
    this_hour, hours, nothing = floor_to(span.at, HOUR_MS), account.objective.hours, Pace(0, 0)
    if hours.is_always:

        def hour_of(day: int, k: int) -> Pace:
            found = span.by_hour.get(this_hour - day * DAY_MS + k * HOUR_MS)
            return Pace(*found) if found else nothing

        return hour_of
    edges = [hours.before(this_hour, back * HOUR_MS) or 0 for back in range(span.days_count * HOURS_PER_DAY + 1)]

    def counted_hour_of(day: int, k: int) -> Pace:
        back = day * HOURS_PER_DAY - k
        return Pace(*span.between(edges[back], edges[back - 1])[:2])

    return counted_hour_of


def _leaving(account: Account, span: _Span) -> list[Pace]:
    """For each hour ahead, what will have left the window by its end; as many hours as can be seen ahead."""
    window, hours = account.objective.window, account.objective.hours
    if not isinstance(window, Rolling):
        left_ms = hours.elapsed_ms(span.at, period_at(window, span.at).end)
        return [Pace(0, 0)] * max(1, -(-left_ms // HOUR_MS))
    ledger = account.ledger
    edge = ledger.windows[account.span].edge
    is_hourly = hours.is_always and step_of(window.window_ms) == COARSE_MS  # then every edge is an hour's
    left: list[Pace] = []
    total = bad = 0
    for k in range(max(1, window.window_ms // HOUR_MS)):
        if is_hourly:
            gone = span.by_hour.get(edge, (0, 0))
            edge += HOUR_MS
        else:
            until = ledger.edge(window.window_ms, _ahead(account, span.at, (k + 1) * HOUR_MS))
            gone = span.between(edge, until)[:2]
            edge = until
        total += gone[0]
        bad += gone[1]
        left.append(Pace(total, bad))
    return left


class _allowed:  # noqa: N801 - a function of (k, total) that remembers what it was made from
    def __init__(self, account: Account, seen: Seen, reading: Reading, at: int, hours_count: int) -> None:
        self._now = reading.budget.allowed if reading.budget else 0
        self._is_fixed = account.board is not None
        self._target_ppm = account.objective.target_ppm
        self._window_ms = account.window_ms(at)
        self._first_at = seen.first_at or 0
        edge = account.ledger.windows[account.span].edge
        self._counted_ms = account.seen_ms(seen, at, edge)
        window = account.objective.window
        self.full_from = hours_count
        if isinstance(window, Rolling):
            rolling_ms = window.window_ms
            self.full_from = bisect_left(
                range(hours_count),
                self._first_at,
                key=lambda k: account.ledger.edge(rolling_ms, _ahead(account, at, (k + 1) * HOUR_MS)),
            )

    def __call__(self, k: int, total: int) -> int:
        if self._is_fixed or k < 0:
            return self._now
        if k >= self.full_from:
            return allowed_count(total, self._target_ppm)
        whole = extrapolated(total, self._window_ms, max(1, self._counted_ms + (k + 1) * HOUR_MS))
        return allowed_count(whole, self._target_ppm)

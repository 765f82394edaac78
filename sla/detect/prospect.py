"""From a ledger to its scenarios: what the forecast of one objective is worked out from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from sla.buckets import Totals
from sla.budget import allowed_count, extrapolated
from sla.catalogue import Rolling
from sla.cells import COARSE_MS, rolling_edge, step_of
from sla.detect.account import Account, Reading, Seen
from sla.forecast import (
    DAYS_LEAST,
    HOURS_MAX,
    LEAST_SEEN_MS,
    Outlook,
    Pace,
    Scenario,
    Walk,
    days_seen,
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
    days_count = days_seen(at, seen.first_at)
    hours = account.ledger.by_hour(min(account.start_at(at), floor_to(at, HOUR_MS) - days_count * DAY_MS))
    left = _leaving(account, at, hours)
    allowed = _allowed(account, seen, reading, at, len(left))
    walk = Walk(at, Pace(reading.total, reading.bad), left, allowed, allowed.full_from)
    return outlook(walk, _scenarios(account, seen.first_at, hour, at, hours))


def _scenarios(account: Account, first_at: int, hour: Totals, at: int, hours: ByHour) -> list[Scenario]:
    present = Pace(hour.total, hour.bad)
    days_count = days_seen(at, first_at)
    if days_count >= DAYS_LEAST:
        this_hour = floor_to(at, HOUR_MS)
        nothing = Pace(0, 0)

        def hour_of(day: int, k: int) -> Pace:
            found = hours.get(this_hour - day * DAY_MS + k * HOUR_MS)
            return Pace(*found) if found else nothing

        return of_days(present, hour_of, days_count)
    edge = rolling_edge(HOUR_MS, at)
    known = [present]
    for back in range(1, HOURS_MAX):
        start = edge - back * HOUR_MS
        if start < first_at:
            break
        sums = account.ledger.between(start, start + HOUR_MS)
        known.append(Pace(sums.total, sums.bad))
    return of_hours(present, known)


def _leaving(account: Account, at: int, hours: ByHour) -> list[Pace]:
    """For each hour ahead, what will have left the window by its end; as many hours as can be seen ahead."""
    window = account.objective.window
    if not isinstance(window, Rolling):
        return [Pace(0, 0)] * max(1, -(-(period_at(window, at).end - at) // HOUR_MS))
    ledger = account.ledger
    edge = ledger.windows[account.span].edge
    is_hourly = step_of(window.window_ms) == COARSE_MS  # then every edge is an hour's
    left: list[Pace] = []
    total = bad = 0
    for k in range(max(1, window.window_ms // HOUR_MS)):
        if is_hourly:
            gone = hours.get(edge, (0, 0))
            edge += HOUR_MS
        else:
            until = rolling_edge(window.window_ms, at + (k + 1) * HOUR_MS)
            gone = ledger.between(edge, until)[:2]
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
                key=lambda k: rolling_edge(rolling_ms, at + (k + 1) * HOUR_MS),
            )

    def __call__(self, k: int, total: int) -> int:
        if self._is_fixed or k < 0:
            return self._now
        if k >= self.full_from:
            return allowed_count(total, self._target_ppm)
        whole = extrapolated(total, self._window_ms, max(1, self._counted_ms + (k + 1) * HOUR_MS))
        return allowed_count(whole, self._target_ppm)

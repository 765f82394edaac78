"""When the budget will end: each scenario walked hour by hour (semantics.md 1, Forecast; AMBIGUITIES.md 87 to 94)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from .account import Account, Budget, Sum, floor_share
from .definitions import DAY_MS, HOUR_MS
from .windows import floor_to, period, spell

DAYS_MOST, DAYS_LEAST, HOURS_MOST = 28, 2, 6


class Outlook(NamedTuple):
    """The breach instants of the scenarios that breach, in order, and how many scenarios there are."""

    breaches: list[int]
    scenarios_count: int

    def quantile(self, percent: int) -> int | None:
        """The first of the breach instants that so many of a hundred do not lie behind; None if most do not breach."""
        if not self.breaches or 2 * len(self.breaches) < self.scenarios_count:
            return None
        return next(at for rank, at in enumerate(self.breaches, start=1) if 100 * rank >= percent * len(self.breaches))

    def share(self, until: int | None = None) -> Fraction:
        if self.scenarios_count == 0:
            return Fraction(0)
        return Fraction(sum(1 for at in self.breaches if until is None or at <= until), self.scenarios_count)


def outlook(account: Account, now: int) -> Outlook | None:
    """As it is at a whole minute; None where there is none."""
    hour = last_hour(account, now)
    if account.budget(now).spent is not False or hour.bad == 0 or account.seen_ms(now) < HOUR_MS:
        return None
    scenarios = past_days(account, hour, now) or past_hours(account, hour, now)
    left, here = list(leaving(account, now)), present(account, now)
    found = [at for at in (walked(account, scenario, left, here) for scenario in scenarios) if at is not None]
    window = account.objective.window
    if window.rolling_ms is None:
        found = [at for at in found if at <= period(window, now)[1]]
    return Outlook(sorted(found), len(scenarios))


def last_hour(account: Account, now: int) -> Sum:
    return account.sum(account.hours.window_start(HOUR_MS, now), now + 1, now)


# -- scenarios: what each hour of a day to come brings, the day repeated -------------------------------------------


def past_days(account: Account, hour: Sum, now: int) -> list[list[Sum]]:
    """Each past day as it would go on from the present hour; none until there are two of them."""
    this_hour = floor_to(now, HOUR_MS)
    assert account.seen_from is not None
    count = min(DAYS_MOST, account.hours.length(account.seen_from, this_hour) // DAY_MS)
    if count < DAYS_LEAST:
        return []
    edges = [account.hours.before(this_hour, back * HOUR_MS) for back in range(count * 24, -1, -1)]
    hours = [account.sum(begin, end, now) for begin, end in pairwise(edges)]
    return [as_now(hours[first : first + 24], hour) for first in range(0, len(hours), 24)]


def as_now(day: list[Sum], hour: Sum) -> list[Sum]:
    """Scaled to the traffic of the present hour; what it has of bad beyond that day's goes on, or less of it does."""
    scale = Fraction(hour.total, day[0].total) if day[0].total else Fraction(1)
    usual = int(day[0].bad * scale)
    if hour.bad >= usual:
        return [Sum(int(each.total * scale), int(each.bad * scale) + hour.bad - usual) for each in day]
    return [Sum(int(each.total * scale), int(each.bad * scale * hour.bad / usual)) for each in day]


def past_hours(account: Account, hour: Sum, now: int) -> list[list[Sum]]:
    """Each of the last six hours that were seen, as one that repeats at the present traffic."""
    hours, end = [hour], account.hours.window_start(HOUR_MS, now)
    while len(hours) < HOURS_MOST:
        begin = account.hours.before(end, HOUR_MS)
        if begin < (account.seen_from or 0):
            break
        hours.append(account.sum(begin, end, now))
        end = begin
    return [[Sum(hour.total, each.bad * hour.total // each.total)] for each in hours if each.total]


# -- the walk ------------------------------------------------------------------------------------------------------


class Left(NamedTuple):
    """At the end of an hour to come: what has left the window until then, and whether the window is full."""

    gone: Sum
    is_full: bool


def leaving(account: Account, now: int) -> Iterator[Left]:
    """For each hour ahead, at most one window, or to the period's end."""
    window = account.objective.window
    assert account.seen_from is not None
    if window.rolling_ms is None:
        for _ in range(max(1, -(-account.hours.length(now, period(window, now)[1]) // HOUR_MS))):
            yield Left(Sum(), is_full=False)
        return
    edge, gone = account.hours.window_start(window.rolling_ms, now), Sum()
    for ahead in range(1, max(1, window.rolling_ms // HOUR_MS) + 1):
        then = account.hours.window_start(window.rolling_ms, after(account, now, ahead * HOUR_MS))
        more = account.sum(edge, then, now)
        edge, gone = then, Sum(gone.total + more.total, gone.bad + more.bad)
        yield Left(gone, is_full=edge >= account.seen_from)


class Present(NamedTuple):
    """The budget now, and what its extrapolation goes by."""

    now: int
    budget: Budget
    window_ms: int
    counted_ms: int


def present(account: Account, now: int) -> Present:
    begin, end = account.budget_window(now)
    window_ms = account.objective.window.rolling_ms or account.hours.length(begin, end)
    counted_ms = account.counted_ms(max(begin, account.seen_from or 0), now)
    return Present(now, account.budget(now), window_ms, counted_ms)


def walked(account: Account, scenario: list[Sum], left: list[Left], here: Present) -> int | None:
    """The instant of the breach: within its hour where the margin, which falls evenly, is below zero."""
    total, bad = here.budget.actual.total, here.budget.actual.bad
    margin = int(here.budget.allowed_count or 0) - bad
    for place, (gone, is_full) in enumerate(left):
        hour = scenario[place % len(scenario)]
        total, bad = total + hour.total, bad + hour.bad
        counted_ms = None if is_full else here.counted_ms + (place + 1) * HOUR_MS
        before, margin = margin, allowed(account, total - gone.total, counted_ms, here) - (bad - gone.bad)
        if margin < 0:
            into_ms = HOUR_MS * (before + 1) // (before - margin) if before >= 0 else 0
            return after(account, here.now, place * HOUR_MS + min(into_ms, HOUR_MS))
    return None


def allowed(account: Account, total: int, counted_ms: int | None, here: Present) -> int:
    """The budget of so much traffic in the window, seen for so long; None: it is full."""
    if account.objective.slice_ms is not None:
        return int(here.budget.allowed_count or 0)
    whole = total if counted_ms is None else total * here.window_ms // counted_ms
    return floor_share(whole, account.objective.tolerated)


def after(account: Account, now: int, counted_ms: int) -> int:
    """When so much more open time will have passed."""
    found = account.hours.after(now, counted_ms, [])
    return now + counted_ms if found is None else found


# -- what is told --------------------------------------------------------------------------------------------------


def shown(found: Outlook | None) -> dict[str, Any] | None:
    if found is None:
        return None
    share = found.share()
    quantiles = {f"p{percent}": spell(found.quantile(percent)) for percent in (10, 50, 90)}
    told = None if quantiles["p50"] is None else quantiles
    return {"breach_at": told, "p_breach_in_window": int(share * 10_000 + Fraction(1, 2)) / 10_000}

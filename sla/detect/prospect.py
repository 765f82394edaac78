"""From a ledger to its scenarios: what the forecast of one objective is worked out from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sla.catalogue import CalendarPeriod, Rolling
from sla.detect.account import Account, Reading, Seen
from sla.detect.season import Leaving
from sla.detect.stream import Stream
from sla.forecast import LEAST_SEEN_MS, Allowance, Outlook, Pace, Walk, outlook
from sla.periods import period_at
from sla.reach import ahead_of
from sla.units import HOUR_MS

LOOKED_AT_ONCE: Final = 64
"""Streams of which nothing is to be worked out: finding that out takes some microseconds each."""


def work_out(account: Account, seen: Seen, reading: Reading, at: int) -> Outlook | None:
    """The outlook at a whole minute; None without bad counts in the last hour, or before an hour was seen."""
    budget = reading.budget
    if budget is None or budget.is_overspent or seen.first_at is None or not _will_look_ahead(account, seen, at):
        return None
    left = _leaving(account, seen.first_at, at)
    allowance = _allowance(account, seen, reading, at, left.full_from)
    walk = Walk(at, Pace(reading.total, reading.bad), left.totals, left.bads, allowance)
    found = outlook(walk, account.season.scenarios(seen.first_at, at))
    if not found.breach_ats:
        return found
    # A walk goes by whole hours that count; what is told is the time of day, and before a period's end.
    ends_at = period_at(window, at).end if isinstance(window := account.objective.window, CalendarPeriod) else None
    ahead = (ahead_of(account.objective.hours, at, breach_at - at) for breach_at in found.breach_ats)
    return Outlook(tuple(each for each in ahead if ends_at is None or each <= ends_at), found.scenarios_count)


def prepare(streams: Iterable[Stream], now: Callable[[], int | None]) -> Iterator[None]:
    """Work out what the past of each stream says, where forecasts will ask; each step takes a moment.

    They would find it themselves, and find the same: it only takes long, of all streams at one whole minute.
    """
    for count, stream in enumerate(streams, 1):
        at = now()
        if (at is not None and _prepare(stream.in_order, stream.seen, at)) or count % LOOKED_AT_ONCE == 0:
            yield


def _prepare(accounts: Iterable[Account], seen: Seen, at: int) -> bool:
    """Whether there was anything still to be done in this hour."""
    first_at = seen.first_at
    if first_at is None:
        return False
    cold = [each for each in accounts if not each.season.knows_days(at) and _will_look_ahead(each, seen, at)]
    is_any = False
    for account in cold:
        if account.season.days_seen(first_at, at) is not None:
            _leaving(account, first_at, at)
            is_any = True
    for account in cold:  # one season serves several of them
        account.season.let_go()
    return is_any


def _will_look_ahead(account: Account, seen: Seen, at: int) -> bool:
    return bool(account.ledger.read(HOUR_MS).bad) and account.seen_ms(seen, at) >= LEAST_SEEN_MS


def _leaving(account: Account, first_at: int, at: int) -> Leaving:
    """What will have left the window, for as many hours as can be seen ahead."""
    window, hours = account.objective.window, account.objective.hours
    if isinstance(window, Rolling):
        return account.season.leaving(window.window_ms, account.ledger.windows[account.span].edge, at, first_at)
    left_ms = hours.elapsed_ms(at, period_at(window, at).end)
    nothing = [0] * max(1, -(-left_ms // HOUR_MS))
    return Leaving(nothing, nothing, len(nothing))


def _allowance(account: Account, seen: Seen, reading: Reading, at: int, full_from: int) -> Allowance:
    return Allowance(
        now=reading.budget.allowed if reading.budget else 0,
        is_fixed=account.board is not None,
        target_ppm=account.objective.target_ppm,
        window_ms=account.window_ms(at),
        # Nobody asks this of a full window.
        counted_ms=account.seen_ms(seen, at, account.ledger.windows[account.span].edge) if full_from else 0,
        full_from=full_from,
    )

"""What would have been said then, had this been known: an objective's standing at past minutes, from its buckets.

Two walks over the same minutes, one with and one without what came late, are compared with each other and not with
what was published second by second, so that a walk's coarser steps can never be mistaken for a difference.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sla.buckets import Bucket
from sla.budget import Budget
from sla.detect.account import Account, Seen
from sla.past import Past
from sla.standing import Standing


class View(NamedTuple):
    """A standing and the budget it rests on."""

    standing: Standing
    budget: Budget | None


def without(rows: Sequence[Bucket], late: Iterable[tuple[int, int, int]]) -> list[Bucket]:
    """The rows as they were before (at, total, bad) came late."""
    starts = [row.start for row in rows]
    result = list(rows)
    for at, total, bad in late:
        index = bisect_left(starts, at + 1) - 1
        if index >= 0 and at < result[index].end:
            row = result[index]
            result[index] = row._replace(total=row.total - total, bad=row.bad - bad)
    return result


def view_at(account: Account, past: Past, seen: Seen, at: int) -> View:
    """The standing at an instant, as the budget and the tiers alone would have it."""
    start = account.start_at(at)
    until = at if account.board is None else account.board.judged_until(at)
    sums = past.between(start, until)
    budget, _ = account.budget(seen, at, start, sums.total, sums.bad)
    if budget is None:
        return View(Standing.UNKNOWN, None)
    if budget.is_overspent:
        return View(Standing.BREACHED, budget)
    for rule in account.rules:
        short = past.between(account.ledger.edge(rule.tier.short_ms, at), until)
        long = past.between(account.ledger.edge(rule.tier.long_ms, at), until)
        if (
            rule.burns(short.bad, short.total)
            and rule.burns(long.bad, long.total)
            and account.seen_ms(seen, at) >= rule.tier.long_ms
            and account.is_proven(rule, long.total, long.bad)[0]
        ):
            return View(Standing.AT_RISK, budget)
    return View(Standing.OK, budget)

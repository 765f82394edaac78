"""The end of an agreement's period: its own account of an objective, with its own exclusions."""

from __future__ import annotations

from typing import Any, NamedTuple

from sla.budget import Budget, allowed_count
from sla.catalogue import Agreement, Severity
from sla.detect.account import Account, Reading
from sla.detect.facts import account_exclusions
from sla.detect.stream import Stream
from sla.periods import Period
from sla.units import MILLION, rfc3339


class Verdict(NamedTuple):
    """A closed period: what was attained (None without traffic), whether that met the promise, what did not count."""

    reading: Reading
    attained_ppm: int | None
    is_met: bool
    excluded_ms: int

    @property
    def severity(self) -> Severity:
        """A promise kept is information; one that was not is critical."""
        return Severity.INFO if self.is_met else Severity.CRITICAL

    def figures(self, period: Period) -> dict[str, Any]:
        """The `period` object of a `period_closed` event. Credits are not evaluated yet."""
        return {
            "from": rfc3339(period.start),
            "to": rfc3339(period.end),
            "attained_ppm": self.attained_ppm,
            "met": self.is_met,
            "excluded_ms": self.excluded_ms,
            "credit": None,
        }


def in_force(agreement: Agreement, period: Period) -> Period | None:
    """The part of a period in which the agreement holds."""
    start = max(period.start, agreement.effective_from_at or period.start)
    end = min(period.end, agreement.effective_to_at or period.end)
    return Period(start, end, period.name) if start < end else None


def close(stream: Stream, account: Account, agreement: Agreement, period: Period) -> Verdict:
    """The account of a period from the buckets of it."""
    excluded = account_exclusions(stream.exclusions, agreement, period)
    without = account.board.widened(excluded) if account.board is not None else excluded
    sums = account.ledger.between(period.start, period.end, without)
    whole = sums.total
    if account.board is not None:
        board = account.board
        whole = (
            board.count_between(period.start, period.end)
            - sums.marked
            - sum(board.count_between(a, b) for a, b in without)
        )
    excluded_ms = sum(account.objective.hours.elapsed_ms(a, b) for a, b in excluded)
    budget = Budget(allowed_count(max(0, whole), account.objective.target_ppm), sums.bad)
    attained_ppm = (sums.total - sums.bad) * MILLION // sums.total if sums.total else None
    reading = Reading(budget, sums.total, sums.bad, None, None, None, depends_on_time=False)
    return Verdict(reading, attained_ppm, not budget.is_overspent, excluded_ms)

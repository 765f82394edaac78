"""Maintenance that is announced and will cost budget: what of it goes beyond what an agreement allows (semantics.md 1).

Planned time is excluded up to the agreement's allowance in a period; the rest counts like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sla.catalogue import Agreement
from sla.intervals import clipped, length_ms, merged
from sla.periods import Period, period_at
from sla.records import Approval, Category, Exclusion
from sla.units import rfc3339


class Overrun(NamedTuple):
    """How much of an exclusion counts although it is planned, by an agreement."""

    agreement: Agreement
    over_ms: int


def overruns(
    announced: Exclusion, live: Sequence[Exclusion], agreements: Iterable[Agreement], now: int
) -> list[Overrun]:
    """What an exclusion that is still ahead would cost, if it is approved; `live` are those in force."""
    is_ahead = announced.status in {Approval.REQUESTED, Approval.APPROVED} and announced.from_at > now
    if not is_ahead or announced.category is not Category.PLANNED:
        return []
    others = [each for each in live if each.id != announced.id]
    found = [Overrun(agreement, _over_ms(announced, others, agreement)) for agreement in agreements]
    return [overrun for overrun in found if overrun.over_ms > 0]


def _over_ms(announced: Exclusion, others: list[Exclusion], agreement: Agreement) -> int:
    calendar = agreement.period
    if calendar is None or agreement.maintenance_allowance_ms is None:
        return 0  # no limit: all of it is excluded
    allowed_ms = agreement.maintenance_allowance_ms

    def beyond_ms(exclusions: list[Exclusion], period: Period) -> int:
        return max(0, _planned_ms(exclusions, period) - allowed_ms)

    periods = {period_at(calendar, at) for at in (announced.from_at, announced.to_at - 1)}
    return sum(beyond_ms([*others, announced], period) - beyond_ms(others, period) for period in periods)


def _planned_ms(exclusions: Iterable[Exclusion], period: Period) -> int:
    planned = merged((each.from_at, each.to_at) for each in exclusions if each.category is Category.PLANNED)
    return length_ms(clipped(planned, period.start, period.end))


def view_of(announced: Exclusion, found: Sequence[Overrun]) -> dict[str, Any]:
    """As the event shows it."""
    return {
        "id": announced.id,
        "from": rfc3339(announced.from_at),
        "to": rfc3339(announced.to_at),
        "status": announced.status.value,
        "reason": announced.reason,
        "counted": [{"agreement": each.agreement.name, "over_ms": each.over_ms} for each in found],
    }

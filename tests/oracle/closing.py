"""What an agreement's own account says of one objective at the end of its period + grace, and corrections of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from .account import Account, floor_share
from .definitions import HOUR_MS, Agreement, Objective
from .machine import Event, Machine, View, dedup_key, event_id
from .windows import Interval, clip, instant, period, spell, union

MILLION = 1_000_000


class Excluded(Protocol):
    @property
    def begin(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def category(self) -> str: ...


def ends(
    agreements: list[Agreement], objective: Objective, after: int, until: int
) -> Iterator[tuple[str, int, Agreement, Interval]]:
    """(dedup key, end, agreement, period) of every period of this objective that ends in (after, until]."""
    for agreement in agreements:
        if agreement.period is None:
            continue
        begin, end, name = period(agreement.period, after)
        while end <= until:
            if in_force(agreement, begin, end):
                key = dedup_key(agreement.name, objective.service, objective.name, name)
                yield key, end, agreement, (begin, end)
            begin, end, name = period(agreement.period, end)


def in_force(agreement: Agreement, begin: int, end: int) -> bool:
    starts = agreement.effective_from is None or instant(agreement.effective_from) < end
    lasts = agreement.effective_to is None or begin < instant(agreement.effective_to)
    return starts and lasts


def excluded_for(agreement: Agreement, span: Interval, exclusions: list[Excluded]) -> list[Interval]:
    """What is excluded in this agreement's account: of planned time only the allowance, the earliest first."""
    approved = [known for known in exclusions if known.status == "approved"]
    inside = clip(union([(known.begin, known.end) for known in approved]), *span)
    if agreement.allowance_ms is None:
        return inside
    always = union([(known.begin, known.end) for known in approved if known.category != "planned"])
    planned = clip(union([(known.begin, known.end) for known in approved if known.category == "planned"]), *span)
    left_ms = agreement.allowance_ms
    allowed = []
    for begin, end in planned:
        allowed.append((begin, min(end, begin + left_ms)))
        left_ms -= min(end - begin, left_ms)
    return union(clip(always, *span) + allowed)


@dataclass
class Closed:
    """A period as it was told last. `correctable_until` in the log's time."""

    agreement: Agreement
    key: str
    span: Interval
    figures: dict[str, Any]
    correctable_until: int


def figures(account: Account, agreement: Agreement, span: Interval, exclusions: list[Any], at: int) -> dict[str, Any]:
    """What an agreement's own account says of a period, as known at an instant."""
    one = account.objective
    excluded = excluded_for(agreement, span, exclusions)
    own = Account(
        one,
        records=account.records,
        loaded=account.loaded,
        seen_from=account.seen_from,
        excluded=excluded,
        gaps=account.gaps,
        grace_ms=account.grace_ms,
        silent_slices=account.silent_slices,
    )
    counts = own.sum(*span, now=at)
    whole = len(own.slices_in(*span)) if one.slice_ms is not None else counts.total
    return {
        "from": spell(span[0]),
        "to": spell(span[1]),
        "attained_ppm": None if counts.total == 0 else (counts.total - counts.bad) * MILLION // counts.total,
        "met": counts.bad <= floor_share(whole, one.tolerated),
        "excluded_ms": sum(one.hours.length(*each) for each in excluded),
    }


def closed(machine: Machine, period_of: Closed, now: int) -> Event:
    return told(machine, period_of, "period_closed", {"rule": "period"}, period_of.span[1], now)


def corrected(machine: Machine, period_of: Closed, found: dict[str, Any], rule: str, view: View) -> Event:
    """The period comes out differently than it was told."""
    before, period_of.figures = period_of.figures, found
    event = told(machine, period_of, "correction", {"rule": rule}, view.at, view.now)
    event["value"]["data"] |= {"before": before, "after": found}
    return event


def told(machine: Machine, period_of: Closed, name: str, reason: dict[str, Any], at: int, now: int) -> Event:
    one, key = machine.objective, period_of.key
    topic, event_type = one.topic, f"forewarn.{name}.v1"
    sequence = machine.next_sequence(topic, key)
    value = {
        "specversion": "1.0",
        "id": event_id(topic, key, sequence, event_type),
        "source": machine.source,
        "type": event_type,
        "subject": key,
        "time": spell(at),
        "data": {
            "dedup_key": key,
            "sequence": sequence,
            "state": machine.state,
            "service": one.service,
            "signal": one.signal,
            "objective": {"name": one.name},
            "evaluated_at": spell(now),
            "reason": reason,
            "flags": {"historic": now - at > HOUR_MS},
            "period": period_of.figures,
        },
    }
    return {"topic": topic, "key": key, "value": value}

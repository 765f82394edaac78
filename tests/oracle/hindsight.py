"""What late records would have made of the minutes before them: a correction where a published state differs."""

from __future__ import annotations

from typing import NamedTuple

from .account import COUNTED_AS, Account, Budget, Record
from .definitions import MINUTE_MS
from .machine import Event, Machine, View, budget_data
from .windows import floor_to


class Late(NamedTuple):
    """A late record, when it came, and when the last decision before had been."""

    record: Record
    came_at: int
    decided_at: int


def telling(late: list[Late], account: Account) -> list[Record]:
    """Those of them that count for an objective, and of whose time something had been told."""
    one = account.objective
    return [each.record for each in late if COUNTED_AS[each.record.type] == one.kind and is_of_the_past(each, account)]


def is_of_the_past(late: Late, account: Account) -> bool:
    """Whether its slice had been judged, or its state would have been counted already."""
    slice_ms = account.objective.slice_ms
    if slice_ms is not None:
        return floor_to(late.record.at, slice_ms) + slice_ms + account.grace_ms <= late.came_at
    return account.objective.kind != "uptime" or late.record.at < late.decided_at


def late_correction(machine: Machine, late: list[Record], view: View) -> list[Event]:
    """At most one, of the first minute at which the state with the late records is another one than without."""
    with_them, without_them = view.account, view.account.less(late)
    since = min(record.at for record in late) - (machine.objective.slice_ms or 0)
    for at in range(floor_to(since, MINUTE_MS) + MINUTE_MS, floor_to(view.at, MINUTE_MS), MINUTE_MS):
        before, after = standing(without_them, at, view.at), standing(with_them, at, view.at)
        if before[0] != after[0] and "unknown" not in (before[0], after[0]):  # without a verdict nothing was published
            event = machine.tell("correction", {"rule": "late_data"}, machine.episode.severity, view)
            event["value"]["data"] |= {"before": shown(*before), "after": shown(*after)}
            return [event]
    return []


def standing(account: Account, at: int, known_at: int) -> tuple[str, Budget]:
    """What budget and tiers say of a past instant."""
    budget = account.budget(at, known_at)
    if budget.spent is None:
        return "unknown", budget
    if budget.spent:
        return "breached", budget
    readings = (account.reading(tier, at, known_at) for tier in account.objective.tiers)
    if any(reading.warm and reading.above and account.is_significant(reading) for reading in readings):
        return "at_risk", budget
    return "ok", budget


def shown(state: str, budget: Budget) -> dict[str, object]:
    return {"state": state, "budget": None if budget.allowed_count is None else budget_data(budget)}

"""What late records would have made of the minutes before them: a correction where a published state differs."""

from __future__ import annotations

from typing import NamedTuple

from .account import COUNTED_AS, Account, Budget, Record
from .definitions import MINUTE_MS
from .machine import Event, Machine, View, budget_data
from .windows import floor_to


class Late(NamedTuple):
    """A late record, and when the last decision before it had been."""

    record: Record
    decided_at: int


def counting(late: list[Late], account: Account) -> list[Late]:
    """Those of them that count for an objective."""
    return [each for each in late if COUNTED_AS[each.record.type] == account.objective.kind]


def late_correction(machine: Machine, late: list[Late], view: View) -> list[Event]:
    """At most one, of the first minute at which the state with the late records is another one than was told."""
    first = min(each.record.at for each in late) - (machine.objective.slice_ms or 0)
    last = max(each.decided_at for each in late)
    known_then: dict[int, Account] = {}
    for at in range(floor_to(first, MINUTE_MS) + MINUTE_MS, last + 1, MINUTE_MS):
        if not was_told(machine, view.account, at):
            continue
        unknown = [each.record for each in late if each.decided_at >= at]
        without_them = known_then.get(len(unknown)) or view.account.less(unknown)
        known_then[len(unknown)] = without_them
        before, after = standing(without_them, at, view.at), standing(view.account, at, view.at)
        if before[0] != after[0] and "unknown" not in (before[0], after[0]):  # without a verdict nothing was published
            event = machine.tell("correction", {"rule": "late_data"}, machine.episode.severity, view)
            event["value"]["data"] |= {"before": shown(*before), "after": shown(*after)}
            return [event]
    return []


def was_told(machine: Machine, account: Account, at: int) -> bool:
    """Whether anything was: not before the first verdict, and not while nobody watched."""
    if machine.known_from is None or at < machine.known_from:
        return False
    return not any(begin < at < end for begin, end in account.gaps)


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

"""Planning: people are asked what they will do about what is ahead, and by when.

That is a breach that is expected within their horizon, or maintenance that will cost budget.

The question is part of the message that warns. What is answered, and that nobody answered, is on record.
"""

from __future__ import annotations

from typing import Final

from sla.dispatch.atom import Atom, Item, Trouble
from sla.dispatch.event import expected_breach_at, instant, mapping, mappings, text
from sla.fold import Json
from sla.orders import ANSWERS
from sla.stakeholder import Stakeholder
from sla.units import rfc3339
from sla.wording import OUTSIDERS

_AHEAD: Final = frozenset({"early_warning", "maintenance"})


def ask(atom: Atom, stakeholder: Stakeholder, item: Item, at: int) -> Json | None:
    """The question that goes with an early warning, once per episode: halfway to the breach it should be answered."""
    trouble, event, horizon_ms = atom.troubles.get(item.key), item.event, stakeholder.horizon_ms
    if trouble is None or event is None or horizon_ms is None or not may_be_asked(trouble, horizon_ms):
        return None
    breach_at = expected_breach_at(event)
    is_near = trouble.ends_at is not None or (breach_at is not None and breach_at <= at + horizon_ms)
    if breach_at is None or breach_at <= at or not is_near:
        return None
    trouble.is_asked, trouble.ask_at = True, None
    trouble.question_by_at = at + (breach_at - at) // 2
    trouble.question_event_id = item.event_id
    return _question(stakeholder, item, event, at, trouble.question_by_at)


def asks_at(trouble: Trouble, horizon_ms: int | None, event: Json | None, at: int) -> int | None:
    """When a breach that is expected beyond the horizon comes within it; None if there is nothing to wait for."""
    if event is None or horizon_ms is None or trouble.ends_at is not None or not may_be_asked(trouble, horizon_ms):
        return None
    breach_at = expected_breach_at(event)
    return None if breach_at is None or breach_at - horizon_ms <= at else breach_at - horizon_ms


def may_be_asked(trouble: Trouble, horizon_ms: int | None) -> bool:
    """An expectation, less formal than a promise, is told and nothing is asked; what has happened cannot be planned."""
    return horizon_ms is not None and not trouble.is_asked and not trouble.is_expectation and trouble.name in _AHEAD


def _question(stakeholder: Stakeholder, item: Item, event: Json, at: int, by_at: int) -> Json:
    """Who is outside of the house reads of their own agreements, and nothing of what the house may do."""
    data = mapping(event.get("data"))
    agreements = mappings(data.get("agreements"))
    actions = [each for each in mapping(data.get("advice")).get("actions") or () if isinstance(each, str)]
    if stakeholder.audience in OUTSIDERS:
        agreements, actions = _theirs(stakeholder, agreements), []
    said = [_expected(data), _at_stake(agreements), f"What can be done: {' '.join(actions)}" if actions else ""]
    asked = (
        f"Please decide by {rfc3339(by_at)} for {item.key}: accept it, mitigate it, renegotiate the promise, or say "
        f"that you need more time (forewarn reply)."
    )
    return {
        "dedup_key": item.key,
        "event_id": item.event_id,
        "asked_at": rfc3339(at),
        "answer_by": rfc3339(by_at),
        "answers": list(ANSWERS),
        "forecast": data.get("forecast"),
        "agreements": agreements,
        "actions": actions,
        "question": " ".join([*filter(None, said), asked]),
    }


def _theirs(stakeholder: Stakeholder, agreements: list[Json]) -> list[Json]:
    names, customers = stakeholder.watches.agreements, stakeholder.watches.customers
    return [each for each in agreements if each.get("name") in names or each.get("customer") in customers]


def _expected(data: Json) -> str:
    """What is expected, between when, and how sure."""
    name = text(mapping(data.get("objective")).get("name"))
    forecast = mapping(data.get("forecast"))
    between = mapping(forecast.get("breach_at"))
    announced = mapping(data.get("maintenance"))
    if announced:
        when = f"from {text(announced.get('from'))} to {text(announced.get('to'))}"
        return f"Expected: maintenance {text(announced.get('id'))} {when}; a part of it counts against {name}."
    first, middle, last = (instant(between.get(percent)) for percent in ("p10", "p50", "p90"))
    if middle is None:
        deadline = instant(mapping(data.get("ticket")).get("deadline"))
        return "" if deadline is None else f"Expected: {name} is missed at {rfc3339(deadline)}."
    is_range = first is not None and last is not None and first != last
    range_text = f" between {text(between['p10'])} and {text(between['p90'])}," if is_range else ""
    share = forecast.get("p_breach_in_window")
    surety = f" (probability {share:.0%})" if isinstance(share, (int, float)) and 0 <= share <= 1 else ""
    return f"Expected: {name} is missed{range_text} most likely at {rfc3339(middle)}{surety}."


def _at_stake(agreements: list[Json]) -> str:
    """Which agreements, and how much credit."""
    found = []
    for each in agreements:
        credit, customer = text(each.get("credit_at_risk")), text(each.get("customer"))
        about = [text(each.get("type")), f"for {customer}" if customer else "", f"{credit} at risk" if credit else ""]
        found.append(f"{text(each.get('name'))} ({', '.join(filter(None, about))})")
    return f"At stake: {'; '.join(found)}." if found else ""

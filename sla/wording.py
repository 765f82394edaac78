"""An event in words, for people: what happened, since when, why, what is left, what comes, what to do.

Total over any JSON object: a field that is missing or of another type leaves its sentence out, since a notice that
cannot be worded must still be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sla.fold import Json

SHARE_LARGEST: Final = 10**9
OUTSIDERS: Final = frozenset({"customer", "supplier"})
"""Audiences outside of the house: causes, figures, other customers and names of people are not theirs."""
SUBJECT_LONGEST: Final = 200  # characters: what a mail client or a pager shows in one line

_HEADLINES: Final = {
    "early_warning": "Early warning",
    "breach": "Breach",
    "recovery": "Recovery",
    "unknown": "No data",
    "correction": "Correction",
    "flags_changed": "Update",
    "period_closed": "Period closed",
    "maintenance": "Maintenance announced",
    "forecast": "Forecast",
}
_STATES: Final = {
    "early_warning": "is at risk and will be missed if nothing changes",
    "breach": "is missed",
    "recovery": "is met again",
    "unknown": "cannot be judged, because no data arrives",
    "correction": "has corrected figures",
    "flags_changed": "has changed flags",
    "period_closed": "has completed a period",
    "maintenance": "will lose budget to an announced maintenance",
    "forecast": "has a forecast of its open tickets",
}


def _is_forecast(event: Json, audience: str) -> bool:
    """A customer hears of a breach that its period may still undo as what is expected, not as what happened."""
    flags = _mapping(_mapping(event.get("data")).get("flags"))
    return audience == "customer" and event_name(event) == "breach" and flags.get("final") is False


def subject_of(event: Json, audience: str = "") -> str:
    """One line: severity, what happened, to which objective of which service."""
    data = _mapping(event.get("data"))
    name = event_name(event)
    objective = _text(_mapping(data.get("objective")).get("name")) or _text(data.get("dedup_key"))
    headline = _HEADLINES.get(name, name.replace("_", " ").capitalize())
    if _is_forecast(event, audience):
        headline = "Breach expected"
    severity = _text(data.get("severity"))
    prefix = f"[{severity}] " if severity and name in ("early_warning", "breach", "unknown") else ""
    service = _text(data.get("service"))
    suffix = f" ({service})" if service else ""
    return f"{prefix}{headline}: {objective}{suffix}"[:SUBJECT_LONGEST]


def text_of(event: Json, audience: str = "") -> str:
    """A few lines, each one fact, without the subject; ends with what identifies the event.

    Who is outside of the house hears what happened, since when and what is expected, and nothing of the inside.
    """
    data = _mapping(event.get("data"))
    if audience in OUTSIDERS:
        known = [_what(event, data, audience), _since(data), _forecast(data), _exclusions(data)]
        return "\n".join(line for line in (*known, f"Reference {_text(event.get('id'))}.") if line)
    lines = [_what(event, data, audience), _since(data), _why(data), _budget(data), _forecast(data), *_advice(data)]
    lines += [_agreements(data), _exclusions(data), _runbook(data)]
    lines.append(f"Event {_text(event.get('id'))} of {_text(data.get('dedup_key'))}.")
    return "\n".join(line for line in lines if line)


def event_name(event: Json) -> str:
    """`early_warning` of `forewarn.early_warning.v1`."""
    return _text(event.get("type")).removeprefix("forewarn.").removesuffix(".v1") or "event"


def _what(event: Json, data: Json, audience: str) -> str:
    objective = _mapping(data.get("objective"))
    promise = ", ".join(part for part in (_text(objective.get("target")), _text(objective.get("window"))) if part)
    name = _text(objective.get("name")) or "An objective"
    promised = f" ({promise})" if promise else ""
    service = _text(data.get("service"))
    of_service = f" of {service}" if service else ""
    becomes = _STATES.get(event_name(event), "has news")
    if event_name(event) == "early_warning" and data.get("state") == "ok":
        becomes = "is met, but its error budget shrinks"
    if _is_forecast(event, audience):
        becomes = "is expected to be missed when its period ends"
    at = _text(event.get("time"))
    return f"{name}{promised}{of_service} {becomes}" + (f", as of {at}." if at else ".")


def _since(data: Json) -> str:
    opened_at = _text(data.get("opened_at"))
    return f"Since {opened_at}." if opened_at else ""


def _why(data: Json) -> str:
    reason = _mapping(data.get("reason"))
    word = _REASONS.get(_text(reason.get("rule")))
    sentence = word(reason) if word else ""
    if not sentence and reason.get("rule"):
        sentence = f"Why: {_text(reason.get('rule')).replace('_', ' ')}."
    return sentence + _counted(reason)


def _burn_rate(reason: Json) -> str:
    shown = [_text(reason.get(key)) for key in ("burn_long", "long_window", "burn_short", "short_window", "factor")]
    if not all(shown):
        return ""
    burn_long, long_window, burn_short, short_window, factor = shown
    return (
        f"Why: the error budget is spent {burn_long} times too fast over {long_window} and {burn_short} times over "
        f"{short_window}; the limit is {factor} (tier {_text(reason.get('tier'))})."
    )


_REASONS: Final[Mapping[str, Callable[[Json], str]]] = {
    "burn_rate": _burn_rate,
    "budget_consumed": lambda _: "Why: a mark of the error budget was reached.",
    "budget_spent": lambda _: "Why: the error budget is spent.",
    "queue": lambda _: "Why: the open clocks against how fast such clocks were stopped of late.",
    "forecast": lambda _: "Why: at the present pace most forecasts end in a breach.",
    "no_data": lambda _: "Why: no data has arrived for too long.",
    "data_again": lambda _: "Why: data arrives again.",
    "cleared": lambda _: "Why: the cause has passed; the figures are within their limits again.",
    "late_data": lambda _: "Why: data arrived late and changed the figures.",
    "period": lambda _: "Why: a new period has begun.",
    "retired": lambda _: "Why: the objective was removed or moved.",
    "maintenance": lambda _: "Why: the maintenance is longer than the agreement allows.",
    "exclusion": lambda _: "Why: an exclusion was approved or revoked.",
}


def _counted(reason: Json) -> str:
    bad, total = _text(reason.get("bad_count")), _text(reason.get("total_count"))
    return f" {bad} of {total} were bad." if bad and total else ""


def _budget(data: Json) -> str:
    budget = _mapping(data.get("budget"))
    consumed, allowed = _text(budget.get("consumed_count")), _text(budget.get("allowed_count"))
    if not (consumed and allowed):
        return ""
    left = _number(budget.get("remaining_ratio"))
    share = f" ({left:.2%} left)" if left is not None else ""
    return f"Error budget: {consumed} of {allowed} used{share}."


def _forecast(data: Json) -> str:
    forecast = _mapping(data.get("forecast"))
    breach_at = _mapping(forecast.get("breach_at"))
    middle = _text(breach_at.get("p50"))
    if not middle or data.get("state") == "breached":
        return ""
    early, late = _text(breach_at.get("p10")), _text(breach_at.get("p90"))
    between = f", between {early} and {late}" if early and late else ""
    chance = _number(forecast.get("p_breach_in_window"))
    share = f"; probability {chance:.0%}" if chance is not None else ""
    return f"Forecast: missed at about {middle}{between}{share}."


def _advice(data: Json) -> list[str]:
    advice = _mapping(data.get("advice"))
    actions = advice.get("actions")
    lines = [_text(advice.get("summary"))]
    if isinstance(actions, (list, tuple)):
        lines += [f"- {_text(action)}" for action in actions if _text(action)]
    return lines


def _agreements(data: Json) -> str:
    agreements = data.get("agreements")
    if not isinstance(agreements, (list, tuple)):
        return ""
    named = [_agreement(_mapping(agreement)) for agreement in agreements]
    return f"Promised in: {'; '.join(filter(None, named))}." if any(named) else ""


def _agreement(agreement: Json) -> str:
    name = _text(agreement.get("name"))
    customer, credit = _text(agreement.get("customer")), _text(agreement.get("credit_at_risk"))
    details = [_text(agreement.get("type")), f"for {customer}" if customer else ""]
    details.append(f"credit at risk {credit}" if credit else "")
    shown = ", ".join(filter(None, details))
    return f"{name} ({shown})" if name and shown else name


def _exclusions(data: Json) -> str:
    exclusions = data.get("exclusions")
    if not isinstance(exclusions, (list, tuple)):
        return ""
    named = [_text(_mapping(exclusion).get("id")) or _text(exclusion) for exclusion in exclusions]
    return f"Excluded time: {', '.join(filter(None, named))}." if any(named) else ""


def _runbook(data: Json) -> str:
    runbook = _text(_mapping(data.get("advice")).get("runbook"))
    return f"Runbook: {runbook}" if runbook else ""


def _mapping(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """A string or a number as text; anything else, None included, as nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value)


def _number(value: Any) -> float | None:
    """A number of a size that a share can have; JSON's integers can be larger than any float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= SHARE_LARGEST:
        return None
    return float(value)

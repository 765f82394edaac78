"""From a decision to what leaves: the event's data, in whole numbers and in plain words."""

from __future__ import annotations

from typing import NamedTuple

from sla.audience import agreement_ref
from sla.buckets import Totals
from sla.burn import burn_rate
from sla.catalogue import Catalogue, Rolling
from sla.detect.account import Account, Reading
from sla.detect.facts import ServiceFacts
from sla.detect.machine import Draft
from sla.detect.stream import Stream
from sla.events import (
    HISTORIC_AFTER_MS,
    Advice,
    BudgetView,
    Cause,
    Confidence,
    EventData,
    ExclusionRef,
    ForecastView,
    Quantiles,
    Reason,
    no_reason,
)
from sla.silences import Silences
from sla.units import HOUR_MS, MILLION, MINUTE_MS, floor_to, rfc3339, rounded, span_text, spoken

COVERED_RATIO = 0.9
_BUDGET_RULES_SEEN_MS = HOUR_MS


class Scene(NamedTuple):
    """All that one event is made from."""

    catalogue: Catalogue
    stream: Stream
    account: Account
    facts: ServiceFacts
    silences: Silences
    reading: Reading
    at: int  # the instant of the fact
    now: int  # the partition's log time after the advance
    offset: int


def event_data(scene: Scene, draft: Draft, sequence: int) -> EventData:
    """The data of one event."""
    track = scene.account.track
    objective = track.objective
    service = scene.catalogue.services.get(objective.service)
    signal = objective.indicator.signal
    return {
        "dedup_key": track.key,
        "sequence": sequence,
        "episode": track.episode,
        "severity": draft.severity.value,
        "state": draft.standing.value,
        "previous_state": draft.previous.value,
        "service": objective.service,
        "signal": signal if signal is not None else "",
        "instance": None,
        "objective": {
            "name": objective.name,
            "version": objective.version,
            "target": objective.target_text,
            "window": objective.window.text,
            "kind": objective.indicator.kind,
        },
        "agreements": [agreement_ref(agreement) for agreement in scene.catalogue.agreements_of(objective.name)],
        "owner": service.owner if service else None,
        "opened_at": rfc3339(track.opened_at) if track.opened_at is not None else None,
        "evaluated_at": rfc3339(scene.now),
        "reason": reason_of(scene, draft),
        "budget": _budget(scene.reading),
        "forecast": _forecast(scene),
        "confidence": _confidence(scene, draft),
        "flags": {
            "acked_by": track.flags.acked_by,
            "acked_until": None if track.flags.acked_until is None else rfc3339(track.flags.acked_until),
            "silenced": track.flags.is_silenced,
            "suppressed_by": track.flags.suppressed_by,
            "no_data": track.lacks_data,
            "historic": scene.now - scene.at > HISTORIC_AFTER_MS,
            "final": track.is_final,
        },
        "ticket": None,
        "causes": _causes(scene),
        "exclusions": _exclusions(scene),
        "advice": _advice(scene, draft, service.runbook if service else None),
    }


def reason_of(scene: Scene, draft: Draft) -> Reason:
    """The rule that decided, with the numbers that it decided on."""
    account, reading = scene.account, scene.reading
    reason = no_reason(draft.rule)
    if draft.tier is not None:
        tier = draft.tier.tier
        long, short = account.ledger.read(tier.long_ms), account.ledger.read(tier.short_ms)
        target_ppm = account.objective.target_ppm
        reason["tier"] = tier.name
        reason["factor"] = draft.tier.factor
        reason["long_window"], reason["short_window"] = span_text(tier.long_ms), span_text(tier.short_ms)
        reason["burn_long"] = burn_rate(long.bad, long.total, target_ppm)
        reason["burn_short"] = burn_rate(short.bad, short.total, target_ppm)
        reason["bad_count"], reason["total_count"] = long.bad, long.total
        named_by_reading = draft.tier in {reading.firing, reading.doubtful} and reading.p_value is not None
        reason["p_value"] = reading.p_value if named_by_reading else account.chance(draft.tier)
        return reason
    if draft.rule == "forecast":
        hour = account.ledger.read(HOUR_MS)
        reason["long_window"] = span_text(HOUR_MS)
        reason["burn_long"] = burn_rate(hour.bad, hour.total, account.objective.target_ppm)
        reason["bad_count"], reason["total_count"] = hour.bad, hour.total
        return reason
    reason["bad_count"], reason["total_count"] = reading.bad, reading.total
    if draft.mark_ppm is not None:
        reason["mark"] = f"{draft.mark_ppm / 10_000:g}%"
    return reason


def _budget(reading: Reading) -> BudgetView | None:
    budget = reading.budget
    if budget is None:
        return None
    return {
        "allowed_count": budget.allowed,
        "consumed_count": budget.consumed,
        "remaining_ratio": budget.remaining_ratio,
    }


def _forecast(scene: Scene) -> ForecastView | None:
    outlook = scene.account.track.outlook
    if outlook is None:
        return None
    if not outlook.breach_ats:
        return {"breach_at": None, "p_breach_in_window": 0.0}
    ats = [outlook.quantile(percent) for percent in (10, 50, 90)]
    p10, p50, p90 = (rfc3339(at) if at is not None else "" for at in ats)
    breach_at: Quantiles | None = {"p10": p10, "p50": p50, "p90": p90} if p50 else None
    return {"breach_at": breach_at, "p_breach_in_window": rounded(outlook.share_ppm(), MILLION, 4)}


def _confidence(scene: Scene, draft: Draft) -> Confidence:
    account, seen = scene.account, scene.stream.seen
    window_ms = draft.tier.tier.long_ms if draft.tier is not None else _BUDGET_RULES_SEEN_MS
    span = draft.tier.tier.long_ms if draft.tier is not None else account.span
    if seen.first_at is None:
        return {"level": "warming", "coverage": 0.0}
    start = max(account.base.windows[span].edge, floor_to(seen.first_at, MINUTE_MS))
    minutes = -(-account.counted_ms(start, scene.at) // MINUTE_MS)
    with_data = min(account.base.read(span).marked, minutes)
    coverage = rounded(with_data, minutes, 4) if minutes > 0 else 1.0
    if account.seen_ms(seen, scene.at) < window_ms:
        return {"level": "warming", "coverage": coverage}
    return {"level": "partial" if coverage < COVERED_RATIO else "full", "coverage": coverage}


def _causes(scene: Scene) -> list[Cause]:
    track = scene.account.track
    if not track.is_open or track.opened_at is None:
        return []
    return [
        Cause(type="change", id=change.id, at=rfc3339(change.at), summary=change.summary)
        for change in scene.facts.causes(track.opened_at, scene.offset)
    ] + [
        Cause(type="dependency", id=each.dedup_key, at=rfc3339(each.at), summary=f"{each.dependency} is {each.state}")
        for each in scene.facts.troubles(track.opened_at, scene.offset)
    ]


def _exclusions(scene: Scene) -> list[ExclusionRef]:
    edge = scene.account.ledger.windows[scene.account.span].edge
    base = scene.account.base
    found: list[ExclusionRef] = []
    for exclusion in scene.stream.exclusions:
        if exclusion.to_at <= edge or exclusion.from_at > scene.now:
            continue
        from_at, to_at = exclusion.interval
        is_covered = any(a <= from_at and to_at <= b for a, b in base.excluded)
        start, end = base.widened(exclusion.interval) if is_covered else exclusion.interval
        found.append(
            {
                "id": exclusion.id,
                "from": rfc3339(exclusion.from_at),
                "to": rfc3339(exclusion.to_at),
                "category": exclusion.category.value,
                "reason": exclusion.reason,
                "widened_ms": (end - start) - (to_at - from_at),
            }
        )
    return found


def _advice(scene: Scene, draft: Draft, runbook: str | None) -> Advice:
    return {"summary": _summary(scene, draft), "actions": _actions(scene, draft), "runbook": runbook}


_RULE_SAYS = {
    "no_data": "No data arrives, so nobody can say whether the promise holds.",
    "retired": "The objective is no longer defined.",
    "maintenance": "The announced maintenance is longer than what is allowed, so a part of it counts.",
}


def _summary(scene: Scene, draft: Draft) -> str:
    if draft.rule in _RULE_SAYS:
        return _RULE_SAYS[draft.rule]
    budget = scene.reading.budget
    if budget is None:
        return "Not enough has been seen for a verdict."
    if budget.is_overspent:
        unit = _unit(scene)
        return f"The budget of {_window(scene)} is spent: {budget.consumed} {unit} of {budget.allowed} allowed."
    return "The promise holds." if draft.name == "recovery" else _pace(scene, draft)


def _pace(scene: Scene, draft: Draft) -> str:
    left_ms = _budget_lasts_ms(scene, draft)
    if left_ms is None:
        return "Nothing bad happens at present; the budget is not being spent."
    calendar = scene.account.objective.calendar
    of = f" of {calendar} time" if calendar is not None else ""
    return f"At this pace the budget ends in {spoken(left_ms)}{of}."


def _budget_lasts_ms(scene: Scene, draft: Draft) -> int | None:
    """How long what is left of the budget lasts at the pace of the rule's window; None if nothing bad comes in."""
    budget = scene.reading.budget
    if budget is None:
        return None
    span_ms = draft.tier.tier.long_ms if draft.tier is not None else HOUR_MS
    sums: Totals = scene.account.ledger.read(span_ms)
    if not sums.bad:
        return None
    since = max(scene.account.ledger.windows[span_ms].edge, scene.stream.seen.first_at or 0)
    passed_ms = scene.account.objective.hours.elapsed_ms(since, scene.at)
    paced_ms = span_ms if passed_ms >= span_ms - HOUR_MS // 60 else max(1, passed_ms)
    return (budget.allowed - budget.consumed) * paced_ms // sums.bad


def _unit(scene: Scene) -> str:
    if scene.account.board is not None:
        return "bad slices"
    return "ms of downtime" if scene.account.objective.indicator.kind == "uptime" else "bad"


def _window(scene: Scene) -> str:
    window = scene.account.objective.window
    return span_text(window.window_ms) if isinstance(window, Rolling) else f"this {window.unit}"


_CAUSE_SAYS = {"change": "change", "dependency": "trouble"}


def _actions(scene: Scene, draft: Draft) -> list[str]:
    actions: list[str] = []
    causes = _causes(scene)
    if draft.name in {"early_warning", "breach"}:
        actions += [f"Look at the {_CAUSE_SAYS[cause['type']]} {cause['id']} of {cause['at']}." for cause in causes]
        customers = [a.customer for a in scene.catalogue.agreements_of(scene.account.objective.name) if a.customer]
        if customers:
            verb = "Tell" if draft.name == "breach" else "Plan with"
            actions.append(f"{verb} {', '.join(customers)}.")
    elif draft.name == "unknown":
        actions.append(f"Check that {scene.stream.service} still sends {scene.stream.signal}.")
    return actions

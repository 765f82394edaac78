"""Expected events against those that replay printed: only what the oracle works out, in words a person can read."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

from .definitions import duration_ms
from .machine import event_id

Emission = dict[str, Any]
TOPICS = ("sla.alerts.v1", "sla.alerts.shadow.v1")

FIELDS = (
    *("time", "subject", "partitionkey", "data.dedup_key", "data.episode", "data.severity", "data.state"),
    *("data.previous_state", "data.service", "data.signal", "data.objective.name", "data.opened_at"),
    *("data.evaluated_at", "data.reason.rule", "data.flags.no_data", "data.flags.historic", "data.flags.final"),
    *("data.budget.allowed_count", "data.budget.consumed_count", "data.budget.remaining_ratio"),
    *("data.confidence.level", "data.period.from", "data.period.to", "data.period.attained_ppm", "data.period.met"),
    *("data.period.excluded_ms", "data.reason.mark", "data.late", "data.ticket.elapsed_ms", "data.ticket.percent"),
    *("data.ticket.deadline", "data.ticket.paused", "data.ticket.time_left_ms", "data.ticket.deadline_if_resumed_now"),
    *("data.ticket.id", "data.ticket.metric", "data.ticket.target_ms"),
    "data.forecast",
    *(f"data.{when}.{what}" for when in ("before", "after") for what in ("state", "budget", "attained_ppm", "met")),
)
REASON_FIELDS = ("tier", "factor", "long_window", "short_window", "burn_long", "burn_short", "bad_count", "total_count")
ABSENT = object()
COVERAGE_BORDER = 0.06


def differences(expected: Iterable[Emission], actual: Iterable[Emission]) -> list[str]:
    """One line per difference; empty when the two tell the same."""
    wanted = [event for event in expected if event["topic"] in TOPICS]
    told = [event for event in actual if event["topic"] in TOPICS]
    found = [line for event_key, group in by_key(told).items() for line in inconsistent(event_key, group)]
    wanted_by_key, told_by_key = by_key(wanted), by_key(told)
    for event_key in sorted({*wanted_by_key, *told_by_key}):
        found += differing(event_key, wanted_by_key.get(event_key, []), told_by_key.get(event_key, []))
    return found or misordered(wanted, told)


def by_key(events: list[Emission]) -> dict[tuple[str, str], list[Emission]]:
    groups: dict[tuple[str, str], list[Emission]] = {}
    for event in events:
        groups.setdefault((event["topic"], event["key"]), []).append(event)
    return groups


def rule(event: Emission) -> str:
    return str(event["value"]["data"]["reason"]["rule"])


def outline(event: Emission) -> tuple[str, str, str]:
    value = event["value"]
    return value["time"], value["type"].removeprefix("forewarn.").removesuffix(".v1"), rule(event)


def inconsistent(event_key: tuple[str, str], events: list[Emission]) -> list[str]:
    """Sequences count from 1 without a hole, and ids follow from them."""
    found = []
    topic, key = event_key
    for place, event in enumerate(events, start=1):
        value = event["value"]
        sequence = value["data"]["sequence"]
        if sequence != place:
            found.append(f"{key}: sequence {sequence} at place {place} ({' '.join(outline(event))})")
        if value["id"] != event_id(topic, key, sequence, value["type"]):
            found.append(f"{key}: id of sequence {sequence} is not the hash of its parts")
    return found


def differing(event_key: tuple[str, str], wanted: list[Emission], told: list[Emission]) -> list[str]:
    found = []
    matcher = SequenceMatcher(None, [outline(one) for one in wanted], [outline(one) for one in told], autojunk=False)
    for change, low, high, other_low, other_high in matcher.get_opcodes():
        if change == "equal":
            for one, other in zip(wanted[low:high], told[other_low:other_high], strict=True):
                found += unlike_fields(event_key, one, other)
            continue
        found += [f"{event_key[1]}: missing    {shown(event)}" for event in wanted[low:high]]
        found += [f"{event_key[1]}: unexpected {shown(event)}" for event in told[other_low:other_high]]
    return found


def shown(event: Emission) -> str:
    data = event["value"]["data"]
    names = (("tier", data["reason"].get("tier")), ("budget", data.get("budget")), ("severity", data.get("severity")))
    return " ".join([*outline(event), *(f"{name}={value}" for name, value in names if value is not None)])


def unlike_fields(event_key: tuple[str, str], wanted: Emission, told: Emission) -> list[str]:
    paths = list(FIELDS)
    if rule(wanted) in ("burn_rate", "budget_spent", "budget_consumed", "forecast"):
        paths += [f"data.reason.{name}" for name in REASON_FIELDS]
        paths.append("data.reason.p_value")
    found = []
    for path in paths:
        one, other = at_path(wanted["value"], path), at_path(told["value"], path)
        no_verdict = path.startswith("data.budget.") and at_path(wanted["value"], "data.budget.allowed_count") is None
        if one is ABSENT or no_verdict or same(path, one, other) or is_border(path, wanted):
            continue
        seen = "absent" if other is ABSENT else repr(other)
        found.append(f"{event_key[1]}: {' '.join(outline(wanted))}: {path} expected {one!r}, is {seen}")
    return found


def is_border(path: str, wanted: Emission) -> bool:
    """Whether partial or full hangs on how the minutes at the edges of silences are counted."""
    coverage, minutes = (at_path(wanted["value"], f"data.confidence.{name}") for name in ("coverage", "minutes"))
    if path != "data.confidence.level" or coverage is ABSENT:
        return False
    return bool(abs(coverage - 0.9) < COVERAGE_BORDER or abs(coverage - 0.9) * minutes < 1)


def at_path(value: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return ABSENT
        value = value[part]
    return value


def same(path: str, one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, (int, float)):
        return abs(one - other) <= (0.0101 if "burn" in path else 0.00011 if "factor" not in path else 0.01)
    if path.endswith("_window") and isinstance(one, str) and isinstance(other, str):
        return duration_ms(one) == duration_ms(other)
    return bool(one == other)


def misordered(wanted: list[Emission], told: list[Emission]) -> list[str]:
    """The first place at which the whole order differs, where nothing else does."""
    for place, (one, other) in enumerate(zip(wanted, told, strict=False)):
        if (one["key"], outline(one)) != (other["key"], outline(other)):
            return [f"order at {place}: expected {one['key']} {outline(one)}, is {other['key']} {outline(other)}"]
    return []

"""Seeded definitions and logs of tickets: every metric, calendars, pauses, reopened and retargeted, late, imported."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any, NamedTuple

from .definitions import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from .windows import instant, spell
from .workload import Workload, document

STARTS = ("2026-11-23T08:00:00Z", "2026-11-27T14:00:00Z", "2026-03-27T15:00:00Z", "2026-10-24T20:00:00Z")
METRICS = ("resolution", "resolution", "first_response", "next_reply", "periodic_update", "agent_work", "custom")
STATES = ("new", "open", "open", "pending", "on_hold", "resolved", "closed", "cancelled")
WHENS: tuple[dict[str, Any], ...] = (
    {"priority": ["P1"]},
    {"priority": ["P2"]},
    {"priority": ["P1", "P2"]},
    {"any": [{"priority": ["P1"]}, {"team": {"exists": True}}]},
    {"not": {"priority": ["P3"]}},
    {"level": {"lt": 3}},
)
SHIFTS = (
    *(["09:00-17:00"], ["09:00-12:00", "13:00-17:30"], ["22:00-06:00"], ["00:00-24:00"]),
    ["01:30-02:30", "08:00-23:00"],
)


def ticket_workload(seed: int, *, is_calm: bool | None = None) -> Workload:
    """In a calm one every ticket's events come in order and at once."""
    dice = random.Random(seed)
    calm = dice.random() < 0.6 if is_calm is None else is_calm
    step_ms = dice.choice([10, 30, 60]) * SECOND_MS
    begin = instant(dice.choice(STARTS)) + dice.randrange(HOUR_MS)
    length_ms = dice.choice([6 * HOUR_MS, DAY_MS, 3 * DAY_MS])
    documents = ticket_promises(dice)
    lines: list[dict[str, Any]] = []
    for number in range(dice.choice([2, 4, 8])):
        name = f"T-{number}" if number else "ü/0"
        lines += ticket_events(dice, name, begin, length_ms, delays_ms=() if calm else (1, 9000, HOUR_MS, DAY_MS // 3))
    lines += exclusions(dice, begin, length_ms, calm=calm)
    if dice.random() < 0.6:
        documents.append(document("Settings", "all", {"settleTicketsAfter": dice.choice(["1h", "1h", "5h"])}))
    revised = revisions(dice, documents, begin, length_ms) if dice.random() < 0.5 else []
    nothing = {"type": "exclusion", "service": "none", "id": "end", "from": spell(begin), "to": spell(begin + 1)}
    lines.append(logged({**nothing, "category": "other"}, begin + length_ms))  # so that the log goes on so far
    lines += [line for each in revised for line in each.lines]
    lines.sort(key=lambda line: line["timestamp"])
    numbered = {each.number: each.documents for each in revised}
    return Workload(documents, lines, max(step_ms, length_ms // 4000), numbered)


def logged(value: dict[str, Any], at: int) -> dict[str, Any]:
    return {"topic": "sla.tickets.v1", "key": value.get("ticket"), "value": value, "timestamp": at}


def calendar(dice: random.Random, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "timezone": dice.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
        "hours": {dice.choice(["mon-fri", "mon-sun", "tue-sat"]): dice.choice(SHIFTS)},
    }
    if dice.random() < 0.3:
        spec["holidays"] = {"country": "US"}
    if dice.random() < 0.3:
        spec["closed"] = ["2026-11-24", "2026-03-30"]
    if dice.random() < 0.3:
        spec["open"] = {"2026-11-28": ["10:00-14:00"], "2026-03-29": ["01:00-04:00"]}
    return document("Calendar", name, spec)


def ticket_promises(dice: random.Random, *, unit_ms: int = 5 * MINUTE_MS) -> list[dict[str, Any]]:
    found = [calendar(dice, "office"), document("Service", "pay", {"owner": "team"})]
    for number in range(dice.randint(1, 4)):
        metric = dice.choice(METRICS)
        spec: dict[str, Any] = {
            "service": dice.choice(["pay", "pay", "*"]), "metric": metric,
            "target": f"{dice.choice([1, 3, 12, 40, 96]) * unit_ms // SECOND_MS}s",
            "type": dice.choice(["timer", "timer", "timer", "deadline"]), "when": dice.choice(WHENS),
            "onReopen": dice.choice(["continue", "restart"]),
            "onRetarget": dice.choice(["retroactive", "restart", "proportional"]),
            "grace": dice.choice(["0s", "10s", "2m"]),
        }  # fmt: skip
        if metric not in ("first_response", "next_reply", "periodic_update") or dice.random() < 0.3:
            spec["stop"] = {"state": ["resolved", "closed"]}
        for name, chance, choices in (
            ("pause", 0.5, ["none", {"state": ["pending"]}, {"team": ["a"], "state": ["open", "pending"]}]),
            ("resume", 0.2, [{"state": ["open"]}]),
            ("cancel", 0.4, ["none", {"state": ["cancelled"]}]),
            ("reset", 0.3, [{"team": ["b"]}, {"level": {"gte": 4}}]),
            ("warnAt", 0.7, ["none", ["50%", "90%"], ["75%", "20s"], ["10%", "50%", "75%", "90%", "95%"]]),
            ("calendar", 0.4, ["office"]),
        ):
            if dice.random() < chance:
                spec[name] = dice.choice(choices)
        found.append(document("TicketObjective", f"fix{number}", spec))
    return found


class Revision(NamedTuple):
    number: int
    documents: list[dict[str, Any]]
    lines: list[dict[str, Any]]  # of the catalogue, and the marker


def revisions(dice: random.Random, documents: list[dict[str, Any]], begin: int, length_ms: int) -> list[Revision]:
    """One or two more revisions: promises come, go, come back, change in some of their parts."""
    found: list[Revision] = []
    at, offset, base = begin, 0, 0
    for _ in range(dice.choice([1, 1, 2])):
        at += dice.randrange(1, length_ms // 2)
        fresh = ticket_promises(dice)
        by_name = {each["metadata"]["name"]: each for each in [*fresh, *documents]}
        kept = [each for each in by_name.values() if each["kind"] != "TicketObjective" or dice.random() < 0.8]
        revised = [changed(dice, each, fresh) if each["kind"] == "TicketObjective" else each for each in kept]
        lines = applied(revised, f"apply-{offset}", base, begin)
        offset += len(lines)
        base = offset - 1
        digest = lines[-1]["value"]["sha256"]
        marker = {"type": "catalogue", "revision": base, "sha256": digest}
        found.append(Revision(base, revised, [*lines, logged(marker, at)]))
    return found


def changed(dice: random.Random, promise: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any]:
    """A promise, perhaps with another target, or with some parts of another one."""
    spec = dict(promise["spec"])
    if dice.random() < 0.4:
        spec["target"] = f"{dice.choice([2, 7, 30, 120]) * 5}m"
    if dice.random() < 0.3:
        other = dice.choice([each for each in others if each["kind"] == "TicketObjective"])["spec"]
        parts = ("when", "pause", "stop", "calendar", "warnAt", "type", "onReopen")
        spec |= {name: other[name] for name in dice.sample(parts, 3) if name in other}
    return document("TicketObjective", promise["metadata"]["name"], spec)


def applied(documents: list[dict[str, Any]], apply_id: str, base: int, at: int) -> list[dict[str, Any]]:
    """The lines of one apply."""
    texts = [json.dumps(each, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for each in documents]
    values: list[dict[str, Any]] = [
        {"type": "document", "apply_id": apply_id, "index": index, "document": each}
        for index, each in enumerate(documents)
    ]
    values.append({
        "type": "commit", "apply_id": apply_id, "base_revision": base, "documents_count": len(documents),
        "sha256": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
    })  # fmt: skip
    return [{"topic": "sla.catalogue.v1", "key": value["type"], "value": value, "timestamp": at} for value in values]


def ticket_events(
    dice: random.Random, name: str, begin: int, length_ms: int, *, delays_ms: tuple[int, ...], service: str = "pay"
) -> list[dict[str, Any]]:
    """What the log takes of a ticket; some of it so late."""
    at = begin + dice.randrange(length_ms // 2)
    source = dice.choice([None, "desk"])
    bodies: list[tuple[int, dict[str, Any]]] = []
    kind = "created" if dice.random() < 0.95 else "updated"
    fields: dict[str, Any] = {"priority": dice.choice(["P1", "P1", "P2", "P3"]), "state": "new"}
    imports = dice.choice([0, 0, 0, 2, 5])
    if imports:
        at = begin - dice.randrange(1, 30) * HOUR_MS
    for number in range(1, dice.choice([3, 8, 20])):
        is_import = number <= imports and at <= begin
        bodies.append((at, one_event(dice, name, service, at, kind, fields, is_import=is_import)))
        most_ms = length_ms // dice.choice([3, 20, 200, 5000])
        at += dice.choice([0, 1, dice.randrange(max(1, most_ms)), dice.randrange(max(1, most_ms))])
        kind = dice.choices(["updated", "reply", "closed", "reopened"], [8, 5, 1, 2])[0]
        names = dice.sample(["priority", "state", "state", "team", "level"], dice.choice([0, 1, 1, 2]))
        fields = {each: dice.choice(VALUES[each]) for each in names}
    lines: list[dict[str, Any]] = []
    for sequence, (happened, body) in enumerate(bodies, start=1):
        if source is not None:
            body |= {"source": source, "sequence": sequence}
        delay_ms = dice.randrange(dice.choice(delays_ms)) + 1 if delays_ms and dice.random() < 0.3 else 0
        read_at = begin + 20_000 + len(lines) if body.get("import") else max(happened + delay_ms, begin + 60_000)
        lines.append(logged(body, read_at))
        if source is not None and dice.random() < 0.05:
            lines.append({**lines[-1], "timestamp": read_at + dice.randrange(length_ms // 6)})
    return [line for line in lines if line["timestamp"] <= begin + length_ms]


VALUES: dict[str, tuple[Any, ...]] = {
    "priority": ("P1", "P1", "P2", "P3", None), "state": STATES, "team": ("a", "b", None), "level": (1, 2, 4.5, True),
}  # fmt: skip


def one_event(
    dice: random.Random, name: str, service: str, at: int, kind: str, fields: dict[str, Any], *, is_import: bool
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "ticket", "ticket": name, "service": service, "at": dice.choice([spell(at), at]), "event": kind,
        "fields": fields,
    }  # fmt: skip
    if kind == "reply":
        body["by"] = dice.choice(["customer", "customer", "agent", "system"])
    return {**body, "import": True} if is_import else body


def exclusions(
    dice: random.Random, begin: int, length_ms: int, *, calm: bool, service: str = "pay"
) -> list[dict[str, Any]]:
    """In a calm log each is told ahead, and revoked before it begins."""
    lines = []
    for number in range(dice.choice([0, 1, 2])):
        told_at = begin + dice.randrange(length_ms // 2)
        start = told_at + (1 if calm else dice.choice([-1, 1])) * dice.randrange(1, length_ms // 4)
        value = {
            "type": "exclusion", "service": service, "id": f"CHG-{number}", "from": spell(start),
            "to": spell(start + dice.randrange(1, length_ms // 6)), "category": "planned", "status": "approved",
        }  # fmt: skip
        told = [(told_at, value)]
        if dice.random() < 0.4:
            revoked_at = told_at + max(0, start - told_at) // 2 if calm else told_at + dice.randrange(length_ms // 2)
            told.append((revoked_at, {**value, "status": "revoked"}))
        lines += [logged(each, at) for at, each in told]
    return lines

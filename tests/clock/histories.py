"""Seeded logs of tickets: events in and out of order, imports, exclusions, orders, revisions; all metrics."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from sla.catalogue import Catalogue
from sla.clock import Clock
from sla.dedup import ticket_key
from sla.fold import Line
from sla.units import MINUTE_MS, SECOND_MS, rfc3339
from tests.core.orders import order
from tests.core.world import Document, catalogue_of, document, line_of, marker

from .world import MIDNIGHT, OFFICE, clock_of, promise

STATES = ("new", "open", "pending", "on_hold", "resolved", "closed", "cancelled")
PRIORITIES = ("P1", "P2", "P3")
METRICS = ("resolution", "first_response", "next_reply", "periodic_update", "requester_wait", "agent_work", "custom")


class History(NamedTuple):
    make: Callable[[], Clock]
    lines: list[Line]


def documents(dice: random.Random) -> list[Document]:
    found: list[Document] = [OFFICE]
    if dice.random() < 0.6:
        found.append(document("Settings", "all", settleTicketsAfter="1h"))
    for number in range(dice.randint(1, 4)):
        spec: dict[str, Any] = {
            "metric": dice.choice(METRICS),
            "service": dice.choice(["pay", "pay", "*"]),
            "target": dice.choice(["5m", "20m", "1h", "3h"]),
            "type": dice.choice(["timer", "timer", "deadline"]),
            "when": dice.choice([{"priority": ["P1"]}, {"priority": ["P2"]}, {"priority": ["P1", "P2"]}, {}]),
            "onReopen": dice.choice(["continue", "restart"]),
            "onRetarget": dice.choice(["retroactive", "restart", "proportional"]),
            "warnAt": dice.choice(["none", ["50%", "90%"], ["75%", "2m"], ["50%", "75%", "90%", "15m"]]),
            "grace": dice.choice(["0s", "10s", "5m"]),
        }
        if dice.random() < 0.3:
            spec["calendar"] = "office"
        if dice.random() < 0.3:
            spec["reset"] = {"team": ["b"]}
        if dice.random() < 0.2:
            spec["resume"] = {"state": ["open"]}
        found.append(promise(f"fix{number}", **spec))
    return found


def event(dice: random.Random, now: int) -> tuple[dict[str, Any], str]:
    ticket = dice.choices(["T1", "T2", "ü/3"], [12, 6, 1])[0]
    late_ms = dice.choice([0, 0, 0, 0, 1, 5 * SECOND_MS, 7 * MINUTE_MS, 50 * MINUTE_MS])
    kind = dice.choices(["created", "updated", "reply", "closed", "reopened"], [2, 6, 4, 1, 1])[0]
    body: dict[str, Any] = {
        "type": "ticket", "ticket": ticket, "at": now - late_ms, "event": kind,
        "service": dice.choices(["pay", "ship"], [30, 1])[0],
    }  # fmt: skip
    if kind == "reply":
        body["by"] = dice.choice(["customer", "agent", "system"])
    names = dice.sample(["priority", "state", "team"], dice.choice([0, 1, 1, 2]) if kind != "created" else 2)
    values = {"priority": PRIORITIES, "state": STATES, "team": ("a", "b", None)}
    body["fields"] = {name: dice.choice(values[name]) for name in names}
    if dice.random() < 0.04:
        body["import"] = True
    return body, ticket


def command(dice: random.Random, now: int, number: int) -> tuple[dict[str, Any], str | None]:
    kind = dice.choices(["ack", "unack", "silence", "unsilence"], [5, 1, 2, 1])[0]
    number = max(0, number - dice.choice([0, 0, 0, 9]))  # one that comes again from its source
    until = rfc3339(now + dice.choice([1, 10, 90]) * MINUTE_MS)
    if kind == "silence":
        matchers = dice.choice([{"service": ["pay"]}, {"event": ["breach"]}, {"severity": ["critical"]}])
        return order(kind, number, dice.choice("ab"), matchers=matchers, until=until), None
    if kind == "unsilence":
        return order(kind, number, silence=dice.choice("ab")), None
    ticket = dice.choice(["T1", "T1", "T2", "ü/3"])
    more = {"until": until} if kind == "ack" and dice.random() < 0.6 else {}
    key = ticket_key("pay", f"fix{dice.randrange(2)}", ticket)
    return order(kind, number, f"c{number - dice.randrange(2)}", dedup_key=key, ticket=ticket, **more), ticket


def history(seed: int, lines_count: int = 120) -> History:
    dice = random.Random(seed)
    base_documents = documents(dice)
    base = catalogue_of(base_documents)
    revisions: list[Catalogue] = [
        catalogue_of(
            documents(dice) if dice.random() < 0.5 else [OFFICE, promise("fix0", target="30m")], number, number
        )
        for number in range(1, dice.choice([1, 1, 2, 3]))
    ]
    now = MIDNIGHT + dice.choice([0, 10, 16]) * 60 * MINUTE_MS
    values: list[tuple[int, dict[str, Any], str | None]] = []
    for _ in range(lines_count):
        now += dice.choice([0, 1, SECOND_MS, 30 * SECOND_MS, 3 * MINUTE_MS, 12 * MINUTE_MS])
        chance = dice.random()
        if chance < 0.3:
            values.append((now, {"type": "tick"}, None))
        elif chance < 0.33:
            start = now + dice.choice([-60, -10, 5]) * MINUTE_MS
            values.append((now, {
                "type": "exclusion", "service": "pay", "id": dice.choice(["A", "B"]), "category": "planned",
                "from": rfc3339(start), "to": rfc3339(start + dice.choice([5, 30]) * MINUTE_MS),
                "status": dice.choice(["approved", "approved", "revoked"]),
            }, None))  # fmt: skip
        elif chance < 0.5:
            values.append((now, *command(dice, now, len(values))))
        else:
            values.append((now, *event(dice, now)))
    for revision in revisions:
        place = dice.randrange(len(values))
        values.insert(place, (values[place][0], marker(revision), None))
    values += [(now + step * 20 * MINUTE_MS, {"type": "tick"}, None) for step in range(1, 12)]
    lines = [line_of(number, at, value, key) for number, (at, value, key) in enumerate(values)]
    return History(lambda: clock_of(base, revisions), lines)

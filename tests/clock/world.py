"""A small world for the fold of tickets: definitions as dicts, events by the clock, and what was said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.dead_letter import dead_letter
from schemas.inbound import decode_tickets
from sla.catalogue import Catalogue
from sla.clock import Clock
from sla.fold import Emission, Line
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, floor_to, rfc3339
from tests.core.world import Document, catalogue_of, document, line_of

TOPIC: Final = "sla.tickets.v1"
MIDNIGHT: Final = 1_795_392_000_000  # 2026-11-23T00:00:00Z, a Monday


def at(text: str, day: int = 0) -> int:
    """`10:30` or `10:30:05` of that Monday, or of a later day."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return MIDNIGHT + day * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + sum(seconds) * SECOND_MS


def clock(instant: str) -> str:
    """An instant of an event as `at` reads it; later days as `+1 10:30`."""
    seconds = instant[11:16] if instant.endswith(":00.000Z") else instant[11:].rstrip("Z").removesuffix(".000")
    days = (int(instant[8:10]) - 23) % 30
    return f"+{days} {seconds}" if days else seconds


def promise(name: str = "fix", **spec: Any) -> Document:
    """P1 tickets of `pay` are resolved within 4 hours of any time, warned of by nothing unless said."""
    whole = {
        "service": "pay", "metric": "resolution", "target": "4h", "when": {"priority": ["P1"]},
        "stop": {"state": ["resolved", "closed"]}, "warnAt": "none", "grace": "0s",
    }  # fmt: skip
    merged = {**whole, **spec}
    if spec.get("metric") in ("first_response", "next_reply", "periodic_update") and "stop" not in spec:
        del merged["stop"]
    return document("TicketObjective", name, **merged)


OFFICE: Final = document("Calendar", "office", timezone="UTC", hours={"mon-fri": ["09:00-12:00", "13:00-17:00"]})


def clock_of(base: Catalogue, revisions: Sequence[Catalogue] = (), gap_ms: int = DAY_MS) -> Clock:
    by_name = {(each.revision, each.sha256): each for each in revisions}
    return Clock(
        TOPIC, 0, cluster="test", decode=decode_tickets, dead_letter=dead_letter,
        catalogue_reader=lambda revision, sha256: by_name.get((revision, sha256)), base=base, gap_ms=gap_ms,
    )  # fmt: skip


class World:
    """One partition, told what happens; `said` is all that came out."""

    def __init__(self, *documents: Document, revisions: Sequence[Catalogue] = ()) -> None:
        self.catalogue = catalogue_of(documents)
        self.fold = clock_of(self.catalogue, revisions)
        self.lines: list[Line] = []
        self.said: list[Emission] = []

    def tell(self, now: int, value: Mapping[str, Any], key: str | None = None) -> list[Emission]:
        line = line_of(len(self.lines), now, value, key)
        self.lines.append(line)
        emissions = self.fold.step(line)
        self.said += emissions
        return emissions

    def event(
        self, when: str | int, kind: str = "updated", *, now: str | int | None = None, ticket: str = "T1",
        by: str | None = None, more: Mapping[str, Any] | None = None, **fields: Any,
    ) -> list[Emission]:  # fmt: skip
        """An event of `T1`, read when it happened unless `now` says otherwise."""
        happened = at(when) if isinstance(when, str) else when
        read = happened if now is None else at(now) if isinstance(now, str) else now
        body: dict[str, Any] = {"type": "ticket", "ticket": ticket, "service": "pay", "at": happened, "event": kind}
        if by is not None:
            body["by"] = by
        if fields:
            body["fields"] = fields
        return self.tell(read, {**body, **(more or {})}, ticket)

    def created(self, when: str | int, **fields: Any) -> list[Emission]:
        return self.event(when, "created", **{"priority": "P1", "state": "new", **fields})

    def reply(self, when: str, by: str, **more: Any) -> list[Emission]:
        return self.event(when, "reply", by=by, **more)

    def exclusion(self, now: str, name: str, start: str, end: str, **more: Any) -> list[Emission]:
        body = {"type": "exclusion", "service": "pay", "id": name, "from": rfc3339(at(start)), "to": rfc3339(at(end))}
        return self.tell(at(now), {**body, "category": "planned", "status": "approved", **more})

    def tick(self, when: str | int) -> list[Emission]:
        return self.tell(at(when) if isinstance(when, str) else when, {"type": "tick"})

    def ticks(self, until: str | int, every_ms: int = MINUTE_MS) -> None:
        """Ticks up to an instant."""
        end = at(until) if isinstance(until, str) else until
        for now in range(floor_to(self.fold.now or end, every_ms) + every_ms, end + 1, every_ms):
            self.tick(now)

    # -- what was said

    def events(self, topic: str = "sla.alerts.v1", name: str | None = None) -> list[dict[str, Any]]:
        found = [dict(each.value) for each in self.said if each.topic == topic]
        return [each for each in found if name is None or each["type"] == f"forewarn.{name}.v1"]

    def story(self, *topics: str) -> list[str]:
        """Alerts and steps of clocks in the order of telling: when, what, why (and the mark), of which objective."""
        wanted = topics or ("sla.alerts.v1", "sla.clocks.v1")
        return [told(each.value) for each in self.said if each.topic in wanted]

    def clocks(self) -> list[str]:
        return self.story("sla.clocks.v1")

    def alerts(self) -> list[str]:
        return self.story("sla.alerts.v1")

    def feeds(self, kind: str) -> list[dict[str, Any]]:
        return [dict(e.value) for e in self.said if e.topic == "sla.telemetry.v1" and e.value["type"] == kind]

    def letters(self) -> list[str]:
        return [each.value["reason"] for each in self.said if each.topic == "sla.dlq.v1"]


def told(event: Mapping[str, Any]) -> str:
    """`10:30 breach deadline`, with the objective where it is not `fix`."""
    data = event["data"]
    parts = [clock(event["time"]), event["type"].removeprefix("forewarn.").removesuffix(".v1"), data["reason"]["rule"]]
    if data["reason"]["mark"]:
        parts.append(data["reason"]["mark"])
    if data["objective"]["name"] != "fix":
        parts.append(data["objective"]["name"])
    return " ".join(parts)

"""A stakeholder's day in pictures: notices and commands in, messages and records out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.dead_letter import dead_letter
from schemas.feeds import decode_notice
from sla.catalogue import Catalogue
from sla.dispatch import Dispatch
from sla.fold import Emission, Line
from sla.stakeholder import Channel, Stakeholder, Watches
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, floor_to, rfc3339
from sla.working_time import Shift, Timetable, WorkingTime

T0 = 1_795_392_000_000  # 2026-11-23T00:00:00Z, a Monday
TOPIC = "sla.notices.v1"


def daytime(zone: str = "UTC") -> WorkingTime:
    """Open from 8 to 18 h of local time, every day."""
    return WorkingTime(Timetable(zone, ((Shift(8 * 60, 18 * 60),),) * 7))


def at(text: str, day: int = 0) -> int:
    """`07:30` or `07:30:10` of the first day, or of a later one."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return T0 + day * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + sum(seconds) * 1000


def clock(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).strftime("%H:%M:%S")


def forecast(text: str) -> dict[str, object]:
    """A breach expected at an instant of the first day."""
    return {"breach_at": dict.fromkeys(("p10", "p50", "p90"), rfc3339(at(text))), "p_breach_in_window": 0.9}


def stakeholder(name: str = "ann", **fields: Any) -> Stakeholder:
    base = Stakeholder(name, "owner", Watches(services=("pay",)), (Channel("console"),))
    return replace(base, **fields)


class World:
    """One partition of notices."""

    def __init__(self, *told: Stakeholder, hours: WorkingTime | None = None) -> None:
        self.catalogue = Catalogue(
            revision=1,
            sha256="x",
            stakeholders={each.name: each for each in told},
            calendars={"office": hours or daytime()},
        )
        self.fold = self.new_fold()
        self.offset = -1
        self.lines: list[Line] = []
        self.said: list[tuple[int, Emission]] = []
        self.events_count = 0
        self.events: list[tuple[str, str, str]] = []  # id, name, dedup key

    def new_fold(self) -> Dispatch:
        return Dispatch(
            TOPIC, 0, decode=decode_notice, dead_letter=dead_letter, base=self.catalogue,
            catalogue_reader=lambda _revision, _sha256: self.catalogue,
        )  # fmt: skip

    def put(self, value: dict[str, Any], instant: int, key: str | None = None) -> list[Emission]:
        self.offset += 1
        line = Line(self.offset, None if key is None else key.encode(), orjson.dumps(value), instant, instant)
        self.lines.append(line)
        emissions = self.fold.step(line)
        self.said += [(instant, each) for each in emissions]
        return emissions

    def event(
        self,
        name: str,
        instant: int,
        objective: str = "pay/a",
        severity: str = "warning",
        *,
        who: str = "ann",
        **data: Any,
    ) -> str:
        """A notice for `ann`; its event's id."""
        self.events_count += 1
        event_id = f"{self.events_count:032x}"
        self.events.append((event_id, name, objective))
        service = objective.split("/", maxsplit=1)[0]
        state = {"early_warning": "at_risk", "breach": "breached", "unknown": "unknown"}.get(name, "ok")
        body = {
            "dedup_key": objective, "service": service, "severity": severity, "state": state,
            "objective": {"name": objective.split("/")[1]}, "agreements": [], "opened_at": rfc3339(instant), **data,
        }  # fmt: skip
        event = {"id": event_id, "type": f"forewarn.{name}.v1", "time": rfc3339(instant), "data": body}
        feed = {"source": "forewarn:sla.telemetry.v1/0", "sequence": self.events_count}
        notice = {
            "type": "notice",
            "stakeholder": who,
            "audience": "owner",
            "revision": 1,
            "channels": [],
            "event": event,
        }
        self.put({**notice, **feed}, instant, who)
        return event_id

    def order(self, kind: str, instant: int, *, key: str | None = None, **fields: Any) -> list[Emission]:
        """A command."""
        feed = {"source": "forewarn:sla.commands.v1/0", "sequence": self.offset + 1}
        name = fields.pop("command_id", f"{kind}-{self.offset}")
        return self.put({"type": kind, "id": name, "by": "bob", **fields, **feed}, instant, key)

    def tick_to(self, instant: int, step_ms: int = 10_000) -> None:
        """Ticks up to an instant."""
        begin = self.fold.now or instant
        for tick_at in range(floor_to(begin, step_ms) + step_ms, instant + 1, step_ms):
            self.put({"type": "tick"}, tick_at)

    def sends(self, kind: str | None = None) -> list[dict[str, Any]]:
        found = [dict(each.value) for _, each in self.said if each.topic == "sla.outbox.v1"]
        return found if kind is None else [each for each in found if each["kind"] == kind]

    def deliveries(self) -> list[dict[str, Any]]:
        return [dict(each.value) for _, each in self.said if each.topic == "sla.deliveries.v1"]

    def story(self) -> list[str]:
        """When, what kind, subject: the messages in short."""
        return [
            f"{clock(instant)} {each.value['kind']} {each.value['subject']}"
            for instant, each in self.said
            if each.topic == "sla.outbox.v1"
        ]

    def unsent(self) -> list[str]:
        """When, and why it was not sent."""
        return [f"{clock(i)} {each.value['outcome']}" for i, each in self.said if each.topic == "sla.deliveries.v1"]

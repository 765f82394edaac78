"""Notices as `detect` writes them, and the fold of notices fed from memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bench.workload.instants import START_AT
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_notice
from sla.catalogue import Catalogue
from sla.dispatch import Dispatch
from sla.fold import Emission, Line
from sla.stakeholder import Channel, RateLimit, Stakeholder, Watches
from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339


def stakeholder(name: str) -> Stakeholder:
    """Somebody with the defaults of a definition, reached by the console."""
    return Stakeholder(
        name,
        "oncall",
        Watches(services=("any",)),
        (Channel("console"),),
        horizon_ms=24 * HOUR_MS,
        digest_ms=30 * MINUTE_MS,
        group_wait_ms=30 * SECOND_MS,
        repeat_ms=4 * HOUR_MS,
        rate_limit=RateLimit(6, HOUR_MS),
    )


def notice(
    number: int,
    who: str,
    at: int,
    *,
    name: str = "breach",
    promise: int = 0,
    channels: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """The record of one notice; `number` is its place in its feed, `promise` the objective that it is about."""
    service = f"service-{promise % 1_000:04}"
    data = {
        "dedup_key": f"{service}/objective-{promise}", "sequence": number, "service": service, "severity": "critical",
        "state": "breached" if name == "breach" else "ok", "opened_at": rfc3339(at), "evaluated_at": rfc3339(at),
        "objective": {"name": f"objective-{promise}", "version": 1, "target": "99.9%", "window": "30d rolling"},
        "agreements": [{"name": "gold", "type": "sla", "customer": "acme", "credit_at_risk": None}],
        "reason": {"rule": "budget_spent", "bad_count": 212, "total_count": 9600},
        "budget": {"allowed_count": 100, "consumed_count": 101, "remaining_ratio": -0.01},
        "flags": {"final": True}, "advice": {"summary": "The error budget is spent.", "actions": []},
    }  # fmt: skip
    event = {"id": f"{number:032x}", "type": f"forewarn.{name}.v1", "time": rfc3339(at), "source": "/forewarn/bench"}
    return orjson.dumps(
        {
            "type": "notice", "stakeholder": who, "audience": "oncall", "revision": 0, "channels": [*channels],
            "event": {**event, "data": data}, "source": "forewarn:sla.telemetry.v1/0", "sequence": number,
        }
    )  # fmt: skip


class Desk:
    """One partition of notices: what is told is counted by stakeholder."""

    def __init__(self, told: list[Stakeholder]) -> None:
        """Its fold follows a catalogue with these stakeholders."""
        catalogue = Catalogue(revision=1, sha256="x", stakeholders={each.name: each for each in told})
        self.fold = Dispatch(
            "sla.notices.v1", 0, decode=decode_notice, dead_letter=dead_letter, base=catalogue,
            catalogue_reader=lambda _revision, _sha256: catalogue,
        )  # fmt: skip
        self._offset = -1
        self.step(None, b'{"type":"tick"}', START_AT)

    def step(self, key: str | None, value: bytes, at: int) -> list[Emission]:
        """One record of the log."""
        self._offset += 1
        return list(self.fold.step(Line(self._offset, None if key is None else key.encode(), value, at, at)))

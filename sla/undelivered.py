"""The record of what was not sent, or not yet, and why. It is made where that is decided."""

from __future__ import annotations

from typing import Literal

from sla.dedup import digest
from sla.events import DELIVERIES
from sla.fold import Emission
from sla.units import rfc3339

Outcome = Literal["held", "folded", "silenced", "dropped"]


def undelivered(
    stakeholder: str | None,
    outcome: Outcome,
    detail: str,
    event_id: str,
    key: str,
    at: int,
    until_at: int | None = None,
) -> Emission:
    """That a stakeholder is not told of an event, or not before `until_at`; without one, that nobody is."""
    value = {
        "type": "delivery",
        "id": hash_of(stakeholder or "", event_id, outcome, str(at)),
        "stakeholder": stakeholder,
        "channel": None,
        "outcome": outcome,
        "detail": detail,
        "event_id": event_id,
        "event_ids": [event_id],
        "dedup_key": key,
        "at": rfc3339(at),
        "until": None if until_at is None else rfc3339(until_at),
    }
    return Emission(DELIVERIES, key if stakeholder is None else stakeholder, value)


def hash_of(*parts: str) -> str:
    """An id that the same facts have again."""
    return digest("\n".join(parts))

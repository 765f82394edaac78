"""The records that dispatch writes: messages, deliveries that did not happen, notices for others."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from sla.dispatch.policy import Policy
from sla.dispatch.records import Escalated
from sla.events import NOTICES, OUTBOX
from sla.fold import Emission, Json
from sla.stakeholder import Channel, Stakeholder
from sla.units import rfc3339

DELIVERIES_TOPIC: Final = "sla.deliveries.v1"


def message_id(stakeholder: str, told: Sequence[str], channel: Channel) -> str:
    """The idempotency key of a message that tells of certain things."""
    return _hash(stakeholder, *told, channel.kind, channel.url or "")


def undelivered(
    stakeholder: str, outcome: str, detail: str, event_id: str, key: str, at: int, until_at: int | None = None
) -> Emission:
    """The record of what was not sent, or not yet: `held`, `folded`, `silenced` or `dropped`."""
    value = {
        "type": "delivery",
        "id": _hash(stakeholder, event_id, outcome, str(at)),
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
    return Emission(DELIVERIES_TOPIC, stakeholder, value)


def send(policy: Policy, channel: Channel, message: Json) -> Emission:
    """A message for one channel; its feed is numbered last."""
    told = policy.stakeholder
    value = {
        "type": "send",
        "id": message["id"],
        "stakeholder": told.name,
        "audience": told.audience,
        "channel": {"kind": channel.kind, "url": channel.url},
        "concerns": {"agreements": list(told.watches.agreements), "customers": list(told.watches.customers)},
        **{name: said for name, said in message.items() if name != "id"},
        "fallback": policy.fallback_view(),
    }
    return Emission(OUTBOX, told.name, value)


def escalated_notice(to: Stakeholder, revision: int, event: Json, escalated: Escalated) -> Emission:
    """A notice of this event for somebody else."""
    value = {
        "type": "notice",
        "stakeholder": to.name,
        "audience": to.audience,
        "revision": revision,
        "channels": [{"kind": each.kind, "url": each.url} for each in to.channels],
        "event": event,
        "escalated": {"by": escalated.by, "why": escalated.why},
    }
    return Emission(NOTICES, to.name, value)


def _hash(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:32]

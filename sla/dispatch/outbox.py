"""What dispatch writes for others: messages, and notices of what is escalated."""

from __future__ import annotations

from collections.abc import Sequence

from sla.dispatch.policy import Policy
from sla.dispatch.records import Escalated
from sla.events import NOTICES, OUTBOX
from sla.fold import Emission, Json
from sla.stakeholder import Channel, Stakeholder
from sla.undelivered import hash_of


def message_id(stakeholder: str, told: Sequence[str], channel: Channel) -> str:
    """The idempotency key of a message that tells of certain things."""
    return hash_of(stakeholder, *told, channel.kind, channel.url or "")


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

"""A message that waits for its channel, and how the table holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from agents.transport import pack
from schemas.feeds import decode_send
from sla.dispatch import Send
from sla.fold import Line
from sla.records import Reason, Rejection
from sla.stakeholder import Channel
from sla.wording import OUTSIDERS

PREFIX = b"send/"


class Slot(NamedTuple):
    """Where a message is kept: its partition and its key in the table."""

    partition: int
    key: bytes


@dataclass(slots=True)
class Pending:
    """A message without an outcome. `value` is its record as it stands on the outbox; instants are real time."""

    slot: Slot
    offset: int
    value: bytes
    send: Send
    taken_at: int
    tries_count: int = 0
    next_at: int = 0
    is_stored: bool = False

    @property
    def target(self) -> Channel:
        """Where it goes: all that goes there shares a lane."""
        return self.send.channel

    def head(self) -> bytes:
        """As the table holds it, with the offset of its record in front."""
        body = {
            "record": orjson.Fragment(self.value),
            "taken_at": self.taken_at,
            "tries_count": self.tries_count,
            "next_at": self.next_at,
        }
        return pack(self.offset, orjson.dumps(body))

    def fallbacks(self, now: int) -> list[Pending | Unreadable]:
        """The messages that tell the stakeholder's fallback instead; they have no further one.

        Empty for a fallback outside of the house where the words are meant for it.
        """
        fallback = self.send.fallback
        if fallback is None or (fallback["audience"] in OUTSIDERS and self.send.audience not in OUTSIDERS):
            return []
        found: list[Pending | Unreadable] = []
        for channel in fallback["channels"]:
            value = orjson.dumps(_instead(orjson.loads(self.value), fallback, channel))
            send = decode_send(Line(self.offset, None, value, now, None), now)
            if isinstance(send, Send):
                found.append(taken(self.slot.partition, self.offset, value, send, now))
            else:
                found.append(Unreadable(self.slot, self.offset, value, _why(send)))
        return found


class Unreadable(NamedTuple):
    """What should be a message and is none, and why: it becomes a dead letter."""

    slot: Slot
    offset: int
    value: bytes
    why: Rejection


def taken(partition: int, offset: int, value: bytes, send: Send, now: int) -> Pending:
    """A message that comes in."""
    return Pending(Slot(partition, PREFIX + send.id.encode()), offset, value, send, taken_at=now)


def restored(slot: Slot, offset: int, body: bytes) -> Pending | Unreadable:
    """A message that the table held; another version may have put it there."""
    try:
        found = orjson.loads(body)
        value = orjson.dumps(found["record"])
        taken_at, tries_count, next_at = (int(found[name]) for name in ("taken_at", "tries_count", "next_at"))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        return Unreadable(slot, offset, body, Rejection(Reason.WRONG_TYPE, f"kept in another shape: {error!r}"))
    send = decode_send(Line(offset, None, value, taken_at, None), taken_at)
    if not isinstance(send, Send):
        return Unreadable(slot, offset, value, _why(send))
    return Pending(slot, offset, value, send, taken_at, tries_count, next_at, is_stored=True)


def _why(found: object) -> Rejection:
    if isinstance(found, Rejection):
        return found
    return Rejection(Reason.UNKNOWN_TYPE, f"{type(found).__name__} is no message")


def _instead(record: dict[str, Any], fallback: Mapping[str, Any], channel: Mapping[str, Any]) -> dict[str, Any]:
    named = (record["id"], fallback["stakeholder"], channel["kind"], channel["url"] or "")
    note = f"{record['stakeholder']} could not be told by {record['channel']['kind']}."
    return {
        **record,
        "id": sha256("\n".join(named).encode()).hexdigest()[:32],
        "stakeholder": fallback["stakeholder"],
        "audience": fallback["audience"],
        "channel": dict(channel),
        "subject": f"For {record['stakeholder']}: {record['subject']}",
        "text": f"{note}\n{record['text']}",
        "fallback": None,
    }

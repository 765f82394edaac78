"""The message that `dispatch` would make of events, for an audience and a channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from forewarn.console import UserError
from forewarn.preview.samples import HORIZON_MS
from schemas.feeds import decode_send
from sla.dispatch import Notice, Send
from sla.dispatch.atom import Atom, Item, trouble_of
from sla.dispatch.event import instant, view_of
from sla.dispatch.hearing import item_of
from sla.dispatch.message import compose
from sla.dispatch.outbox import message_id, send
from sla.dispatch.planning import ask
from sla.dispatch.policy import MACHINE_KINDS, Policy
from sla.fold import Json, Line
from sla.records import Feed
from sla.stakeholder import Channel, Stakeholder, Watches
from sla.units import HOUR_MS

_WATCHED: Final = 1  # an outsider hears of their own agreement: the first that the event names


def message_of(kind: str, events: Sequence[Json], audience: str, channel_kind: str) -> Send:
    """A message of a kind (notice, group, digest, repeat, ack) about events; raises `UserError` for no event."""
    told = Stakeholder(f"some-{audience}", audience, Watches(agreements=_watched(events[0])), (), horizon_ms=HORIZON_MS)
    channel = Channel(channel_kind, None if channel_kind == "console" else "${URL}")
    atom = Atom(told.name)
    items = [_item(event, told) for event in events]
    for event in events:
        view = view_of(event, audience)
        atom.troubles[view.key] = trouble_of(view)
    if kind == "ack":
        who = "the team" if Policy(told).is_outsider else "ann"
        line, detail = f"Acknowledged by {who}: {items[0].line}", f"{who} has taken it on."
        items = [items[0]._replace(name="ack", cause="ack", line=line, detail=detail)]
    is_machine = channel_kind in MACHINE_KINDS
    composed_as = "notice" if kind == "ack" or is_machine else kind
    at = instant(events[0].get("time")) or 0
    asked = () if is_machine or kind != "notice" else filter(None, [ask(atom, told, items[0], at)])
    message = {
        **compose(atom, audience, composed_as, items[:1] if is_machine else items, tuple(asked)),
        "id": message_id(told.name, [item.event_id for item in items], channel),
    }
    if is_machine:
        action = "acknowledge" if kind == "ack" else "resolve" if items[0].name == "recovery" else "trigger"
        message |= {"kind": "machine", "action": action, "repeat_ms": 4 * HOUR_MS}
    value = {**send(Policy(told), channel, message).value, "source": "forewarn:preview/0", "sequence": 0}
    found = decode_send(Line(0, None, orjson.dumps(value), 0, None), 0)
    if not isinstance(found, Send):
        raise UserError("that is no event", "give a CloudEvent as forewarn tail --json prints it")
    return found


def _item(event: Json, told: Stakeholder) -> Item:
    return item_of(view_of(event, told.audience), Notice(told.name, told.audience, 0, (), event, Feed("preview", 0)))


def _watched(event: Json) -> tuple[str, ...]:
    data: Any = event.get("data")
    agreements = data.get("agreements") if isinstance(data, dict) else None
    named = [each.get("name") for each in agreements or () if isinstance(each, dict)]
    return tuple(name for name in named if isinstance(name, str))[:_WATCHED]

"""What one fold writes for the next: notices, outbox records and deliveries, from bytes and to JSON.

Forewarn writes these itself, yet anything may stand on a topic: each decoder answers with a record or with a
`Rejection`, never with an exception.
"""

from __future__ import annotations

from typing import Any

from schemas.feed_fields import (
    Unusable,
    channel_of,
    check_key,
    feed_of,
    field,
    integer,
    object_of,
    optional_string,
    string,
)
from schemas.orders import NOTICES_ORDERS, notices_order
from schemas.topics import DELIVERIES
from sla.dispatch import Escalated, Notice, NoticesRecord, Send
from sla.fold import Emission, Json, Line
from sla.records import CatalogueMarker, Reason, Rejection, Tick
from sla.units import rfc3339


def decode_notice(line: Line, now: int) -> NoticesRecord | Rejection:
    """A line of `sla.notices.v1`: a notice, an order, a tick or a marker; none of them is late, whatever `now` is."""
    del now
    try:
        record = object_of(line)
        match string(record, "type"):
            case "notice":
                return _notice(record, line.key)
            case order if order in NOTICES_ORDERS:
                return notices_order(record, line.key)
            case "tick":
                return Tick()
            case "catalogue":
                return CatalogueMarker(integer(record, "revision"), string(record, "sha256"))
            case other:
                return Rejection(
                    Reason.UNKNOWN_TYPE,
                    f"type {other!r} is none of notice, {', '.join(NOTICES_ORDERS)}, tick, catalogue",
                )
    except Unusable as unusable:
        return unusable.rejection


def decode_send(line: Line, now: int) -> Send | Tick | CatalogueMarker | Rejection:
    """A line of `sla.outbox.v1`: a message to hand to a channel, a tick or a catalogue marker."""
    del now
    try:
        record = object_of(line)
        match string(record, "type"):
            case "send":
                return _send(record, line.key)
            case "tick":
                return Tick()
            case "catalogue":
                return CatalogueMarker(integer(record, "revision"), string(record, "sha256"))
            case other:
                return Rejection(Reason.UNKNOWN_TYPE, f"type {other!r} is none of send, tick, catalogue")
    except Unusable as unusable:
        return unusable.rejection


def delivery(send: Send, outcome: str, detail: str | None, at: int) -> Emission:
    """The record of one attempt's end for `sla.deliveries.v1`; `outcome` is `delivered` or `failed`."""
    value = {
        "type": "delivery",
        "id": send.id,
        "stakeholder": send.stakeholder,
        "channel": {"kind": send.channel.kind, "url": send.channel.url},
        "outcome": outcome,
        "detail": detail,
        "event_id": send.event_id,
        "event_ids": list(send.event_ids or (send.event_id,)),
        "dedup_key": send.dedup_key,
        "at": rfc3339(at),
        "until": None,
    }
    return Emission(DELIVERIES.name, send.stakeholder, value)


def _notice(record: Json, key: bytes | None) -> Notice:
    stakeholder = string(record, "stakeholder")
    check_key(key, stakeholder)
    channels = field(record, "channels", list)
    event = field(record, "event", dict)
    string(event, "id")
    string(field(event, "data", dict), "dedup_key")
    return Notice(
        stakeholder,
        string(record, "audience"),
        integer(record, "revision"),
        tuple(channel_of(channel) for channel in channels),
        event,
        feed_of(record),
        _escalated(record),
    )


def _escalated(record: Json) -> Escalated | None:
    if record.get("escalated") is None:
        return None
    escalated = field(record, "escalated", dict)
    return Escalated(string(escalated, "by"), string(escalated, "why"))


def _send(record: Json, key: bytes | None) -> Send:
    stakeholder = string(record, "stakeholder")
    check_key(key, stakeholder)
    return Send(
        string(record, "id"),
        stakeholder,
        string(record, "audience"),
        channel_of(field(record, "channel", dict)),
        string(record, "subject"),
        string(record, "text"),
        string(record, "event_id"),
        string(record, "dedup_key"),
        feed_of(record),
        optional_string(record, "kind") or "notice",
        optional_string(record, "action"),
        optional_string(record, "severity"),
        None if record.get("repeat_ms") is None else integer(record, "repeat_ms"),
        _optional(record, "event"),
        tuple(each for each in _list(record, "event_ids") if isinstance(each, str)),
        tuple(each for each in _list(record, "items") if isinstance(each, dict)),
        tuple(each for each in _list(record, "planning") if isinstance(each, dict)),
        _fallback(record),
        _optional(record, "concerns") or {},
    )


def _fallback(record: Json) -> Json | None:
    """Whom to tell instead, as `agents.delivery.pending` tells them."""
    fallback = _optional(record, "fallback")
    if fallback is not None:
        string(fallback, "stakeholder")
        string(fallback, "audience")
        for channel in field(fallback, "channels", list):
            channel_of(channel)
    return fallback


def _optional(record: Json, name: str) -> Json | None:
    return None if record.get(name) is None else field(record, name, dict)


def _list(record: Json, name: str) -> list[Any]:
    return [] if record.get(name) is None else field(record, name, list)

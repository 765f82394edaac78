"""What one fold writes for the next: notices, outbox records and deliveries, from bytes and to JSON.

Forewarn writes these itself, yet anything may stand on a topic: each decoder answers with a record or with a
`Rejection`, never with an exception.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from schemas.inbound.text import read_json
from schemas.topics import DELIVERIES
from sla.dispatch import Notice, NoticesRecord, Send
from sla.fold import Emission, Json, Line
from sla.records import CatalogueMarker, Feed, Reason, Rejection, Tick
from sla.stakeholder import Channel
from sla.units import rfc3339

INTEGER_LARGEST: Final = 2**63 - 1

Value = TypeVar("Value", str, int, list[Any], dict[str, Any])


class _Unusable(Exception):  # noqa: N818 — not an error of the program: it carries a verdict out of nested checks
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


def decode_notice(line: Line, now: int) -> NoticesRecord | Rejection:
    """A line of `sla.notices.v1`: a notice, a tick or a catalogue marker; a notice is never late, whatever `now` is."""
    del now
    try:
        record = _object(line)
        match _string(record, "type"):
            case "notice":
                return _notice(record, line.key)
            case "tick":
                return Tick()
            case "catalogue":
                return CatalogueMarker(_integer(record, "revision"), _string(record, "sha256"))
            case other:
                return Rejection(Reason.UNKNOWN_TYPE, f"type {other!r} is none of notice, tick, catalogue")
    except _Unusable as unusable:
        return unusable.rejection


def decode_send(line: Line, now: int) -> Send | Tick | CatalogueMarker | Rejection:
    """A line of `sla.outbox.v1`: a message to hand to a channel, a tick or a catalogue marker."""
    del now
    try:
        record = _object(line)
        match _string(record, "type"):
            case "send":
                return _send(record, line.key)
            case "tick":
                return Tick()
            case "catalogue":
                return CatalogueMarker(_integer(record, "revision"), _string(record, "sha256"))
            case other:
                return Rejection(Reason.UNKNOWN_TYPE, f"type {other!r} is none of send, tick, catalogue")
    except _Unusable as unusable:
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
        "dedup_key": send.dedup_key,
        "at": rfc3339(at),
    }
    return Emission(DELIVERIES.name, send.stakeholder, value)


def _notice(record: Json, key: bytes | None) -> Notice:
    stakeholder = _string(record, "stakeholder")
    _check_key(key, stakeholder)
    channels = _field(record, "channels", list)
    event = _field(record, "event", dict)
    _string(event, "id")
    _string(_field(event, "data", dict), "dedup_key")
    return Notice(
        stakeholder,
        _string(record, "audience"),
        _integer(record, "revision"),
        tuple(_channel(channel) for channel in channels),
        event,
        _feed(record),
    )


def _send(record: Json, key: bytes | None) -> Send:
    stakeholder = _string(record, "stakeholder")
    _check_key(key, stakeholder)
    return Send(
        _string(record, "id"),
        stakeholder,
        _string(record, "audience"),
        _channel(_field(record, "channel", dict)),
        _string(record, "subject"),
        _string(record, "text"),
        _string(record, "event_id"),
        _string(record, "dedup_key"),
        _feed(record),
    )


def _object(line: Line) -> dict[str, Any]:
    record = read_json(line.value)
    if isinstance(record, Rejection):
        raise _Unusable(record.reason, record.detail)
    if not isinstance(record, dict):
        raise _Unusable(Reason.WRONG_TYPE, "the record is not a JSON object")
    return record


def _field(record: Json, name: str, kind: type[Value]) -> Value:
    value = record.get(name)
    if value is None:
        raise _Unusable(Reason.MISSING_FIELD, f"{name} is missing")
    # bool is an int to Python, not to JSON.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _Unusable(Reason.WRONG_TYPE, f"{name} must be {_NAMES[kind]}")
    return value


_NAMES: Final[dict[type, str]] = {str: "a string", int: "an integer", list: "a list", dict: "an object"}


def _string(record: Json, name: str) -> str:
    return _field(record, name, str)


def _integer(record: Json, name: str) -> int:
    number = _field(record, name, int)
    if not 0 <= number <= INTEGER_LARGEST:
        raise _Unusable(Reason.OUT_OF_RANGE, f"{name} must be from 0 to {INTEGER_LARGEST}")
    return number


def _channel(value: Any) -> Channel:
    if not isinstance(value, dict):
        raise _Unusable(Reason.WRONG_TYPE, "a channel must be an object")
    return Channel(_string(value, "kind"), None if value.get("url") is None else _string(value, "url"))


def _feed(record: Json) -> Feed:
    return Feed(_string(record, "source"), _integer(record, "sequence"))


def _check_key(key: bytes | None, stakeholder: str) -> None:
    if key is not None and key != stakeholder.encode():
        raise _Unusable(Reason.KEY_MISMATCH, f"the key is {key!r}, the body says {stakeholder!r}")

"""People's commands (wire.md 3): `sla.commands.v1` from bytes, and to bytes for whoever gives one."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

from schemas.feed_fields import NAME_LONGEST, Unusable, name_of, object_of, optional_instant, string
from schemas.inbound import decode_telemetry
from schemas.orders import Order, order_of_command, service_of
from schemas.text import read_json
from sla.fold import Json, Line
from sla.orders import SAID, Given
from sla.records import Exclusion, Reason, Rejection
from sla.units import rfc3339

TYPES: Final = ("ack", "unack", "silence", "unsilence", "reply", "exclusion", "approve", "reject", *SAID)


class Command(NamedTuple):
    """What a command means, and the object that says so to the fold concerned."""

    order: Order | Exclusion
    document: Json


def decode_command(line: Line, now: int) -> Command | Rejection:
    """A line of `sla.commands.v1`; never an exception. `now` is the line's log time."""
    try:
        document = object_of(line)
        kind = string(document, "type")
        if kind not in TYPES:
            return Rejection(Reason.UNKNOWN_TYPE, f"type {kind!r} is none of {', '.join(TYPES)}")
        name_of(document, "id")
        by = name_of(document, "by")
        optional_instant(document, "at")
        if kind != "exclusion":
            return Command(order_of_command(document), document)
        return _exclusion({**document, "service": service_of(document)}, by, line, now)
    except Unusable as unusable:
        return unusable.rejection


def _exclusion(document: dict[str, Any], by: str, line: Line, now: int) -> Command | Rejection:
    """`exclusion` names it, else the command's own id does; who asks for it or approves it is who gives the command."""
    status = document.get("status") or "approved"
    who = "requested_by" if status == "requested" else "approved_by"
    told = {
        **document,
        "id": document.get("exclusion") or document["id"],
        "command": document["id"],
        "status": status,
        who: document.get(who) or by,
    }
    found = decode_telemetry(line._replace(key=None, value=orjson.dumps(told)), now)
    return found if isinstance(found, Rejection) else Command(_as_exclusion(found), told)


def _as_exclusion(record: object) -> Exclusion:
    if not isinstance(record, Exclusion):
        raise TypeError(f"an exclusion was read as {type(record).__name__}")
    return record


def given_of(line: Line) -> Given:
    """Which command a line is, as far as it says: for the record of its outcome, also of one that cannot be used."""
    document = read_json(line.value)
    said = document if isinstance(document, dict) else {}
    names = [said.get(name) for name in ("type", "id", "by")]
    kind, command_id, by = (each if isinstance(each, str) and 0 < len(each) <= NAME_LONGEST else None for each in names)
    return Given(kind or "unreadable", command_id, by, command_id or "unreadable")


def command(kind: str, command_id: str, by: str, at: int, **fields: Any) -> dict[str, Any]:
    """A command as it is written; fields that are None are left out."""
    told = {name: value for name, value in fields.items() if value is not None}
    return {"type": kind, "id": command_id, "by": by, "at": rfc3339(at), **told}

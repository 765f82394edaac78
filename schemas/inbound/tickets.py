"""Records of `sla.tickets.v1` from bytes: `decode_tickets` (wire.md 2).

Most are good: those are read by a glance. What is unusual or refused is looked at closely; both read alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson

from schemas.feed_fields import Unusable
from schemas.inbound.checks import (
    AHEAD_MOST_MS,
    Document,
    Table,
    are_plain_names,
    feed_of,
    instant,
    object_of,
    refusal_of,
)
from schemas.inbound.diagnosis import exclusion_of
from schemas.inbound.fields import TICKET_FIELDS_OF
from schemas.instants import read_own_rfc3339
from schemas.orders import TICKET_ORDERS, ticket_order
from schemas.text import DEPTH_MOST_LEVELS, INTEGER_LARGEST, VALUE_LARGEST_BYTES, may_be_too_deep
from sla.fold import Line
from sla.orders import TicketOrder
from sla.records import Actor, CatalogueMarker, Feed, Rejection, Tick, Ticket, TicketEvent, TicketsRecord

_TICK: Final = Tick()
_EVENTS: Final = {each.value: each for each in TicketEvent}
_ACTORS: Final[dict[str | None, Actor | None]] = {None: None, **{each.value: each for each in Actor}}
_PLAIN: Final = frozenset({str, bool, type(None)})
_REQUIRED_COUNT: Final = 5  # type, ticket, service, at, event


def _reply_has_author(document: Document) -> Iterable[str]:
    return ("by",) if document.get("event") == TicketEvent.REPLY else ()


_TABLE: Final = Table(TICKET_FIELDS_OF, {"ticket": "ticket"}, _reply_has_author)


def decode_tickets(line: Line, now: int) -> TicketsRecord | TicketOrder | Rejection:
    """What a line says, or why it cannot be used; never an exception, whatever the bytes are.

    `now` is the partition's log time after the line was read: an `at` more than 5 min ahead of it is refused, one
    less far ahead becomes `now`.
    """
    record = _glance(line, now)
    return diagnose_tickets(line, now) if record is None else record


def diagnose_tickets(line: Line, now: int) -> TicketsRecord | TicketOrder | Rejection:
    """The reference: the whole reading, with the exact reason when it is refused."""
    document = object_of(line)
    if isinstance(document, Rejection):
        return document
    if document.get("type") in TICKET_ORDERS:
        return _order(document, line.key)
    return refusal_of(document, line.key, now, _TABLE) or _record(document, now)


def _order(document: Document, key: bytes | None) -> TicketOrder | Rejection:
    """What `route` wrote."""
    try:
        return ticket_order(document, key)
    except Unusable as unusable:
        return unusable.rejection


def _record(document: Document, now: int) -> TicketsRecord:
    """The record of a document in which every field was checked."""
    match document["type"]:
        case "tick":
            return _TICK
        case "catalogue":
            return CatalogueMarker(document["revision"], document["sha256"])
        case "exclusion":
            return exclusion_of(document, feed_of(document))
        case _:
            return Ticket(
                document["ticket"],
                document["service"],
                instant(document, "at", now),
                _EVENTS[document["event"]],
                _ACTORS[document.get("by")],
                _pairs(document.get("fields")),
                bool(document.get("import")),
                feed_of(document),
            )


def _pairs(fields: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(fields.items()) if fields else ()


def _glance(line: Line, now: int) -> Ticket | Tick | None:
    """The record, when it is surely good; None when it must be looked at closely."""
    value = line.value
    if value is None or len(value) > VALUE_LARGEST_BYTES:
        return None
    if len(value) > DEPTH_MOST_LEVELS and may_be_too_deep(value):
        return None
    try:
        document = orjson.loads(value)
        kind = document["type"]
        if kind == "ticket":
            return _plain_ticket(document, line.key, now)
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        # No JSON, no object, a field that is missing, a word that is not known.
        return None
    return _TICK if kind == "tick" else None


def _plain_ticket(document: dict[str, Any], key: bytes | None, now: int) -> Ticket | None:
    ticket, service, at = document["ticket"], document["service"], document["at"]
    event, by, fields = _EVENTS[document["event"]], _ACTORS[document.get("by")], document.get("fields")
    if type(at) is str:
        at = read_own_rfc3339(at)
    if not (
        are_plain_names(ticket, service)
        and (key is None or key == ticket.encode())
        and (by is not None or event is not TicketEvent.REPLY)
        and (fields is None or (type(fields) is dict and _PLAIN.issuperset(map(type, fields.values()))))
        and (type(at) is int and 0 <= at <= now + AHEAD_MOST_MS)
    ):
        return None
    plain = Ticket(ticket, service, min(at, now), event, by, _pairs(fields))
    is_whole = len(document) == _REQUIRED_COUNT + ("by" in document) + ("fields" in document)
    return plain if is_whole else _with_optional(document, plain)


def _with_optional(document: dict[str, Any], plain: Ticket) -> Ticket | None:
    get = document.get
    imported, source, sequence = get("import"), get("source"), get("sequence")
    if not (
        (imported is None or type(imported) is bool)
        and type(get("traceparent", "")) is str
        and (source is None or type(source) is str)
        and (sequence is None or (type(sequence) is int and 0 <= sequence <= INTEGER_LARGEST))
    ):
        return None
    return plain._replace(is_import=bool(imported), feed=None if source is None else Feed(source, sequence))

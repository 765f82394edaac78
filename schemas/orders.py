"""What people decide, as `route` writes it into the inputs of the folds; and the fields that their commands have.

Its outcome is decided in the partition. In `sla.notices.v1` all but `reply` concern many stakeholders, so they have no
key and stand in every partition; a silence stands in every partition of `sla.telemetry.v1` and `sla.tickets.v1` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from schemas.feed_fields import (
    Unusable,
    check_key,
    check_numbers,
    feed_of,
    field,
    instant,
    integer,
    name_of,
    optional_instant,
    optional_string,
    string,
)
from sla.fold import Json
from sla.orders import (
    ANSWERS,
    SAID,
    Ack,
    NoticesOrder,
    Reply,
    Ruling,
    ServiceOrder,
    Silence,
    Statement,
    TicketOrder,
    Unack,
    Unsilence,
)
from sla.records import Reason
from sla.silences import FIELDS

VALUES_MOST: Final = 1_000  # of one matcher


def _ack(record: Json, _key: bytes | None) -> Ack:
    return Ack(
        name_of(record, "id"),
        name_of(record, "by"),
        string(record, "dedup_key"),
        feed_of(record),
        optional_string(record, "reason"),
        optional_instant(record, "until"),
        optional_string(record, "ticket"),
        None if record.get("episode") is None else integer(record, "episode"),
    )


def _unack(record: Json, _key: bytes | None) -> Unack:
    names = (name_of(record, "id"), name_of(record, "by"), string(record, "dedup_key"))
    return Unack(*names, feed_of(record), optional_string(record, "ticket"))


def _silence(record: Json, _key: bytes | None) -> Silence:
    return Silence(
        name_of(record, "id"),
        name_of(record, "by"),
        _matchers(field(record, "matchers", dict)),
        instant(record, "until"),
        feed_of(record),
        optional_string(record, "reason"),
    )


def _matchers(written: Json) -> dict[str, tuple[str, ...]]:
    """What is to be silenced: a silence that names nothing would silence everything, and is refused."""
    if not written:
        raise Unusable(Reason.OUT_OF_RANGE, "matchers must name at least one field")
    return {name: _values(name, values) for name, values in written.items()}


def _values(name: str, values: object) -> tuple[str, ...]:
    if name not in FIELDS:
        raise Unusable(Reason.UNKNOWN_VALUE, f"matchers: {name!r} is none of {', '.join(FIELDS)}")
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Unusable(Reason.WRONG_TYPE, f"matchers: {name} must be a list of texts")
    if not 1 <= len(values) <= VALUES_MOST:
        raise Unusable(Reason.OUT_OF_RANGE, f"matchers: {name} must have 1 to {VALUES_MOST} values")
    return tuple(values)


def _unsilence(record: Json, _key: bytes | None) -> Unsilence:
    return Unsilence(name_of(record, "id"), name_of(record, "by"), name_of(record, "silence"), feed_of(record))


def _reply(record: Json, key: bytes | None) -> Reply:
    stakeholder = name_of(record, "stakeholder")
    check_key(key, stakeholder)
    answer = string(record, "answer")
    if answer not in ANSWERS:
        raise Unusable(Reason.UNKNOWN_VALUE, f"answer {answer!r} is none of {', '.join(ANSWERS)}")
    return Reply(
        name_of(record, "id"),
        name_of(record, "by"),
        stakeholder,
        string(record, "dedup_key"),
        answer,
        feed_of(record),
        optional_string(record, "text"),
        optional_instant(record, "until"),
        optional_string(record, "event_id"),
    )


def service_of(record: Json) -> str:
    """The service that a command is about: its `service`, or that of its `dedup_key`."""
    if record.get("service") is not None:
        return name_of(record, "service")
    if record.get("dedup_key") is None:
        raise Unusable(Reason.MISSING_FIELD, "service or dedup_key is missing")
    return unquote(string(record, "dedup_key").partition("/")[0])


def _ruling(record: Json, _key: bytes | None) -> Ruling:
    return Ruling(
        name_of(record, "id"),
        name_of(record, "by"),
        service_of(record),
        name_of(record, "exclusion"),
        record["type"] == "approve",
        feed_of(record),
        optional_string(record, "reason"),
    )


def _statement(record: Json, _key: bytes | None) -> Statement:
    body = {name: said for name, said in record.items() if name not in _OF_THE_LOG}
    check_numbers(body)
    names = (name_of(record, "id"), name_of(record, "by"), string(record, "type"))
    return Statement(*names, service_of(record), body, feed_of(record))


_OF_THE_LOG: Final = frozenset({"source", "sequence", "traceparent"})
Order = NoticesOrder | ServiceOrder
_ORDERS: Final[Mapping[str, Callable[[Json, bytes | None], Any]]] = {
    "ack": _ack,
    "unack": _unack,
    "silence": _silence,
    "unsilence": _unsilence,
    "reply": _reply,
    "approve": _ruling,
    "reject": _ruling,
    **dict.fromkeys(SAID, _statement),
}
NOTICES_ORDERS: Final = ("ack", "unack", "silence", "unsilence", "reply")
TICKET_ORDERS: Final = ("ack", "unack", "silence", "unsilence")
SERVICE_ORDERS: Final = ("ack", "unack", "silence", "unsilence", "approve", "reject", *SAID)


def notices_order(record: Json, key: bytes | None) -> NoticesOrder:
    """One of `NOTICES_ORDERS`. Raises `Unusable`."""
    order: NoticesOrder = _ORDERS[record["type"]](record, key)
    return order


def service_order(record: Json, key: bytes | None) -> ServiceOrder:
    """One of `SERVICE_ORDERS`. Raises `Unusable`."""
    order: ServiceOrder = _ORDERS[record["type"]](record, key)
    return order


def ticket_order(record: Json, key: bytes | None) -> TicketOrder:
    """One of `TICKET_ORDERS`; whose trouble is taken on is its key. Raises `Unusable`."""
    if record["type"] in ("ack", "unack"):
        check_key(key, string(record, "ticket"))
    order: TicketOrder = _ORDERS[record["type"]](record, key)
    return order


def order_of_command(document: Json) -> Order:
    """Any of them as its author gave it: not fed by anybody yet. Raises `Unusable`."""
    order: Order = _ORDERS[document["type"]]({**document, "source": "", "sequence": 0}, None)
    return order

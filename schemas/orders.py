"""People's commands as they reach the fold of notices: `ack`, `unack`, `silence`, `unsilence`, `reply`.

Their outcome is decided there; who writes them into which partition is `route`'s matter. All but `reply` concern many
stakeholders, so they have no key and stand in every partition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from schemas.feed_fields import (
    Unusable,
    check_key,
    feed_of,
    field,
    instant,
    name_of,
    optional_instant,
    optional_string,
    string,
)
from sla.dispatch.planning import ANSWERS
from sla.dispatch.records import Ack, Command, Reply, Silence, Unack, Unsilence
from sla.dispatch.silences import FIELDS
from sla.fold import Json
from sla.records import Reason

VALUES_MOST: Final = 1_000  # of one matcher


def _ack(record: Json, _key: bytes | None) -> Command:
    return Ack(
        name_of(record, "id"),
        name_of(record, "by"),
        string(record, "dedup_key"),
        feed_of(record),
        optional_string(record, "reason"),
        optional_instant(record, "until"),
    )


def _unack(record: Json, _key: bytes | None) -> Command:
    return Unack(name_of(record, "id"), name_of(record, "by"), string(record, "dedup_key"), feed_of(record))


def _silence(record: Json, _key: bytes | None) -> Command:
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


def _unsilence(record: Json, _key: bytes | None) -> Command:
    return Unsilence(name_of(record, "id"), name_of(record, "by"), name_of(record, "silence"), feed_of(record))


def _reply(record: Json, key: bytes | None) -> Command:
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
    )


ORDERS: Final[Mapping[str, Callable[[Json, bytes | None], Command]]] = {
    "ack": _ack,
    "unack": _unack,
    "silence": _silence,
    "unsilence": _unsilence,
    "reply": _reply,
}
"""How each type of command is read."""

"""Whether a record may be used: field by field against its table, with the exact reason when it is refused.

The reason is the first that applies in the order of wire.md over the whole record: any missing field comes before any
wrong type, any wrong type before anything out of range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from schemas.inbound.fields import NAME_MOST_CHARACTERS, Field, read_at
from schemas.instants import read_instant
from schemas.text import read_json
from sla.fold import Line
from sla.records import Feed, Reason, Rejection
from sla.units import MINUTE_MS, rfc3339

AHEAD_MOST_MS: Final = 5 * MINUTE_MS
_SHOWN_CHARACTERS: Final = 60

Document = Mapping[str, Any]


def _nothing_more(_: Document) -> Iterable[str]:
    return ()


class Table(NamedTuple):
    """The records of a topic: the fields of each type, and the field that a record's key repeats, if it has one.

    `also_required` names what a record must have beside the required fields of its type.
    """

    fields_of: Mapping[str, tuple[Field, ...]]
    key_of: Mapping[str, str]
    also_required: Callable[[Document], Iterable[str]] = _nothing_more


def object_of(line: Line) -> dict[str, Any] | Rejection:
    """The JSON object of a line."""
    document = read_json(line.value)
    if isinstance(document, Rejection | dict):
        return document
    return Rejection(Reason.WRONG_TYPE, f"the record is {_name_of(document)}, not an object")


def refusal_of(document: Document, key: bytes | None, now: int, table: Table) -> Rejection | None:
    """Why a document cannot be used; `now` is the log time after its line was read."""
    kind = document.get("type")
    refusal = _refused_type(kind, table) or _refused_fields(document, table) or _refused_times(document, now, table)
    if refusal is None and kind is not None and kind in table.key_of:
        return _refused_key(table.key_of[kind], document, key)
    return refusal


def instant(document: Document, name: str, now: int | None = None) -> int:
    """An instant that was checked; one ahead of `now` counts at `now`."""
    at = read_at(document[name])
    assert at is not None  # noqa: S101 — every instant was read before
    return at if now is None else min(at, now)


def feed_of(document: Document) -> Feed | None:
    """Who wrote it, if it says so."""
    return None if document.get("source") is None else Feed(document["source"], document.get("sequence"))


def _refused_type(kind: Any, table: Table) -> Rejection | None:
    if kind is None:
        return Rejection(Reason.MISSING_FIELD, "type is missing")
    if not isinstance(kind, str):
        return Rejection(Reason.WRONG_TYPE, f"type: a string is expected, not {_name_of(kind)}")
    if kind not in table.fields_of:
        return Rejection(Reason.UNKNOWN_TYPE, f"type {_shown(kind)} is none of {', '.join(table.fields_of)}")
    return None


def _refused_fields(document: Document, table: Table) -> Rejection | None:
    fields = table.fields_of[document["type"]]
    required = [field.name for field in fields if field.is_required]
    for name in (*required, *table.also_required(document)):
        if document.get(name) is None:
            return Rejection(Reason.MISSING_FIELD, f"{name} is missing")
    present = [(field, document[field.name]) for field in fields if document.get(field.name) is not None]
    return _first_refused(present)


def _first_refused(present: list[tuple[Field, Any]]) -> Rejection | None:
    for (name, kind, _), value in present:
        if not kind.is_typed(value):
            return Rejection(Reason.WRONG_TYPE, f"{name}: {kind.noun} is expected, not {_name_of(value)}")
    for (name, kind, _), value in present:
        if not kind.is_in_range(value):
            return Rejection(Reason.OUT_OF_RANGE, f"{name} is {_shown(value)}; it takes {kind.range_text}")
    for (name, kind, _), value in present:
        if not kind.is_known(value):
            return Rejection(Reason.UNKNOWN_VALUE, f"{name} is {_shown(value)}; it takes {kind.known_text}")
    for (name, kind, _), value in present:
        if not kind.is_readable(value):
            return Rejection(Reason.BAD_INSTANT, f"{name}: {_shown(value)} is no RFC 3339 instant with an offset")
    return None


def _refused_times(document: Document, now: int, table: Table) -> Rejection | None:
    names = {field.name for field in table.fields_of[document["type"]]}
    # Totals of the future are as impossible as measurements from it; an exclusion is planned ahead.
    newest = "at" if "at" in names else "to" if document["type"] == "history" else None
    if newest is not None:
        at = read_at(document[newest])
        if at is not None and at - now > AHEAD_MOST_MS:
            ahead_s = (at - now) // 1000
            return Rejection(Reason.FROM_THE_FUTURE, f"{newest} is {ahead_s} s ahead of log time {rfc3339(now)}")
    if "from" in names:
        from_at, to_at = read_instant(document["from"]), read_instant(document["to"])
        # An exclusion may end where it begins: so one that was announced is taken back to nothing.
        least_ms = 1 if document["type"] == "history" else 0
        if from_at is not None and to_at is not None and to_at - from_at < least_ms:
            return Rejection(Reason.INVERTED_INTERVAL, f"from {rfc3339(from_at)} is not before to {rfc3339(to_at)}")
    return None


def _refused_key(field: str, document: Document, key: bytes | None) -> Rejection | None:
    name = document[field]
    if key is None or key == name.encode():
        return None
    shown = _shown(key.decode(errors="replace"))
    return Rejection(Reason.KEY_MISMATCH, f"the key is {shown}, the {field} {_shown(name)}")


def _name_of(value: Any) -> str:
    names: dict[type, str] = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}
    return {**names, list: "a list", dict: "an object", type(None): "null"}[type(value)]


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else _number_text(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _number_text(value: int | float) -> str:  # noqa: PYI041 — machine code makes a float of what is declared one
    if isinstance(value, int) and value.bit_length() > 64:  # noqa: PLR2004 — a number of hundreds of digits helps nobody
        return "beyond 64 bits"
    return repr(value)


def are_plain_names(one: Any, other: Any) -> bool:
    """Whether both are names at a glance. `isprintable` holds for fewer than are allowed: the rest go the long way."""
    return (
        type(one) is str
        and type(other) is str
        and 0 < len(one) <= NAME_MOST_CHARACTERS
        and 0 < len(other) <= NAME_MOST_CHARACTERS
        and one.isprintable()
        and other.isprintable()
    )

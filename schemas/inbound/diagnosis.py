"""The whole reading of a telemetry record, field by field, with the exact reason when it is refused.

This is the reference: `glance` answers sooner for the records that are most of the traffic, and never differently.
The reason is the first that applies in the order of wire.md over the whole record: any missing field comes before any
wrong type, any wrong type before anything out of range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schemas.feed_fields import Unusable
from schemas.inbound.fields import FIELDS_OF, WITHOUT_SERVICE, Field, read_at
from schemas.instants import read_instant
from schemas.orders import SERVICE_ORDERS, service_order
from schemas.text import read_json
from sla.fold import Line
from sla.orders import ServiceOrder
from sla.records import (
    Approval,
    CatalogueMarker,
    Category,
    Change,
    Counts,
    Dependency,
    Exclusion,
    Feed,
    History,
    Ignored,
    Measurement,
    Reason,
    Rejection,
    Sample,
    State,
    TelemetryRecord,
    Tick,
)
from sla.units import MINUTE_MS, rfc3339

AHEAD_MOST_MS: Final = 5 * MINUTE_MS
_SHOWN_CHARACTERS: Final = 60

Document = Mapping[str, Any]


def diagnose(line: Line, now: int) -> TelemetryRecord | ServiceOrder | Rejection:
    """Decode one line of `sla.telemetry.v1`; `now` is the partition's log time after the line was read.

    An `at` ahead of `now` by up to 5 min becomes `now`.
    """
    document = read_json(line.value)
    if isinstance(document, Rejection):
        return document
    if not isinstance(document, dict):
        return Rejection(Reason.WRONG_TYPE, f"the record is {_name_of(document)}, not an object")
    kind = document.get("type")
    if kind in SERVICE_ORDERS:
        return _order(document, line.key)
    refusal = _refused_type(kind) or _refused_fields(document) or _refused_times(document, now)
    if refusal is None and kind not in WITHOUT_SERVICE:
        refusal = _refused_key(document["service"], line.key)
    return refusal or _record(document, now)


def _order(document: Document, key: bytes | None) -> ServiceOrder | Rejection:
    """What `route` wrote."""
    try:
        return service_order(document, key)
    except Unusable as unusable:
        return unusable.rejection


def _refused_type(kind: Any) -> Rejection | None:
    if kind is None:
        return Rejection(Reason.MISSING_FIELD, "type is missing")
    if not isinstance(kind, str):
        return Rejection(Reason.WRONG_TYPE, f"type: a string is expected, not {_name_of(kind)}")
    if kind not in FIELDS_OF:
        return Rejection(Reason.UNKNOWN_TYPE, f"type {_shown(kind)} is none of {', '.join(FIELDS_OF)}")
    return None


def _refused_fields(document: Document) -> Rejection | None:
    fields = FIELDS_OF[document["type"]]
    for name, _, is_required in fields:
        if is_required and document.get(name) is None:
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


def _refused_times(document: Document, now: int) -> Rejection | None:
    names = {field.name for field in FIELDS_OF[document["type"]]}
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


def _refused_key(service: str, key: bytes | None) -> Rejection | None:
    if key is None or key == service.encode():
        return None
    shown = _shown(key.decode(errors="replace"))
    return Rejection(Reason.KEY_MISMATCH, f"the key is {shown}, the service {_shown(service)}")


def _record(document: Document, now: int) -> TelemetryRecord:
    """The record of a document in which every field was checked."""
    feed = None if document.get("source") is None else Feed(document["source"], document.get("sequence"))
    match document["type"]:
        case "tick":
            return Tick()
        case "catalogue":
            return CatalogueMarker(document["revision"], document["sha256"])
        case "change":
            at = _at(document, "at", now)
            return Change(document["service"], at, document["id"], document.get("summary"), feed)
        case "exclusion":
            return _exclusion(document, feed)
        case "counts" | "sample" | "state" | "history":
            return _measurement(document, now, feed)
        case unused:
            return _dependency(document, feed) if unused == "dependency" else Ignored(unused)


def _dependency(document: Document, feed: Feed | None) -> Dependency | Ignored:
    """Only Forewarn writes it; one that does not say what it should concerns nobody."""
    names = ("service", "dependency", "dedup_key", "state")
    service, dependency, dedup_key, state = told = [document.get(name) for name in names]
    at = read_instant(document["at"]) if isinstance(document.get("at"), str) else None
    if at is None or not all(isinstance(each, str) for each in told):
        return Ignored("dependency")
    return Dependency(service, at, dependency, dedup_key, state, feed)  # type: ignore[arg-type]


def _measurement(document: Document, now: int, feed: Feed | None) -> Measurement:
    get = document.get
    stream = (document["service"], document["signal"])
    if document["type"] == "history":
        from_at, to_at = _at(document, "from"), _at(document, "to")
        return History(*stream, from_at, to_at, document["good"], document["bad"], get("instance"), feed)
    at = _at(document, "at", now)
    if document["type"] == "counts":
        return Counts(*stream, at, document["good"], document["bad"], get("instance"), feed)
    if document["type"] == "sample":
        return Sample(*stream, at, float(document["value"]), get("instance"), feed)
    return State(*stream, at, document["up"], get("instance"), feed)


def _exclusion(document: Document, feed: Feed | None) -> Exclusion:
    get = document.get
    return Exclusion(
        document["service"],
        document["id"],
        _at(document, "from"),
        _at(document, "to"),
        Category(get("category") or Category.OTHER),
        Approval(get("status") or Approval.APPROVED),
        get("reason"),
        get("requested_by"),
        get("approved_by"),
        feed,
    )


def _at(document: Document, name: str, now: int | None = None) -> int:
    at = read_at(document[name])
    assert at is not None  # noqa: S101 — every instant was read before
    return at if now is None else min(at, now)


def _name_of(value: Any) -> str:
    names: dict[type, str] = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}
    return {**names, list: "a list", dict: "an object", type(None): "null"}[type(value)]


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else _number_text(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _number_text(value: float) -> str:
    if isinstance(value, int) and value.bit_length() > 64:  # noqa: PLR2004 — a number of hundreds of digits helps nobody
        return "beyond 64 bits"
    return repr(value)

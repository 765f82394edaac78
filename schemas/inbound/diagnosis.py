"""The whole reading of a telemetry record, with the exact reason when it is refused.

This is the reference: `glance` answers sooner for the records that are most of the traffic, and never differently.
"""

from __future__ import annotations

from typing import Final

from schemas.feed_fields import Unusable
from schemas.inbound.checks import Document, Table, feed_of, instant, object_of, refusal_of
from schemas.inbound.fields import FIELDS_OF, WITHOUT_SERVICE
from schemas.instants import read_instant
from schemas.orders import SERVICE_ORDERS, service_order
from sla.fold import Line
from sla.orders import ServiceOrder
from sla.records import (
    Approval,
    CatalogueMarker,
    Category,
    Change,
    ClockChange,
    Counts,
    Dependency,
    Exclusion,
    Feed,
    History,
    Ignored,
    Measurement,
    OpenClock,
    Rejection,
    Sample,
    State,
    TelemetryRecord,
    Tick,
)

_TABLE: Final = Table(FIELDS_OF, {kind: "service" for kind in FIELDS_OF if kind not in WITHOUT_SERVICE})


def diagnose(line: Line, now: int) -> TelemetryRecord | ServiceOrder | Rejection:
    """Decode one line of `sla.telemetry.v1`; `now` is the partition's log time after the line was read.

    An `at` ahead of `now` by up to 5 min becomes `now`.
    """
    document = object_of(line)
    if isinstance(document, Rejection):
        return document
    if document.get("type") in SERVICE_ORDERS:
        return _order(document, line.key)
    return refusal_of(document, line.key, now, _TABLE) or _record(document, now)


def _order(document: Document, key: bytes | None) -> ServiceOrder | Rejection:
    """What `route` wrote."""
    try:
        return service_order(document, key)
    except Unusable as unusable:
        return unusable.rejection


def _record(document: Document, now: int) -> TelemetryRecord:  # noqa: PLR0911 - one for each type
    """The record of a document in which every field was checked."""
    feed = feed_of(document)
    match document["type"]:
        case "tick":
            return Tick()
        case "catalogue":
            return CatalogueMarker(document["revision"], document["sha256"])
        case "change":
            at = instant(document, "at", now)
            return Change(document["service"], at, document["id"], document.get("summary"), feed)
        case "exclusion":
            return exclusion_of(document, feed)
        case "counts" | "sample" | "state" | "history":
            return _measurement(document, now, feed)
        case "clock":
            return _clock(document, now, feed)
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
        from_at, to_at = instant(document, "from"), instant(document, "to")
        return History(*stream, from_at, to_at, document["good"], document["bad"], get("instance"), feed)
    at = instant(document, "at", now)
    if document["type"] == "counts":
        return Counts(*stream, at, document["good"], document["bad"], get("instance"), feed)
    if document["type"] == "sample":
        return Sample(*stream, at, float(document["value"]), get("instance"), feed)
    return State(*stream, at, document["up"], get("instance"), feed)


def exclusion_of(document: Document, feed: Feed | None) -> Exclusion:
    """An exclusion that was checked."""
    get = document.get
    return Exclusion(
        document["service"],
        document["id"],
        instant(document, "from"),
        instant(document, "to"),
        Category(get("category") or Category.OTHER),
        Approval(get("status") or Approval.APPROVED),
        get("reason"),
        get("requested_by"),
        get("approved_by"),
        feed,
        get("command"),
        get("by"),
    )


def _clock(document: Document, now: int, feed: Feed | None) -> OpenClock:
    get = document.get
    return OpenClock(
        document["service"],
        document["objective"],
        document["ticket"],
        instant(document, "at", now),
        ClockChange(document["change"]),
        document["target_ms"],
        document["remaining_ms"],
        document["paused"],
        None if get("deadline") is None else instant(document, "deadline"),
        None if get("deadline_if_resumed_now") is None else instant(document, "deadline_if_resumed_now"),
        get("team"),
        get("priority"),
        get("outcome"),
        feed,
    )

"""The short way through a good record: counts, samples, states and ticks, which are nearly all of the traffic.

Answers only when sure. Whatever is unusual, refused or merely rare gets None and goes the long way (`diagnosis`).
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from schemas.inbound.checks import AHEAD_MOST_MS, are_plain_names
from schemas.inbound.fields import COUNT_LARGEST, NAME_MOST_CHARACTERS
from schemas.instants import read_rfc3339
from schemas.text import DEPTH_MOST_LEVELS, INTEGER_LARGEST, VALUE_LARGEST_BYTES, may_be_too_deep
from sla.fold import Line
from sla.records import Counts, Feed, Sample, State, Tick

_Head = tuple[str, str, int, str | None, Feed | None]  # service, signal, at, instance, feed

_REQUIRED_COUNT: Final = {"counts": 6, "sample": 5, "state": 5}
_TICK: Final = Tick()
_INF: Final = float("inf")


def glance(line: Line, now: int) -> Counts | Sample | State | Tick | None:
    """The record, when it is good and of a common kind; None when it must be looked at closely."""
    value = line.value
    if value is None or len(value) > VALUE_LARGEST_BYTES:
        return None
    if len(value) > DEPTH_MOST_LEVELS and may_be_too_deep(value):
        return None
    try:
        document = orjson.loads(value)
        kind = document["type"]
        if kind == "tick":
            return _TICK
        head = _head(document, line.key, now, _REQUIRED_COUNT[kind])
        return None if head is None else _measurement(kind, document, head)
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        # No JSON, no object, a field that is missing, a kind that is rare or no string.
        return None


def _measurement(kind: str, document: dict[str, Any], head: _Head) -> Counts | Sample | State | None:
    service, signal, at, instance, feed = head
    if kind == "counts":
        good, bad = document["good"], document["bad"]
        if type(good) is int and type(bad) is int and 0 <= good <= COUNT_LARGEST and 0 <= bad <= COUNT_LARGEST:
            return Counts(service, signal, at, good, bad, instance, feed)
        return None
    if kind == "sample":
        value = document["value"]
        if type(value) is float and -_INF < value < _INF:
            return Sample(service, signal, at, value, instance, feed)
        return Sample(service, signal, at, float(value), instance, feed) if type(value) is int else None
    up = document["up"]
    return State(service, signal, at, up, instance, feed) if type(up) is bool else None


def _head(document: dict[str, Any], key: bytes | None, now: int, required_count: int) -> _Head | None:
    """What all measurements share."""
    service, signal = document["service"], document["signal"]
    if not (are_plain_names(service, signal) and (key is None or key == service.encode())):
        return None
    at = document["at"]
    if type(at) is str:
        at = read_rfc3339(at)
    if type(at) is not int or at < 0:
        return None
    if at > now:
        if at - now > AHEAD_MOST_MS:
            return None
        at = now
    if len(document) == required_count:
        return service, signal, at, None, None
    return _with_optional(document, service, signal, at)


def _with_optional(document: dict[str, Any], service: str, signal: str, at: int) -> _Head | None:
    get = document.get
    instance, source, sequence, traceparent = get("instance"), get("source"), get("sequence"), get("traceparent")
    if instance is not None and not (
        type(instance) is str and 0 < len(instance) <= NAME_MOST_CHARACTERS and instance.isprintable()
    ):
        return None
    if sequence is not None and not (type(sequence) is int and 0 <= sequence <= INTEGER_LARGEST):
        return None
    if traceparent is not None and type(traceparent) is not str:
        return None
    if source is None:
        return service, signal, at, instance, None
    if type(source) is not str:
        return None
    return service, signal, at, instance, Feed(source, sequence)

"""Does a record belong to the partition it is in? A pure decision, on raw bytes.

librdkafka's clients hash keys differently by default. What is in the wrong partition is sent on once, with the feed's
`source` and `sequence` (design.md 2), so that sending it twice counts it once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from sla.fold import Line
from sla.partitioner import partition_of

FORWARDED: Final = "forewarn-forwarded"  # header: topic/partition/offset that the record was found at
PLACES_PER_RECORD: Final = 1 << 20  # a feed's sequence is offset * this + place (design.md 2)

# A tick or a marker is far shorter; what is longer is data, and need not be looked into.
_OWN_VALUE_MAX: Final = 256

Partitioner = Callable[[bytes, int], int]

hashed: Final[Partitioner] = lru_cache(maxsize=1 << 16)(partition_of)
"""Most keys that come, and that go, are those of a minute ago."""


class Forward(NamedTuple):
    """A record to send on: where to, and as what."""

    partition: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


class Marker(NamedTuple):
    """A catalogue marker's claim: from here on, this revision."""

    revision: int
    sha256: str


def own_type(line: Line) -> str | None:
    """`tick` or `catalogue` for what a partition's owner writes into it, None for data."""
    if line.key or line.value is None or len(line.value) > _OWN_VALUE_MAX:
        return None
    if b'"tick"' not in line.value and b'"catalogue"' not in line.value:
        return None
    kind = _object(line.value).get("type")
    return kind if kind in {"tick", "catalogue"} else None


def marker(line: Line) -> Marker | None:
    """The revision a marker asks for; None when the line is no marker that could be followed."""
    if own_type(line) != "catalogue":
        return None
    body = _object(line.value or b"")
    revision, sha256 = body.get("revision"), body.get("sha256")
    if type(revision) is int and isinstance(sha256, str):
        return Marker(revision, sha256)
    return None


class Place(NamedTuple):
    """Where a log is read: which topic, how many partitions, and which field of a body repeats the key."""

    topic: str
    partitions_count: int
    key_field: str
    partition_of: Partitioner


def misplaced(place: Place, partition: int, line: Line) -> Forward | None:
    """The record as it goes to its right partition; None when it is to be stepped here.

    Stepped here are: what is in the right partition; ticks and markers; what was sent on before; and what is no JSON
    object with a key, for it is a dead letter wherever it lies.
    """
    if line.key and place.partition_of(line.key, place.partitions_count) == partition:
        return None
    if line.value is None or any(name == FORWARDED for name, _ in line.headers):
        return None
    if not line.key and own_type(line) is not None:
        return None
    body = _object(line.value)
    key = line.key or _key_of(body, place.key_field)
    if not body or not key:
        return None
    right = place.partition_of(key, place.partitions_count)
    if right == partition:
        return None
    found_at = f"{place.topic}/{partition}/{line.offset}".encode()
    value = line.value if _deduped(body) else _with_feed(line.value, place.topic, partition, line.offset)
    return Forward(right, key, value, (*line.headers, (FORWARDED, found_at)))


def _object(value: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _key_of(body: dict[str, Any], field: str) -> bytes:
    name = body.get(field)
    return name.encode() if isinstance(name, str) else b""


def _deduped(body: dict[str, Any]) -> bool:
    return isinstance(body.get("source"), str) and type(body.get("sequence")) is int


def _with_feed(value: bytes, topic: str, partition: int, offset: int) -> bytes:
    # Appended to the text, so that every number stays as it was written; of a duplicated key the last counts.
    feed = orjson.dumps({"source": f"forewarn:{topic}/{partition}", "sequence": offset * PLACES_PER_RECORD})
    return value.rstrip()[:-1] + b"," + feed[1:]

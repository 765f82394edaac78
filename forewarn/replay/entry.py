"""One line of a replay's input: `{"topic","key","value","timestamp"[,"partition","offset","timestamp_type"]}`."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from forewarn.replay.span import split
from schemas.text import is_too_deep, may_be_too_deep
from sla.units import LOG_LATEST_AT

Headers = tuple[tuple[str, bytes], ...]

_MISSING: Final = object()
_PLAIN_FIELDS_COUNT: Final = 4
_OFFSET_LARGEST: Final = 2**63 - 1
_EXACT_BELOW: Final = float(2**63)


class Entry(NamedTuple):
    """A record of the input. `value` is its bytes, or the object to write as JSON, or None for a tombstone."""

    topic: str
    partition: int
    offset: int | None
    key: bytes | None
    value: bytes | dict[str, Any] | None
    timestamp: int
    is_appended: bool = True  # False: stamped by its producer
    headers: Headers = ()

    @property
    def raw_value(self) -> bytes | None:
        """The record's bytes."""
        value = self.value
        return orjson.dumps(value) if isinstance(value, dict) else value


_plain_entry: Final = partial(tuple.__new__, Entry)  # the constructor, without its call per line


def read_entry(raw: bytes) -> Entry | None:
    """The record that a line holds, or None when the line is no such object."""
    if may_be_too_deep(raw) and is_too_deep(raw):
        return _read_closely(raw)
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # It may still hold a record whose form is to be judged by its fold: 1e999, for one.
        return _read_closely(raw)
    value = document.get("value") if type(document) is dict else None
    if type(value) is not dict:
        return _entry(document, _bytes_of(document)) if type(document) is dict else None
    if float in map(type, value.values()) and not _survives(value):
        return _read_closely(raw)
    if len(document) == _PLAIN_FIELDS_COUNT:
        topic, key, timestamp = document.get("topic"), document.get("key"), document.get("timestamp")
        if type(topic) is str and type(key) is str and type(timestamp) is int and 0 <= timestamp <= LOG_LATEST_AT:
            return _plain_entry((topic, 0, None, key.encode(), value, timestamp, True, ()))
    return _entry(document, value)


def _survives(value: dict[str, Any]) -> bool:
    """Whether no float among the fields was an integer beyond 64 bits before it was parsed."""
    return all(abs(each) < _EXACT_BELOW for each in value.values() if type(each) is float)


def _read_closely(raw: bytes) -> Entry | None:
    members = split(raw)
    if members is None:
        return None
    document, span = members
    return _entry(document, span if span is not None else _bytes_of(document))


def _bytes_of(document: Mapping[str, Any]) -> Any:
    """The record's bytes where `value` is no object; `_MISSING` where there is no record."""
    encoded = document.get("value_base64")
    if encoded is not None:
        return _from_base64(encoded)
    value = document.get("value", _MISSING)
    if value is None or value is _MISSING:
        return value
    return value.encode() if type(value) is str else orjson.dumps(value)


def _entry(document: Mapping[str, Any], value: Any) -> Entry | None:
    get = document.get
    topic, timestamp = get("topic"), get("timestamp")
    key, partition, offset = get("key"), get("partition"), get("offset")
    headers = _headers(get("headers"))
    stamped = get("timestamp_type")
    if not (
        type(topic) is str
        and type(timestamp) is int
        and 0 <= timestamp <= LOG_LATEST_AT
        and (key is None or type(key) is str)
        and value is not _MISSING
        and headers is not None
        and stamped in (None, "append", "create")
        and _is_count(partition)
        and _is_count(offset)
    ):
        return None
    key_bytes = key.encode() if key is not None else _key_bytes(get("key_base64"))
    return Entry(topic, partition or 0, offset, key_bytes, value, timestamp, stamped != "create", headers)


def _is_count(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value <= _OFFSET_LARGEST)


def _key_bytes(encoded: Any) -> bytes | None:
    """The key of a recorded topic that is no text, see `forewarn.replay.recording`."""
    key = None if encoded is None else _from_base64(encoded)
    return key if isinstance(key, bytes) else None


def _headers(pairs: Any) -> Headers | None:
    if pairs is None:
        return ()
    if type(pairs) is not list:
        return None
    found = []
    for pair in pairs:
        if type(pair) is not list or [type(part) for part in pair] != [str, str]:
            return None
        content = _from_base64(pair[1])
        if content is _MISSING:
            return None
        found.append((pair[0], content))
    return tuple(found)


def _from_base64(encoded: Any) -> Any:
    if type(encoded) is not str:
        return _MISSING
    try:
        return b64decode(encoded, validate=True)
    except ValueError:
        return _MISSING

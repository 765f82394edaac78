"""The shortest way, for most of the traffic: the value of a counts record that has its six fields and no other.

What it takes `glance` takes as well, and reads alike, but for the names: whether they are fit for a service and a
signal is left open, since whoever knows them already need not check them again.
"""

from __future__ import annotations

from typing import Final

import orjson

from schemas.inbound.fields import COUNT_LARGEST
from schemas.instants import read_rfc3339
from schemas.text import DEPTH_MOST_LEVELS, VALUE_LARGEST_BYTES, may_be_too_deep

_FIELDS_COUNT: Final = 6


def read_plain_counts(value: bytes | None) -> tuple[str, str, int, int, int] | None:
    """Service, signal, at, good, bad; see `sla.fold.ReadPlain`."""
    if value is None or (
        len(value) > DEPTH_MOST_LEVELS and (len(value) > VALUE_LARGEST_BYTES or may_be_too_deep(value))
    ):
        return None
    try:
        document = orjson.loads(value)
        if len(document) != _FIELDS_COUNT or document["type"] != "counts":
            return None
        service, signal, at = document["service"], document["signal"], document["at"]
        good, bad = document["good"], document["bad"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return None
    if type(at) is str:
        at = read_rfc3339(at)
    if (
        type(good) is int
        and type(bad) is int
        and type(at) is int
        and 0 <= good <= COUNT_LARGEST
        and 0 <= bad <= COUNT_LARGEST
        and type(service) is str
        and type(signal) is str
    ):
        return service, signal, at, good, bad
    return None

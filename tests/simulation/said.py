"""What workers published, as a consumer keeps it: repeats are dropped, and order holds within a stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import orjson

from schemas.topics import ALERTS, CATALOGUE, CLOCKS, NOTICES, SHADOW_ALERTS, STATUS
from tests.simulation.outcome import Outcome

Said = tuple[str, str | None, bytes]
"""Topic, key, the bytes on the wire."""

Stream = tuple[str, str | None, str]
"""Topic, key, and the partition whose fold said it."""

_EVENTS = frozenset({ALERTS.name, CLOCKS.name, SHADOW_ALERTS.name, STATUS.name})


def said(outcome: Outcome) -> list[tuple[int, Said]]:
    """What the workers published, repeats and all, each with its place among all that happened."""
    found = [
        (record.order, (topic, None if record.key is None else record.key.decode(), record.value or b""))
        for (topic, _), log in outcome.logs.items()
        if topic not in (outcome.story.source, CATALOGUE.name, NOTICES.name)
        for record in log
    ]
    found += [
        (record.order, (NOTICES.name, record.key.decode(), record.value or b""))
        for (topic, _), log in outcome.logs.items()
        if topic == NOTICES.name
        for record in log
        if record.key is not None
    ]
    return sorted(found)


def by_key(emissions: Iterable[Said]) -> dict[Stream, list[bytes]]:
    """By topic, key and origin, as a consumer keeps them: what it has seen before is dropped.

    The origin is the partition whose fold said it: what two partitions say under one key has no order.
    """
    kept: defaultdict[Stream, list[bytes]] = defaultdict(list)
    for each in dict.fromkeys(emissions):
        kept[stream_of(each)].append(each[2])
    return kept


def stream_of(each: Said) -> Stream:
    """Where an emission stands in line."""
    topic, key, value = each
    if topic in _EVENTS:
        return topic, key, ""
    body = orjson.loads(value)
    if key is None and "topic" in body:  # a dead letter may go to any partition: only what is said has an order
        return topic, key, f"{body['topic']}/{body['partition']}/{body['offset']}"
    source = body.get("source")
    if isinstance(source, dict):  # the record of an alert
        return topic, key, f"{source['topic']}/{source['partition']}"
    origin = f"{body['topic']}/{body['partition']}" if "topic" in body else source
    return topic, key, "" if origin is None else origin

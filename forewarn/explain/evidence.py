"""Finding an event and the record of its decision: in a file, or on the topics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from forewarn.connection import kafka_config
from forewarn.console import UserError, progress
from forewarn.event_file import event_in
from forewarn.kafka import follow
from forewarn.replay.files import opened
from sla.events import ALERTS, CLOCKS, RECORDS, SHADOW

_TOPICS: Final = (ALERTS, CLOCKS, SHADOW, RECORDS)
_ID: Final = re.compile(r"[0-9a-f]{32}")


class Evidence(NamedTuple):
    """An event; the record that holds the inputs of its decision, None where none was kept."""

    event: dict[str, Any]
    record: Mapping[str, Any] | None


def evidence_of(asked: str, source: str | None) -> Evidence:
    """That of an event id, or of a file with one event.

    `source` is what `forewarn replay` or `tail --json` printed; None asks the broker.
    """
    event = None if _ID.fullmatch(asked) else event_in(asked)
    event_id = asked if event is None else event.get("id")
    record: Mapping[str, Any] | None = None
    for topic, value in _lines(source):
        if topic == RECORDS and value.get("event_id") == event_id:
            record = value
        elif topic != RECORDS and value.get("id") == event_id:
            event = dict(value)
        if event is not None and record is not None:
            break
    if event is None:
        where = "on the topics" if source is None else f"in {source}"
        raise UserError(f"no event {asked} is {where}", "an id has 32 characters; forewarn tail --json prints it")
    return Evidence(event, record)


def _lines(source: str | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Topic and value of each record that may matter."""
    if source is not None:
        with opened(source) as file:
            yield from _of_file(source, file)
        return
    with progress("reading the topics"):
        for record in follow(kafka_config(), _TOPICS, from_beginning=True, until_end=True):
            value = _parsed(record.value or b"null")
            if isinstance(value, Mapping):
                yield record.topic, value


def _of_file(name: str, lines: Iterable[bytes]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(lines, 1):
        body = _parsed(line)
        if not isinstance(body, Mapping) or "topic" not in body:
            raise UserError(f'{name}:{number} is no JSON object with a "topic"', "give what forewarn replay printed")
        if body["topic"] in _TOPICS and isinstance(body.get("value"), Mapping):
            yield body["topic"], body["value"]


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None

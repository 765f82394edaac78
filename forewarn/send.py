"""One record by hand: built from options, checked by the decoder that the workers use, then written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from forewarn.console import UserError
from forewarn.kafka import Config, Position, Record, partitions_of, write
from schemas.commands import decode_command
from schemas.inbound import decode_telemetry, decode_tickets
from schemas.topics import COMMANDS, TELEMETRY, TICKETS
from sla.fold import Line
from sla.records import Rejection


def record_of(body: Mapping[str, Any], now: int) -> Record:
    """The record as it will be written, without options that were not given; a `UserError` if it could not be used."""
    value = {name: field for name, field in body.items() if field is not None}
    is_ticket = value["type"] == "ticket"
    topic, key = (TICKETS, str(value["ticket"])) if is_ticket else (TELEMETRY, str(value["service"]))
    raw = _encoded(value)
    line = Line(0, key.encode(), raw, now, now)
    verdict = decode_tickets(line, now) if is_ticket else decode_telemetry(line, now)
    if isinstance(verdict, Rejection):
        raise UserError(f"this record would be rejected: {verdict.detail}", f"reason: {verdict.reason}")
    return Record(topic.name, key, raw)


def command_of(body: Mapping[str, Any], now: int) -> Record:
    """A command as it will be written, keyed by its id; a `UserError` if it would be refused for what it says."""
    raw, key = _encoded(body), str(body["id"])
    verdict = decode_command(Line(0, key.encode(), raw, now, now), now)
    if isinstance(verdict, Rejection):
        raise UserError(f"this command would be refused: {verdict.detail}", f"reason: {verdict.reason}")
    return Record(COMMANDS.name, key, raw)


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:  # a number beyond 64 bits, half of a character
        raise UserError(f"this cannot be written as JSON: {error}", "give smaller numbers and whole text") from None


def send(config: Config, record: Record) -> Position:
    """Write one record and say where it went."""
    partitions_of(config, [record.topic])
    return write(config, [record])[0]

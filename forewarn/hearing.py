"""`forewarn route EVENT_FILE`: who would be told of an event, when, by what, and why the others would not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

from forewarn.apply import read_log
from forewarn.connection import kafka_config
from forewarn.console import Console, ExitCode, UserError, progress, table, warn
from forewarn.diff.difference import in_force
from schemas.definitions import load
from schemas.instants import read_instant
from sla.audience import agreement_ref
from sla.catalogue import Catalogue
from sla.events import EventData
from sla.prospect import Hearing, hearings
from sla.units import rfc3339
from sla.wording import event_name, subject_of

_HEAD = ("stakeholder", "told", "when", "by", "why")


def route(event_file: str, definitions: Sequence[Path], at: str | None, console: Console) -> ExitCode:
    """Print a row per stakeholder; 1 if nobody would be told."""
    event = _event(event_file)
    catalogue = _catalogue(definitions)
    instant = _at(at, event)
    found = hearings(catalogue, event_name(event), _data(event, catalogue), event, instant)
    rows = list(_rows(found))
    console.say(f"{subject_of(event)}, as if it happened at {rfc3339(instant)}")
    for each in found if console.as_json else ():
        console.record(_json(each), "")
    for line in table(_HEAD, rows) if rows else ():
        console.say(line)
    if not any(each.is_told for each in found):
        console.say("nobody would be told: name a stakeholder that watches it, or one that bears its owner's name")
        return ExitCode.FINDING
    return ExitCode.FINE


def _event(path: str) -> dict[str, Any]:
    """A CloudEvent, or a line of `forewarn replay` or `tail --json` that holds one."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        document = orjson.loads(raw)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "name a file that holds one event, or -") from None
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path} is not JSON: {error}", "one event, as forewarn tail --json prints it") from None
    event = document.get("value") if isinstance(document, dict) and "value" in document else document
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(data, dict) or not isinstance(event.get("type"), str):
        raise UserError(f"{path} holds no event", 'an event has at least "type" and "data"')
    for name in ("service", "severity"):
        if not isinstance(data.get(name), str):
            raise UserError(f"{path}: data.{name} is missing", "an event names its service and severity")
    return event


def _catalogue(definitions: Sequence[Path]) -> Catalogue:
    if not definitions:
        with progress("reading the catalogue"):
            return in_force(read_log(kafka_config())).catalogue
    loaded = load(definitions)
    if loaded.catalogue is None:
        for finding in loaded.findings:
            warn(str(finding))
        raise UserError("the definitions have errors", "correct them; forewarn lint shows them", ExitCode.FINDING)
    return loaded.catalogue


def _at(text: str | None, event: dict[str, Any]) -> int:
    said = text if text is not None else event.get("time")
    found = read_instant(int(said) if isinstance(said, str) and said.isascii() and said.isdigit() else said or "")
    if found is None:
        raise UserError(f"{said!r} is not an instant", "write --at 2026-11-23T10:00:00Z")
    return found


def _data(event: dict[str, Any], catalogue: Catalogue) -> EventData:
    """The event's data; what a hand-written one leaves out is taken from the definitions."""
    data = event["data"]
    objective = data.get("objective")
    name = objective.get("name") if isinstance(objective, dict) else None
    service = catalogue.services.get(data["service"])
    usual = {
        "agreements": [agreement_ref(each) for each in catalogue.agreements_of(name or "")],
        "owner": service.owner if service is not None else None,
        "flags": {"historic": False},
    }
    for field, value in usual.items():
        if data.get(field) is None:
            data[field] = value
    return cast("EventData", data)


def _rows(found: Sequence[Hearing]) -> Iterator[tuple[str, ...]]:
    for each in found:
        when = "–" if each.at is None else rfc3339(each.at)
        channels = ", ".join(channel.kind for channel in each.channels) or "–"
        yield each.stakeholder.name, "yes" if each.is_told else "no", when, channels, each.why


def _json(hearing: Hearing) -> dict[str, Any]:
    return {
        "stakeholder": hearing.stakeholder.name,
        "audience": hearing.stakeholder.audience,
        "told": hearing.is_told,
        "at": None if hearing.at is None else rfc3339(hearing.at),
        "channels": [channel.kind for channel in hearing.channels],
        "why": hearing.why,
    }

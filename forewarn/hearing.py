"""`forewarn route EVENT_FILE`: who would be told of an event, when, by what, and why the others would not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from forewarn.console import Console, ExitCode, UserError, table
from forewarn.event_file import catalogue_of, event_in
from schemas.instants import read_instant
from sla.audience import agreement_ref, why_nobody
from sla.catalogue import Catalogue
from sla.events import EventData
from sla.prospect import Hearing, hearings
from sla.units import rfc3339
from sla.wording import event_name, subject_of

_HEAD = ("stakeholder", "told", "when", "by", "why")


def route(event_file: str, definitions: Sequence[Path], at: str | None, console: Console) -> ExitCode:
    """Print a row per stakeholder; 1 if nobody would be told."""
    event = event_in(event_file)
    catalogue = catalogue_of(definitions)
    instant = _at(at, event)
    name, data = event_name(event), _data(event, catalogue)
    found = hearings(catalogue, name, data, event, instant)
    rows = list(_rows(found))
    console.say(f"{subject_of(event)}, as if it happened at {rfc3339(instant)}")
    for each in found if console.as_json else ():
        console.record(_json(each), "")
    for line in table(_HEAD, rows) if rows else ():
        console.say(line)
    if any(each.is_told for each in found):
        return ExitCode.FINE
    why = why_nobody(catalogue, name, data)
    dropped = "" if why is None else f": {why}. That is put on record as dropped, on sla.deliveries.v1"
    console.say(f"nobody would be told{dropped}")
    console.say("name a stakeholder that watches it, or one that bears its owner's name")
    return ExitCode.FINDING


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

"""A clock's event worked out: every stretch of time with its reason, and the sum of what counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from forewarn.apply import read_log
from forewarn.connection import kafka_config
from forewarn.console import UserError, progress
from forewarn.event_file import catalogue_of
from forewarn.explain.evidence import Evidence
from schemas.instants import read_instant
from sla.catalogue import Catalogue
from sla.clock.reckoning import Kind, Piece, Uncounted, reckoned
from sla.ticket_objective import TicketObjective


class Summed(NamedTuple):
    """The beginning of a clock with very many pauses: what counted of [start, end), and how many there were."""

    start: int
    end: int
    counted_ms: int
    pauses_count: int

    @property
    def why(self) -> str:
        """What it stands for."""
        return f"counted of it, between {self.pauses_count} pauses that are too many to list"


class Account(NamedTuple):
    """`counted_ms` is the sum, `said_ms` what the event carries; `notes` tell what else must be known."""

    objective: TicketObjective
    carried_ms: int
    summed: Summed | None
    pieces: Sequence[Piece]
    said_ms: int
    notes: Sequence[str]

    @property
    def counted_ms(self) -> int:
        """What was carried over, and what counts since."""
        summed_ms = 0 if self.summed is None else self.summed.counted_ms
        return self.carried_ms + summed_ms + sum(piece.counted_ms for piece in self.pieces)


def account_of(found: Evidence, definitions: Sequence[Path]) -> Account:
    """The account of a clock's event; a `UserError` where the definitions or the record do not bear it."""
    data, record = found.event["data"], found.record
    if record is None:
        raise UserError(
            f"no record of event {found.event.get('id')} was found",
            "give --input with the records that replay printed beside it; a clock that has just started has none",
        )
    objective = _objective(data["service"], record, definitions)
    clock = record["inputs"]["clock"]
    said_ms = record["inputs"]["ticket"]["elapsed_ms"]
    if clock is None:
        return Account(objective, 0, None, (), said_ms, ("this clock has turned out never to have been",))
    at, summed = _at(record["at"]), _summed(clock)
    start = _at(clock["counted_from"]) if summed is None else summed.end
    pieces = reckoned(objective.working_time, start, at, _uncounted(objective, clock, data, at)) if start < at else ()
    return Account(objective, clock["carried_ms"], summed, pieces, said_ms, tuple(_notes(objective, clock)))


def _summed(clock: Mapping[str, Any]) -> Summed | None:
    found = clock.get("summed")
    if found is None:
        return None
    return Summed(_at(clock["counted_from"]), _at(found["to"]), found["counted_ms"], found["pauses_count"])


def _objective(service: str, record: Mapping[str, Any], definitions: Sequence[Path]) -> TicketObjective:
    """As it was defined when the event was decided."""
    definition = record["definition"]
    catalogue = catalogue_of(definitions) if definitions else _of_revision(record["revision"])
    name = definition["name"]
    objective = next((each for each in catalogue.of_tickets(service) if each.name == name), None)
    if objective is None:
        raise UserError(f"no TicketObjective {name} of {service} is defined", "name the files it is in: --definitions")
    kind = "timer" if objective.pauses_move_deadline else "deadline"
    present = {"target_ms": objective.target_ms, "calendar": objective.calendar, "type": kind}
    for field, value in present.items():
        if definition[field] != value:
            raise UserError(
                f"{name} is defined with {field} {value}, and was with {definition[field]} when this was decided",
                "give the definitions of that time, or ask the broker, which keeps them",
            )
    return objective


def _of_revision(revision: int) -> Catalogue:
    with progress("reading the catalogue"):
        found = read_log(kafka_config()).revision(revision)
    if found is None:
        raise UserError(f"the catalogue does not hold revision {revision}", "give the files of then: --definitions")
    return found


def _uncounted(
    objective: TicketObjective, clock: Mapping[str, Any], data: Mapping[str, Any], at: int
) -> list[Uncounted]:
    named = {(each["from"], each["to"]): each for each in data.get("exclusions") or ()}
    found = [
        Uncounted(_at(start), _at(end), Kind.EXCLUDED, _exclusion(named.get((start, end))))
        for start, end in clock["exclusions"]
    ]
    found += [Uncounted(_at(a), _at(b), Kind.ENDED, "resolved, then reopened") for a, b in clock["gaps"]]
    if objective.pauses_move_deadline:
        found += [Uncounted(_at(a), _at(b), Kind.PAUSED, "paused by its condition") for a, b in clock["pauses"]]
        if clock["paused_at"] is not None:
            found.append(Uncounted(_at(clock["paused_at"]), at, Kind.PAUSED, "paused by its condition, and still so"))
    return found


def _exclusion(known: Mapping[str, Any] | None) -> str:
    if known is None:
        return "exclusion"
    reason = f": {known['reason']}" if known.get("reason") else ""
    return f"exclusion {known['id']} ({known['category']}){reason}"


def _notes(objective: TicketObjective, clock: Mapping[str, Any]) -> list[str]:
    notes = []
    if clock["replaces"] is not None:
        notes.append(f"it took over from the clock of {clock['replaces']}")
    is_paused = clock["pauses"] or clock["paused_at"] is not None or (clock.get("summed") or {}).get("pauses_count")
    if not objective.pauses_move_deadline and is_paused:
        notes.append("it was paused, but `type: deadline` counts pauses")
    return notes


def _at(text: str) -> int:
    found = read_instant(text)
    if found is None:
        raise UserError(f"{text!r} in the record is not an instant", "give the record as Forewarn wrote it")
    return found

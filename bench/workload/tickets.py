"""Tickets with ten events each, whose clocks run on for weeks, and the fold of tickets fed from memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from agents.changelog import Writing, atoms_of
from bench.workload.instants import START_AT
from schemas.dead_letter import dead_letter
from schemas.definitions import load_documents
from schemas.inbound import decode_tickets
from schemas.topics import TICKETS
from sla.catalogue import Catalogue
from sla.clock import Clock
from sla.fold import Emission, Line
from sla.units import MINUTE_MS, SECOND_MS, rfc3339

SERVICE: Final = "service-00000"
FIRST: Final = "INC-0000000"
ROUND_MS: Final = 20 * MINUTE_MS  # between two events of one ticket
TICK: Final = b'{"type":"tick"}'

_OFFICE: Final = {"timezone": "Europe/Berlin", "hours": {"mon-fri": ["08:00-18:00"]}}
_COMMON: Final = {"service": SERVICE, "metric": "resolution", "stop": {"state": ["resolved", "closed"]}}
_SLOW: Final = {
    **_COMMON,
    "target": "400h",
    "calendar": "office",
    "when": {"priority": ["P2"]},
    "pause": {"state": ["pending"]},
}
_QUICK: Final = {**_COMMON, "target": "1h", "when": {"priority": ["P1"]}, "warnAt": "none", "grace": "0s"}

EVENTS: Final[tuple[dict[str, Any], ...]] = (
    {"event": "created", "by": "customer", "fields": {"priority": "P2", "state": "new", "team": "core"}},
    {"event": "reply", "by": "agent"},
    {"event": "updated", "fields": {"state": "open", "team": "network"}},
    {"event": "updated", "fields": {"state": "pending"}},
    {"event": "reply", "by": "customer"},
    {"event": "updated", "fields": {"state": "open"}},
    {"event": "updated", "fields": {"team": "database"}},
    {"event": "updated", "fields": {"state": "pending"}},
    {"event": "updated", "fields": {"state": "open"}},
    {"event": "reply", "by": "agent"},
)


def documents() -> list[dict[str, Any]]:
    """A promise of weeks for P2 in office hours, one of an hour for P1."""
    kinds = (("Calendar", "office", _OFFICE), ("TicketObjective", "slow", _SLOW), ("TicketObjective", "quick", _QUICK))
    return [
        {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        for kind, name, spec in kinds
    ]


def catalogue() -> Catalogue:
    """These in force."""
    loaded = load_documents(documents())
    if loaded.catalogue is None:
        raise RuntimeError(f"the definitions are refused: {loaded.findings[0]}")
    return loaded.catalogue


def ticket_of(number: int) -> str:
    """Its id."""
    return f"INC-{number:07d}"


def event_of(ticket: str, event: dict[str, Any], at: int) -> bytes:
    """The record of one event."""
    return orjson.dumps({"type": "ticket", "ticket": ticket, "service": SERVICE, "at": rfc3339(at), **event})


def rounds(tickets_count: int, began_at: int = START_AT) -> Iterator[tuple[str, bytes, int]]:
    """Key, value and instant of all events of so many tickets: the first of each, then the second of each."""
    spacing_us = ROUND_MS * 1000 // tickets_count
    for place, event in enumerate(EVENTS):
        for number in range(tickets_count):
            at = began_at + place * ROUND_MS + number * spacing_us // 1000
            yield ticket_of(number), event_of(ticket_of(number), event, at), at


class Office:
    """The fold of one partition of tickets."""

    def __init__(self, followed: Catalogue, now: int = START_AT, offset: int = 0) -> None:
        """That follows a catalogue, and goes on at `now` and `offset`."""
        self.fold = Clock(
            TICKETS.name,
            0,
            cluster="bench",
            decode=decode_tickets,
            dead_letter=dead_letter,
            catalogue_reader=lambda _revision, _sha256: followed,
            base=followed,
        )
        self.now = now
        self.offset = offset

    def step(self, key: str | None, value: bytes) -> list[Emission]:
        """One record, now; what was said."""
        line = Line(self.offset, None if key is None else key.encode(), value, self.now, self.now)
        self.offset += 1
        return self.fold.step(line)

    def tick(self, after_ms: int = SECOND_MS) -> list[Emission]:
        """Let time pass by a tick."""
        self.now += after_ms
        return self.step(None, TICK)


class OpenTickets:
    """Open tickets, without the events of each: what is written of one is written of the others under their ids."""

    def __init__(self, followed: Catalogue) -> None:
        """Plays the ten events of one ticket."""
        office = Office(followed)
        office.step(None, TICK)
        for _, value, at in rounds(1):
            office.now = at
            office.step(FIRST, value)
        office.tick()
        self._catalogue = followed
        self._writing = Writing()
        self._writing.add(office.fold.take_dirty())
        self.now, self.offset = office.now, office.offset

    def records(self, tickets_count: int, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """The changelog's records of so many tickets, the partition's own head last."""
        heads = [(key, value) for key, value in self._writing.heads.items() if value is not None]
        first = FIRST.encode()
        for number in range(tickets_count):
            name = ticket_of(number).encode()
            for key, value in heads:
                if first in key:
                    yield key.replace(first, name), value.replace(first, name)
        yield f"partition/{partition}".encode(), heads[-1][1]

    def office(self, records: Mapping[bytes, bytes]) -> Office:
        """A fold that goes on from what a changelog holds."""
        office = Office(self._catalogue, self.now, self.offset)
        office.fold.load(atoms_of(records))
        return office

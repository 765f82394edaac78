"""What a partition remembers, and how it gets into the table and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sla.catalogue import Catalogue
from sla.clock.agenda import Agenda
from sla.clock.codec import SHAPE, SHAPES_READ, ticket_from_json, ticket_to_json
from sla.clock.excluded import ServiceExclusions
from sla.clock.history import Pool
from sla.clock.resting import Resting
from sla.clock.ticket import TicketAtom
from sla.dedup import encoded
from sla.exclusions import InForce
from sla.facts_by_service import FactsByService
from sla.fold import AtomState, CatalogueReader, Json, Offset, UnknownRevision
from sla.sealed import UnknownShape
from sla.silences import Silences
from sla.storm import DeadLetterRow

HEAD: Final = "partition"
TICKET: Final = "ticket"
UNNAMED_MAX: Final = 1_000
_NONE: Final = InForce()


class Memory:
    """The atoms of one partition, and which of them changed since they were last taken."""

    def __init__(self, number: int, base: Catalogue) -> None:
        self._number = number
        self.catalogue = base
        self.since: dict[str, int] = {}  # objectives that came with a later revision: the offset of its marker
        self.now: int | None = None
        self.tickets: dict[str, TicketAtom] = {}  # that live
        self.resting = Resting()
        self.pool = Pool()
        self.importing: set[str] = set()  # tickets whose clocks run silently until the next decision
        self.agenda = Agenda()
        self.silences = Silences()
        self.sequences: dict[str, int] = {}  # of feeds of orders, by source
        self.row = DeadLetterRow()
        self.unnamed: dict[str, int] = {}
        self.dirty: set[str] = set()
        self.awake: set[str] = set()  # tickets whose story was asked for since the table was last written
        self._drowsy: set[str] = set()  # … before that, and whose story may still be there
        self.facts = FactsByService(ServiceExclusions)

    def switch(self, catalogue: Catalogue, offset: int) -> None:
        """Another revision is in force from an offset on."""
        before = self.catalogue.ticket_promises.names
        self.since = {
            name: offset if name not in before else self.since[name]
            for name in sorted(catalogue.ticket_promises.names)
            if name not in before or name in self.since
        }
        self.catalogue = catalogue

    def ticket_of(self, name: str) -> TicketAtom:
        """A ticket, a new one at first; one that rested lives again."""
        ticket = self.tickets.get(name)
        if ticket is None:
            ticket = self.tickets[name] = self.resting.wake(name, self.pool) or TicketAtom(name)
        return ticket

    def let_go(self, ticket: TicketAtom) -> None:
        """After an event of which nothing came: a ticket that rested rests on, and one that was none is none."""
        if len(ticket.history):
            return
        del self.tickets[ticket.id]
        if ticket.base is not None or ticket.stored_base is not None:
            self.resting.lay(ticket)

    def exclusions(self, service: str, offset: int) -> InForce:
        """The exclusions of a service in force at an offset."""
        told = self.facts.known.get(service)
        return _NONE if told is None else told.at(offset)

    def count_unnamed(self, service: str) -> None:
        """A ticket of a service that no definition names is accepted and counted."""
        if not self.catalogue.of_tickets(service) and (service in self.unnamed or len(self.unnamed) < UNNAMED_MAX):
            self.unnamed[service] = self.unnamed.get(service, 0) + 1

    # -- the table

    def changes(self, offset: Offset) -> Iterator[AtomState]:
        """The own head, then the entries that changed: facts before the tickets that know them."""
        tickets = sorted(self.dirty)
        yield AtomState(f"{HEAD}/{self._number}", offset(), self._head_to_json())
        yield from self.facts.changes(offset)
        for name in tickets:
            yield from self.facts.changes(offset)
            self.dirty.discard(name)
            yield AtomState(f"{TICKET}/{encoded(name)}", offset(), self._ticket_to_json(name))
        self._let_idle_go()

    def _head_to_json(self) -> Json:
        return {
            "shape": SHAPE,
            "now": self.now,
            "revision": self.catalogue.revision,
            "sha256": self.catalogue.sha256,
            "since": self.since,
            "row": [self.row.count, self.row.since_at],
            "unnamed": self.unnamed,
            "silences": self.silences.to_json(),
            "heard": self.silences.heard,
            "sequences": self.sequences,
        }

    def _ticket_to_json(self, name: str) -> dict[str, Any]:
        return self.resting.body_of(name) if name in self.resting else ticket_to_json(self.tickets[name])

    def _let_idle_go(self) -> None:
        """Let go of what can be told anew of tickets that were not asked for between two writings of the table.

        Most tickets rest for hours; one that is busy is not told anew, event by event, each time.
        """
        for name in self._drowsy - self.awake:
            ticket = self.tickets.get(name)
            if ticket is not None:
                ticket.story = None
        self._drowsy, self.awake = self.awake, set()

    def load(self, atoms: Sequence[AtomState], read_catalogue: CatalogueReader) -> int:
        """Take back the table's entries; returns the offset that the whole partition stands at.

        Raises `UnknownRevision` when the one in force is not to be had, `UnknownShape` for a shape that this version
        does not read.
        """
        offset = -1
        for atom in atoms:
            if self.facts.load(atom):
                continue
            kind = atom.key.partition("/")[0]
            if kind == HEAD:
                offset = atom.offset
                self._load_head(atom, read_catalogue)
            elif kind == TICKET:
                self._load_ticket(atom)
        self.agenda.fill(self.tickets.values(), self.silences)
        return offset

    def _load_ticket(self, atom: AtomState) -> None:
        if not atom.body["events"]:
            self.resting.load(atom.body["ticket"], atom.offset, atom.body)
            return
        ticket = ticket_from_json(atom.body, atom.offset, self.pool)
        self.tickets[ticket.id] = ticket
        if ticket.is_importing:
            self.importing.add(ticket.id)

    def _load_head(self, head: AtomState, read_catalogue: CatalogueReader) -> None:
        body = head.body
        if body["shape"] not in SHAPES_READ:
            raise UnknownShape(f"partition {self._number}: shape {body['shape']}, this version reads {SHAPE}")
        self.now = body["now"]
        self.since = dict(body["since"])
        self.row = DeadLetterRow(*body["row"])
        self.unnamed = dict(body["unnamed"])
        self.silences.load(body["silences"], body["heard"])
        self.sequences = dict(body.get("sequences", {}))
        if body["revision"] != self.catalogue.revision:
            catalogue = read_catalogue(body["revision"], body["sha256"])
            if catalogue is None:
                raise UnknownRevision(self._number, body["revision"])
            self.catalogue = catalogue

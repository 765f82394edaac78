"""What time and each kind of record do to the tickets of one partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from sla.catalogue import Catalogue
from sla.clock.agenda import SILENCES
from sla.clock.correcting import LATE
from sla.clock.history import Event
from sla.clock.labels import Labels
from sla.clock.memory import Memory
from sla.clock.obeying import Obeying
from sla.clock.publish import Publisher
from sla.clock.speaking import Speaking
from sla.clock.telling import catch_up, end_import, retire, run_due, settle_silently
from sla.clock.ticket import TicketAtom
from sla.events import watch_record
from sla.feeds import is_repeat
from sla.fold import AtomState, CatalogueReader, Emission, Offset
from sla.orders import TicketOrder
from sla.records import Exclusion, Feed, Rejection, Ticket
from sla.said import Said, in_order
from sla.units import floor_to

EXCLUDED: Final = "exclusion"
REDEFINED: Final = "definition"


class Partition:
    """One partition at work. `offset` arguments are those of the line being applied.

    A ticket whose table entry was written behind that line before a crash stands ahead of it, and is passed over.
    """

    def __init__(self, topic: str, number: int, publisher: Publisher, memory: Memory, gap_ms: int) -> None:
        self._topic = topic
        self._number = number
        self._gap_ms = gap_ms
        self._memory = memory
        self._speaking = Speaking(self._memory, publisher)
        self._obeying = Obeying(self._memory, self._speaking)

    # -- time

    def advance(self, now: int, offset: int) -> list[Emission]:
        """Go to `now`: what was due, then a decision, which tells of what was imported."""
        memory = self._memory
        before, memory.now = memory.now, now
        self._speaking.known_to = offset - 1  # time comes before the record
        if before is None or now <= before:
            return []
        emissions: list[Emission] = []
        if now - before > self._gap_ms:
            emissions.append(watch_record("detector_gap", self._topic, self._number, before, now))
        if memory.agenda.is_due(now):
            emissions += self._run_due(now, offset)
        if memory.importing and floor_to(now, memory.catalogue.decide_every_ms) > before:
            emissions += self._end_imports(offset)
        return emissions

    def _run_due(self, until: int, offset: int) -> list[Emission]:
        """All that is due, each at its own instant; what one instant says is in the order of dedup keys."""
        memory = self._memory
        emissions: list[Emission] = []
        ahead: list[TicketAtom] = []
        while (due := memory.agenda.next_due(until)) is not None:
            at, names = due
            said: list[Said] = []
            for name in names:
                if name == SILENCES:
                    said += self._obeying.end_silences(at, offset)
                    continue
                ticket = memory.tickets.get(name)
                if ticket is None or not ticket.is_due(at):
                    continue
                if ticket.offset >= offset:
                    ahead.append(ticket)
                    continue
                tracks = list(ticket.due_tracks(at))
                said += self._speaking.each(ticket, tracks, partial(run_due, at=at), offset)
                self._speaking.touch(ticket)
                if ticket.is_due(at):
                    self._speaking.rest(ticket)
            emissions += in_order(said)
        for ticket in ahead:
            memory.agenda.set(ticket)
        return emissions

    def _end_imports(self, offset: int) -> list[Emission]:
        said: list[Said] = []
        for name in sorted(self._memory.importing):
            ticket = self._memory.tickets[name]
            if ticket.offset < offset:
                said += self._end_import(ticket, offset)
        return in_order(said)

    def _end_import(self, ticket: TicketAtom, offset: int) -> list[Said]:
        """Those of its clocks that are still open are told; what was told before is brought in line."""
        ticket.is_importing = False
        self._memory.importing.discard(ticket.id)
        said = self._speaking.settle(ticket, self._speaking.concerned(ticket).values(), end_import, offset)
        ticket.fit(self._speaking.terms)
        self._speaking.touch(ticket)
        return said

    # -- records

    def take(self, record: Ticket, offset: int) -> list[Emission] | Rejection:
        """One event of a ticket: what is new is told, what is no longer true is corrected."""
        memory, terms = self._memory, self._speaking.terms
        ticket = memory.ticket_of(record.ticket)
        if ticket.offset >= offset or (record.feed is not None and self._is_repeat(ticket, record.feed)):
            memory.let_go(ticket)
            return []
        change = memory.pool.change_of(record)
        said: list[Said] = []
        labels = self._speaking.story_of(ticket).labels
        refused = ticket.refusal(record.at, change, terms)
        if refused is not None:
            memory.let_go(ticket)
            return refused
        if ticket.is_importing and not record.is_import:
            said += self._end_import(ticket, offset)
        ticket.read_at = memory.now or 0
        event = Event(record.at, offset, change)
        is_newest = ticket.take(event, terms)
        story = ticket.story
        if story is None or not story.courses or not is_newest:
            memory.count_unnamed(record.service)
        if record.is_import:
            ticket.is_importing = True
            memory.importing.add(ticket.id)
        elif is_newest:
            said += self._tell_new(ticket, labels, event, offset)
        else:
            said += self._tell_all(ticket, LATE, offset, labels)
        self._speaking.touch(ticket)
        return in_order(said)

    @staticmethod
    def _is_repeat(ticket: TicketAtom, feed: Feed) -> bool:
        if feed.sequence is None:
            return False
        if ticket.sequences is None:
            ticket.sequences = {}
        return is_repeat(ticket.sequences, feed)

    def _tell_new(self, ticket: TicketAtom, labels: Labels, event: Event, offset: int) -> list[Said]:
        story = ticket.story
        if story is None:
            return []
        is_relabelled = labels != story.labels
        courses = story.all_courses if is_relabelled else story.touched
        if not courses:
            return []
        is_past = event.at <= (self._memory.now or 0)
        tell = partial(catch_up, is_past=is_past, are_labels_new=is_relabelled)
        return self._speaking.settle(ticket, [course for course in courses if course.runs], tell, offset)

    def _tell_all(self, ticket: TicketAtom, rule: str, offset: int, labels: Labels) -> list[Said]:
        courses = self._speaking.concerned(ticket).values()
        is_new = labels != ticket.labels
        return self._speaking.settle(
            ticket, courses, lambda voice: catch_up(voice, rule=rule, are_labels_new=is_new), offset
        )

    def learn(self, exclusion: Exclusion, offset: int) -> list[Emission]:
        """Time of a service that does not count, or no longer does not: its tickets are reckoned anew."""
        memory = self._memory
        self._speaking.known_to = offset
        facts = memory.facts.of(exclusion.service)
        if memory.facts.is_new(exclusion.service, offset):
            if is_repeat(facts.sequences, exclusion.feed):
                return []
            facts.add(offset, exclusion)
        said: list[Said] = []
        for ticket in memory.tickets.values():
            if ticket.offset >= offset or exclusion.service not in ticket.services:
                continue
            ticket.story = None
            if not ticket.is_importing:
                said += self._tell_all(ticket, EXCLUDED, offset, ticket.labels)
            self._speaking.touch(ticket)
        return in_order(said)

    def obey(self, order: TicketOrder, offset: int) -> list[Emission]:
        """What somebody has decided."""
        return self._obeying.obey(order, offset)

    # -- definitions

    def follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        """Switch to a revision: tickets whose objectives differ are reckoned anew, those that ended too."""
        memory = self._memory
        before = memory.catalogue
        memory.switch(catalogue, offset)
        changed: dict[str, bool] = {}
        said: list[Said] = []
        for ticket in memory.tickets.values():
            if ticket.offset >= offset:
                continue
            for service in ticket.services:
                if service not in changed:
                    changed[service] = before.of_tickets(service) != catalogue.of_tickets(service)
            if any(changed[service] for service in ticket.services):
                said += self._redefine(ticket, before, offset)
                self._speaking.touch(ticket)
        return in_order(said)

    def _redefine(self, ticket: TicketAtom, before: Catalogue, offset: int) -> list[Said]:
        said: list[Said] = []
        story = ticket.story or ticket.tell_story(self._speaking.terms._replace(objectives=before.of_tickets))
        old = {(course.service, course.objective.name): course for course in story.all_courses}
        ticket.rebind()
        courses = self._speaking.concerned(ticket)
        now = self._memory.now or 0
        for track in list(ticket.tracks):
            name = (track.service, track.name)
            if name not in courses and name in old and track.told:
                said += self._speaking.settle(ticket, [old[name]], lambda voice: retire(voice, now), offset)
        if ticket.is_importing:
            return said
        for name, course in courses.items():
            known = ticket.find_track(*name)
            if known is not None and known.is_told:
                said += self._speaking.settle(ticket, [course], lambda voice: catch_up(voice, rule=REDEFINED), offset)
            else:
                said += self._speaking.settle(
                    ticket, [course], lambda voice: settle_silently(voice, is_import=False), offset
                )
        ticket.fit(self._speaking.terms)
        return said

    # -- state

    def changes(self, offset: Offset) -> Iterator[AtomState]:
        """The partition's own head, and the table entries that changed."""
        return self._memory.changes(offset)

    def load(self, atoms: Sequence[AtomState], read_catalogue: CatalogueReader) -> int:
        """Take back the table's entries; returns the offset that the whole partition stands at."""
        return self._memory.load(atoms, read_catalogue)

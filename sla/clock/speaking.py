"""Letting the objectives on a ticket speak: what is true of each of their clocks, and a voice for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sla.clock.course import Course
from sla.clock.memory import Memory
from sla.clock.publish import Publisher
from sla.clock.report import Moment
from sla.clock.story import Story, Terms
from sla.clock.ticket import TicketAtom
from sla.clock.track import Track
from sla.clock.voice import Voice
from sla.fold import Emission
from sla.intervals import Interval
from sla.said import Said
from sla.ticket_objective import TicketObjective

Act = Callable[[Voice], list[Emission]]


class Speaking:
    """For the tickets of one partition. `offset` arguments are those of the line being applied."""

    def __init__(self, memory: Memory, publisher: Publisher) -> None:
        self._memory = memory
        self._publisher = publisher
        self._terms = Terms(self._objectives, self._intervals, memory.since)
        self.known_to = -1  # exclusions up to this offset are known to what is being done

    def _objectives(self, service: str) -> Sequence[TicketObjective]:
        return self._memory.catalogue.of_tickets(service)

    @property
    def terms(self) -> Terms:
        """What tickets are read by now."""
        if self._terms.since is not self._memory.since:
            self._terms = self._terms._replace(since=self._memory.since)
        return self._terms

    def _intervals(self, service: str) -> Sequence[Interval]:
        return self._memory.exclusions(service, self.known_to).intervals

    def story_of(self, ticket: TicketAtom) -> Story:
        """What is true of a ticket; kept until it has rested for a while."""
        self._memory.awake.add(ticket.id)
        return ticket.story or ticket.tell_story(self.terms)

    def concerned(self, ticket: TicketAtom) -> dict[tuple[str, str], Course]:
        """The courses with clocks, and those without any more of which something was told."""
        found = {(each.service, each.objective.name): each for each in self.story_of(ticket).all_courses if each.runs}
        for track in ticket.tracks:
            name = (track.service, track.name)
            objective = self._defined(*name)
            if name not in found and track.told and objective is not None:
                found[name] = Course(track.service, objective)
        return found

    def _defined(self, service: str, name: str) -> TicketObjective | None:
        return next((each for each in self._objectives(service) if each.name == name), None)

    def each(self, ticket: TicketAtom, tracks: Sequence[Track], act: Act, offset: int) -> list[Said]:
        """Let some of a ticket's objectives speak; one that is no longer defined is silent and bears no flag."""
        courses = self.concerned(ticket)
        found: list[Course] = []
        for track in tracks:
            course = courses.get((track.service, track.name))
            if course is None:
                track.flags.clear()
                track.due_at = None
            else:
                found.append(course)
        return self.settle(ticket, found, act, offset)

    def settle(self, ticket: TicketAtom, courses: Iterable[Course], act: Act, offset: int) -> list[Said]:
        """Let objectives speak by what is true of their clocks."""
        memory, labels = self._memory, ticket.labels
        moment = Moment(memory.catalogue, memory.silences, memory.now or 0, offset)
        said: list[Said] = []
        for course in courses:
            track = ticket.track_of(course.service, course.objective.name)
            exclusions = memory.exclusions(course.service, self.known_to)
            voice = Voice(self._publisher, moment, ticket.id, track, course, exclusions, labels)
            emissions = act(voice)
            if emissions:
                said.append(Said(voice.key, emissions))
        return said

    def rest(self, ticket: TicketAtom) -> None:
        """Nothing has come of a ticket for long, no clock runs on it and nothing is due: it is settled for good."""
        self.story_of(ticket)
        ticket.settle(self.terms)
        self._memory.let_go(ticket)

    def touch(self, ticket: TicketAtom) -> None:
        """After a change: it is to be kept, and when it acts next."""
        self._memory.dirty.add(ticket.id)
        due_at = ticket.find_due(self._memory.catalogue.settle_tickets_after_ms)
        if due_at != ticket.due_at:
            ticket.due_at = due_at
            self._memory.agenda.set(ticket)

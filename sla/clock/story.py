"""What is true of a ticket, given its events, the objectives and the exclusions: no matter what was told of it.

Events are taken one by one in their order. Taking the newest on top of what was there gives the same as taking all of
them anew, which is done when one arrives out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sla.clock.course import Course, ExclusionsOf, LookBack, Replaced, Scene, all_pauses, stand
from sla.clock.history import Change, Event
from sla.clock.labels import Labels, labels_of
from sla.clock.room import MOST, room_of
from sla.clock.run import Ending, Run
from sla.clock.talk import Talk
from sla.intervals import since_then
from sla.records import TicketEvent
from sla.ticket_objective import TicketObjective

ObjectivesOf = Callable[[str], Sequence[TicketObjective]]


class Terms(NamedTuple):
    """What a ticket's events are read by: by service the objectives in force, and the time that does not count.

    `since` has by name the log's offset from which on an objective is defined, where it was not from the beginning:
    of what it would have made of the events before nobody was told.
    """

    objectives: ObjectivesOf
    exclusions: ExclusionsOf
    since: Mapping[str, int]


_CONCERNING_ALL: Final = frozenset({TicketEvent.CREATED, TicketEvent.CLOSED, TicketEvent.REOPENED})


class Story:
    """A ticket up to its newest event. `courses` are of its service, in the order of their objectives' names."""

    __slots__ = (
        "base_at", "base_fields", "courses", "fields", "labels", "left", "own", "room", "service", "standing",
        "talk", "touched",
    )  # fmt: skip

    def __init__(self) -> None:
        self.service = ""
        self.fields: dict[str, Any] = {}
        self.labels: Labels = (None, None)
        self.talk = Talk()
        self.room = MOST
        self.courses: list[Course] = []
        self.left: list[Course] = []  # of services that the ticket was with before
        self.touched: list[Course] = []  # by the newest event: all others are as they were
        self.base_at: int | None = None  # events before it are not kept one by one
        self.base_fields: dict[str, Any] = {}  # at that time
        self.own: dict[tuple[str, str], Run] = {}  # what was then paused by the conditions of each objective
        self.standing: dict[tuple[str, str], Standing] = {}  # … and since, of those objectives that had to be asked

    @property
    def all_courses(self) -> list[Course]:
        """Every course that the ticket has, or has had."""
        return [*self.courses, *self.left]

    def copy(self) -> Story:
        """Another, on this as its base, that may go its own way."""
        other = Story()
        other.service, other.fields, other.talk = self.service, dict(self.fields), self.talk.copy()
        other.labels, other.room = self.labels, self.room
        other.courses = [course.copy() for course in self.courses]
        other.left = [course.copy() for course in self.left]
        other.base_at, other.base_fields, other.own = self.base_at, self.fields, self.own
        return other

    def take(self, event: Event, known: Iterable[Event] | None, terms: Terms) -> None:
        """One more event, the newest.

        `known` are the events that are kept, in order, up to this one at least; None of a base, which knows no more
        than what was paused.
        """
        change = event.change
        is_moved = change.service != self.service
        changed: Sequence[str] = ()
        if change.fields:
            changed = self._changed(change)
            apply(self.fields, change)
            self.labels = labels_of(self.fields)
            for standing in self.standing.values():
                standing.see(changed, self.fields, event.at)
        self.talk.hear(event)
        if is_moved:
            self._move(change.service, terms.objectives(change.service), event.at)
        concerned = self.courses if is_moved else self._concerned(change.event, changed)
        self.touched = [*concerned, *self.left] if is_moved else concerned
        if concerned:
            scene = Scene(event.at, event.offset, change, self.fields, self.talk, terms.exclusions, terms.since)
            self._advance(concerned, scene, None if known is None else (event, known))

    def _changed(self, change: Change) -> list[str]:
        fields = self.fields
        return [
            name
            for name, value in change.fields
            if type(before := fields.get(name)) is not type(value) or before != value
        ]

    def _concerned(self, kind: TicketEvent, changed: Sequence[str]) -> list[Course]:
        """The courses that may be changed by an event; asked again, what their conditions said would be the same.

        Not so of an objective that came after the events that are folded into the base: nobody has asked it yet.
        """
        if kind in _CONCERNING_ALL:
            return self.courses
        is_reply = kind is TicketEvent.REPLY
        if not is_reply and not changed:
            return []
        is_folded = self.base_at is not None
        return [
            course
            for course in self.courses
            if (is_reply and (course.objective.awaits_reply or (is_folded and not course.runs)))
            or (changed and not course.objective.reads.isdisjoint(changed))
        ]

    def _move(self, service: str, objectives: Sequence[TicketObjective], at: int) -> None:
        """The ticket is with another service: the clocks of the former one end."""
        for course in self.courses:
            if course.run is not None:
                course.run.end(at, Ending.CANCELLED)
        self.left += [course for course in self.courses if course.runs]
        known = {course.objective.name: course for course in self.left if course.service == service}
        self.left = [course for course in self.left if course.service != service]
        self.service = service
        self.courses = [known.get(each.name) or Course(service, each) for each in objectives]
        self.room = room_of(course.objective for course in self.all_courses)

    def _advance(self, courses: Sequence[Course], scene: Scene, known: tuple[Event, Iterable[Event]] | None) -> None:
        idle: list[Course] = []
        replaced: list[Replaced] = []
        for course in courses:
            run = course.run
            if run is None:
                idle.append(course)
                continue
            course.advance(run, scene)
            if run.ending is Ending.CANCELLED:
                replaced.append(Replaced(course.objective, run))
        for course in idle:
            if course.may_begin(scene):
                before = next((each for each in replaced if each.objective.metric is course.objective.metric), None)
                course.begin(scene, before, self._look_back(scene.at, known))

    def _look_back(self, until: int, known: tuple[Event, Iterable[Event]] | None) -> LookBack:
        def look_back(course: Course, run: Run) -> None:
            name = (course.service, course.objective.name)
            own = self.own.get(name)
            if self.base_at is not None and own is None:
                return
            if known is None:
                pauses = () if own is None else all_pauses(own, until)
            else:
                standing = self.standing.get(name)
                if standing is None:
                    standing = self.standing[name] = self._stood(course.objective, own, *known)
                pauses = (*(() if own is None else own.pauses), *all_pauses(standing.run, until))
            is_whole = own is None or not own.counted_from
            if run.settled is not None and is_whole and not run.settled.has_gaps:
                run.settled = None  # it is counted by its own calendar from the beginning
            run.pauses = since_then(pauses, run.since)

        return look_back

    def _stood(self, objective: TicketObjective, own: Run | None, newest: Event, known: Iterable[Event]) -> Standing:
        """What was paused by an objective's conditions since the base, up to an event."""
        run, fields = Run(0, 0), dict(self.base_fields)
        run.paused_at = None if own is None else own.paused_at
        for event in known:
            apply(fields, event.change)
            stand(run, objective, fields, event.at)
            if event.offset == newest.offset:
                break
        return Standing(objective, run)

    def fold(self, name: tuple[str, str], pauses_count: int) -> None:
        """The base has taken over the first pauses of an objective's conditions, so many."""
        standing = self.standing.get(name)
        if standing is not None:
            standing.run.pauses = standing.run.pauses[pauses_count:]


class Standing(NamedTuple):
    """What is paused by an objective's conditions, whether a clock of it runs or not."""

    objective: TicketObjective
    run: Run

    def see(self, changed: Sequence[str], fields: Mapping[str, Any], at: int) -> None:
        """Some fields have changed."""
        if not self.objective.reads.isdisjoint(changed):
            stand(self.run, self.objective, fields, at)


def apply(fields: dict[str, Any], change: Change) -> None:
    """A ticket's fields after a change; null takes one away."""
    for name, value in change.fields:
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value

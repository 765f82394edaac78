"""What is true of a ticket, given its events, the objectives and the exclusions: no matter what was told of it.

Events are taken one by one in their order. Taking the newest on top of what was there gives the same as taking all of
them anew, which is done when one arrives out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sla.clock.course import Course, ExclusionsOf, PausesSince, Replaced, Scene, stand
from sla.clock.history import Change, Event
from sla.clock.labels import Labels, labels_of
from sla.clock.run import Ending, Run
from sla.clock.talk import Talk
from sla.intervals import Interval
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

    __slots__ = ("base_at", "base_fields", "courses", "fields", "labels", "left", "own", "service", "talk", "touched")

    def __init__(self) -> None:
        self.service = ""
        self.fields: dict[str, Any] = {}
        self.labels: Labels = (None, None)
        self.talk = Talk()
        self.courses: list[Course] = []
        self.left: list[Course] = []  # of services that the ticket was with before
        self.touched: list[Course] = []  # by the newest event: all others are as they were
        self.base_at: int | None = None  # events before it are not kept one by one
        self.base_fields: dict[str, Any] = {}  # at that time
        self.own: dict[tuple[str, str], Run] = {}  # what was then paused by the conditions of each objective

    @property
    def all_courses(self) -> list[Course]:
        """Every course that the ticket has, or has had."""
        return [*self.courses, *self.left]

    def copy(self) -> Story:
        """Another, on this as its base, that may go its own way."""
        other = Story()
        other.service, other.fields, other.talk = self.service, dict(self.fields), self.talk.copy()
        other.labels = self.labels
        other.courses = [course.copy() for course in self.courses]
        other.left = [course.copy() for course in self.left]
        other.base_at, other.base_fields, other.own = self.base_at, self.fields, self.own
        return other

    def take(self, event: Event, known: Iterable[Event], terms: Terms) -> None:
        """One more event, the newest.

        `known` are the events that are kept, in order, up to this one at least.
        """
        change = event.change
        is_moved = change.service != self.service
        changed: Sequence[str] = ()
        if change.fields:
            changed = self._changed(change)
            apply(self.fields, change)
            self.labels = labels_of(self.fields)
        self.talk.hear(event)
        if is_moved:
            self._move(change.service, terms.objectives(change.service), event.at)
        concerned = self.courses if is_moved else self._concerned(change.event, changed)
        self.touched = [*concerned, *self.left] if is_moved else concerned
        if concerned:
            scene = Scene(event.at, event.offset, change, self.fields, self.talk, terms.exclusions, terms.since)
            self._advance(concerned, scene, known)

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

    def _advance(self, courses: Sequence[Course], scene: Scene, known: Iterable[Event]) -> None:
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
                course.begin(scene, before, self._pauses_until(scene.at, known))

    def _pauses_until(self, until: int, known: Iterable[Event]) -> PausesSince:
        def pauses_since(course: Course, since: int, taken: tuple[Interval, ...]) -> tuple[Interval, ...]:
            own = self.own.get((course.service, course.objective.name))
            if self.base_at is not None and own is None:
                return taken
            standing, fields = Run(since, since) if own is None else own.copy(), dict(self.base_fields)
            for event in known:
                if event.at >= until:
                    break
                apply(fields, event.change)
                stand(standing, course.objective, fields, event.at)
            standing.resume(until)
            return tuple((max(start, since), end) for start, end in standing.pauses if end > since)

        return pauses_since


def apply(fields: dict[str, Any], change: Change) -> None:
    """A ticket's fields after a change; null takes one away."""
    for name, value in change.fields:
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value

"""One ticket: its events, what is true of it, and what was told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sla.clock.base import base_from_json, base_to_json, folded
from sla.clock.course import Course
from sla.clock.history import (
    EVENT_CHARACTERS_MAX,
    FIELDS_CHARACTERS_MAX,
    Change,
    Event,
    History,
    characters_of,
)
from sla.clock.labels import Labels
from sla.clock.room import too_many_steps
from sla.clock.story import Story, Terms
from sla.clock.track import Track
from sla.records import Reason, Rejection
from sla.units import rfc3339


class TicketAtom:
    """The atom of a ticket. `story` is None until it is asked for after a restart or a rest."""

    __slots__ = (
        "base", "due_at", "heard", "history", "id", "is_importing", "offset", "read_at", "sequences", "stored_base",
        "story", "tracks",
    )  # fmt: skip

    def __init__(self, ticket: str) -> None:
        self.id = ticket
        self.offset = -1
        self.history = History()
        self.base: Story | None = None  # what the events were that are not kept any more
        self.stored_base: Mapping[str, Any] | None = None  # the same, as the table holds it
        self.story: Story | None = None
        self.tracks: list[Track] = []
        self.sequences: dict[str, int] | None = None  # of feeds, by source
        self.heard: dict[str, int] = {}  # commands, by id: the offset
        self.is_importing = False
        self.read_at = 0  # the log's time when its last event came
        self.due_at: int | None = None

    def tell_story(self, terms: Terms) -> Story:
        """What is true, told from the base and every event since."""
        if self.base is None and self.stored_base is not None:
            self.base, self.stored_base = base_from_json(self.stored_base, terms.objectives), None
        story = Story() if self.base is None else self.base.copy()
        for event in self.history:
            story.take(event, self.history, terms)
        self.story = story
        return story

    def rebind(self) -> None:
        """Other objectives are in force: what is true must be told anew under them."""
        if self.base is not None:
            self.stored_base, self.base = base_to_json(self.base), None
        self.story = None

    def refusal(self, at: int, change: Change, terms: Terms) -> Rejection | None:
        """Why an event cannot be taken, if a limit is reached: memory stays bounded whatever is sent."""
        story = self.story or self.tell_story(terms)
        if change.service != story.service and change.service not in self.services:
            objectives = [course.objective for course in story.all_courses]
            detail = too_many_steps([*objectives, *terms.objectives(change.service)])
            if detail is not None:
                return Rejection(Reason.LIMIT_REACHED, detail)
        characters_count = change.characters
        if self.base is None and self.history.characters + characters_count <= EVENT_CHARACTERS_MAX:
            return None  # which is nearly always so
        if characters_count > EVENT_CHARACTERS_MAX:
            detail = f"the fields of one event take {characters_count} characters, at most {EVENT_CHARACTERS_MAX}"
            return Rejection(Reason.LIMIT_REACHED, detail)
        base_at = None if self.base is None else self.base.base_at
        if base_at is not None and at < base_at:
            detail = f"older than {rfc3339(base_at)}, before which the ticket's events are no longer kept one by one"
            kept = f"the newest {story.room.events_max} are, until the ticket has rested (settleTicketsAfter)"
            return Rejection(Reason.LIMIT_REACHED, f"{detail}: {kept}")
        if self._fields_would_take(story, change) > FIELDS_CHARACTERS_MAX:
            detail = f"the ticket's fields would take more than {FIELDS_CHARACTERS_MAX} characters"
            return Rejection(Reason.LIMIT_REACHED, detail)
        return None

    def _fields_would_take(self, story: Story, change: Change) -> int:
        if self.base is None and self.history.characters + change.characters <= FIELDS_CHARACTERS_MAX:
            return 0
        return characters_of({**story.fields, **dict(change.fields)}.items())

    def take(self, event: Event, terms: Terms) -> bool:
        """Take an event; whether it is the newest, so that what was told still holds."""
        story = self.story or self.tell_story(terms)
        is_newest = self.history.add(*event)
        if is_newest:
            story.take(event, self.history, terms)
        else:
            self.tell_story(terms)
        self.fit(terms)
        return is_newest

    def fit(self, terms: Terms) -> None:
        """Put the oldest events, for which there is no room, into the base."""
        room = (self.story or self.tell_story(terms)).room
        while self.history.is_beyond(room.events_max):
            self.base = folded(self, self.history.take_oldest(), terms, room)
        if self.story is None:
            self.tell_story(terms)

    @property
    def labels(self) -> Labels:
        """The team and the priority."""
        return (None, None) if self.story is None else self.story.labels

    def track_of(self, service: str, name: str) -> Track:
        """The memory of an objective; a new one at first."""
        track = self.find_track(service, name)
        if track is None:
            track = Track(service, name)
            self.tracks.append(track)
        return track

    def find_track(self, service: str, name: str) -> Track | None:
        """The memory of an objective, if there is one."""
        for track in self.tracks:
            if track.name == name and track.service == service:
                return track
        return None

    def course_of(self, service: str, name: str) -> Course | None:
        """What is true of an objective's clocks."""
        courses = [] if self.story is None else self.story.all_courses
        return next((each for each in courses if each.objective.name == name and each.service == service), None)

    @property
    def services(self) -> set[str]:
        """All that the ticket has been with, as far as is known."""
        return self.history.services.union(track.service for track in self.tracks)

    def settle(self, terms: Terms) -> None:
        """Put every event into the base: what is true of the ticket stays, and is no longer looked at anew."""
        room = (self.story or self.tell_story(terms)).room
        while len(self.history):
            self.base = folded(self, self.history.take_oldest(), terms, room)
        self.due_at = None

    def find_due(self, settle_after_ms: int) -> int | None:
        """When the next thing is due; of a ticket on which no clock runs, when it is to be settled for good."""
        if self.is_importing:
            return None
        due_at: int | None = None
        is_running = False
        for track in self.tracks:
            at = track.acts_at
            is_running = is_running or at is not None or track.is_running
            if at is not None and (due_at is None or at < due_at):
                due_at = at
        return due_at if is_running else self.read_at + settle_after_ms

    def is_due(self, at: int) -> bool:
        """Whether the next thing is due at an instant."""
        return self.due_at == at

    def due_tracks(self, at: int) -> Iterator[Track]:
        """What is due at an instant."""
        return (track for track in self.tracks if (due_at := track.acts_at) is not None and due_at <= at)

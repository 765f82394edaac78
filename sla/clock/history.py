"""What happened to one ticket, in order: the newest events as they came, the older ones folded into a base.

Kept small, since there are hundreds of thousands of tickets: instants and offsets in one array, and what is said alike
of many tickets held once for all of them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import starmap
from json import dumps
from sys import intern
from typing import Any, Final, NamedTuple

from sla.records import Actor, Ticket, TicketEvent

EVENT_CHARACTERS_MAX: Final = 65_536  # of the fields of one event
FIELDS_CHARACTERS_MAX: Final = 131_072  # of all fields that a ticket has at a time
HISTORY_CHARACTERS_MAX: Final = 524_288  # of the fields in the events that are kept

_POOL_MAX: Final = 65_536
_SHORT_CHARACTERS: Final = 200


class Change(NamedTuple):
    """What one event says, but for the ticket and the instant."""

    event: TicketEvent
    by: Actor | None
    service: str
    fields: tuple[tuple[str, Any], ...]
    is_import: bool
    characters: int  # of its fields


class Event(NamedTuple):
    """One event in its place: ordered by instant, then by offset in the log."""

    at: int
    offset: int
    change: Change


_Said = tuple[str, str | None, str, tuple[tuple[str, Any], ...], bool]  # a change, but for its size


class Pool:
    """What is said alike, once: changes whose fields are texts. Forgets all when full, which costs memory only."""

    def __init__(self) -> None:
        self._known: dict[_Said, Change] = {}

    def change_of(self, ticket: Ticket) -> Change:
        """The change of an event."""
        return self._shared((ticket.event, ticket.by, ticket.service, ticket.fields, ticket.is_import))

    def read(self, event: str, by: str | None, service: str, fields: dict[str, Any], is_import: bool) -> Change:  # noqa: FBT001 - as the table holds it
        """The change of an event in the table."""
        return self._shared((event, by, service, tuple(fields.items()), is_import))

    def _shared(self, said: _Said) -> Change:
        """The one that is kept of all like it. Its words equal what they are written as, so either finds it."""
        try:
            found = self._known.get(said)
        except TypeError:  # a list has no hash
            return _change(said)
        if found is None:
            found = _change(said)
            if all(type(value) is str or value is None for _, value in found.fields):
                # Equal values are the same then: 1, 1.0 and true are equal to Python, but to no text.
                if len(self._known) >= _POOL_MAX:
                    self._known.clear()
                self._known[found[:5]] = found
        return found


def _change(said: _Said) -> Change:
    """Names and short texts are shared by all changes: most take a few values."""
    event, by, service, fields, is_import = said
    actor = None if by is None else Actor(by)
    shared = [
        (intern(name), intern(value) if type(value) is str and len(value) <= _SHORT_CHARACTERS else value)
        for name, value in fields
    ]
    return Change(TicketEvent(event), actor, intern(service), tuple(shared), is_import, characters_of(fields))


def characters_of(fields: Iterable[tuple[str, Any]]) -> int:
    """How much fields take as JSON in ASCII, which is no less than they take in bytes."""
    return sum(len(dumps(name)) + len(dumps(value)) for name, value in fields)


class History:
    """The events of one ticket after its base."""

    __slots__ = ("_changes", "_characters", "_places")

    def __init__(self) -> None:
        self._places = array("q")  # at, offset, at, offset, …
        self._changes: list[Change] = []
        self._characters: int | None = 0  # None: not counted yet

    def load(self, places: array[int], changes: list[Change]) -> None:
        """Take back events in order: at, offset, at, offset, … and what each says."""
        self._places, self._changes, self._characters = places, changes, None

    @property
    def characters(self) -> int:
        """How much the fields of all events take; of those that were loaded counted when first asked."""
        if self._characters is None:
            self._characters = sum(change.characters for change in self._changes)
        return self._characters

    def __len__(self) -> int:
        """How many events are kept."""
        return len(self._changes)

    def rows(self) -> Iterator[tuple[int, int, Change]]:
        """What makes up each event, in order."""
        return zip(self._places[::2], self._places[1::2], self._changes, strict=True)

    def __iter__(self) -> Iterator[Event]:
        """In order."""
        return starmap(Event, self.rows())

    @property
    def last_at(self) -> int | None:
        """The instant of the newest event."""
        return self._places[-2] if self._places else None

    @property
    def services(self) -> set[str]:
        """All that the ticket has been with."""
        return {change.service for change in self._changes}

    def is_beyond(self, events_max: int) -> bool:
        """Whether the oldest event must go into the base."""
        if len(self._changes) > events_max:
            return True
        return self.characters > HISTORY_CHARACTERS_MAX and len(self._changes) > 1

    def add(self, at: int, offset: int, change: Change) -> bool:
        """Put an event in its place; whether that is the last. Its offset is above all before it."""
        self._characters = self.characters + change.characters
        places = self._places
        if not places or at >= places[-2]:
            places.append(at)
            places.append(offset)
            self._changes.append(change)
            return True
        index = bisect_right(range(len(self._changes)), at, key=lambda place: places[2 * place])
        places.insert(2 * index, offset)
        places.insert(2 * index, at)
        self._changes.insert(index, change)
        return False

    def take_oldest(self) -> Event:
        """Remove the first event."""
        characters = self.characters
        places = self._places
        event = Event(places[0], places[1], self._changes[0])
        del places[:2]
        del self._changes[0]
        self._characters = characters - event.change.characters
        return event

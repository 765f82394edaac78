"""What happened to one ticket, in order: the newest events as they came, the older ones folded into a base.

Kept small, since there are hundreds of thousands of tickets: instants and offsets in one array, and what is said alike
of many tickets held once for all of them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from json import dumps
from typing import Any, Final, NamedTuple

from sla.records import Actor, Ticket, TicketEvent

EVENTS_MAX: Final = 1_000
EVENT_CHARACTERS_MAX: Final = 65_536  # of the fields of one event
FIELDS_CHARACTERS_MAX: Final = 131_072  # of all fields that a ticket has at a time
HISTORY_CHARACTERS_MAX: Final = 524_288  # of the fields in the events that are kept

_POOL_MAX: Final = 65_536


class Change(NamedTuple):
    """What one event says, but for the ticket and the instant."""

    event: TicketEvent
    by: Actor | None
    service: str
    fields: tuple[tuple[str, Any], ...]
    is_import: bool


class Event(NamedTuple):
    """One event in its place: ordered by instant, then by offset in the log."""

    at: int
    offset: int
    change: Change


class Pool:
    """What is said alike, once: changes whose fields are texts. Forgets all when full, which costs memory only."""

    def __init__(self) -> None:
        self._known: dict[Change, Change] = {}

    def change_of(self, ticket: Ticket) -> Change:
        """The change of an event."""
        return self.shared(Change(ticket.event, ticket.by, ticket.service, ticket.fields, ticket.is_import))

    def shared(self, change: Change) -> Change:
        """The one that is kept of all like it."""
        for _, value in change.fields:
            if type(value) is not str and value is not None:
                return change  # 1, 1.0 and true are equal to Python, and lists have no hash
        found = self._known.get(change)
        if found is None:
            if len(self._known) >= _POOL_MAX:
                self._known.clear()
            self._known[change] = found = change
        return found


def characters_of(change: Change) -> int:
    """How much an event's fields take, roughly as JSON."""
    return sum(len(name) + (len(value) if type(value) is str else len(dumps(value))) for name, value in change.fields)


class History:
    """The events of one ticket after its base."""

    __slots__ = ("_changes", "_places", "characters")

    def __init__(self) -> None:
        self._places = array("q")  # at, offset, at, offset, …
        self._changes: list[Change] = []
        self.characters = 0

    def __len__(self) -> int:
        """How many events are kept."""
        return len(self._changes)

    def __iter__(self) -> Iterator[Event]:
        """In order."""
        places = self._places
        for index, change in enumerate(self._changes):
            yield Event(places[2 * index], places[2 * index + 1], change)

    @property
    def last_at(self) -> int | None:
        """The instant of the newest event."""
        return self._places[-2] if self._places else None

    @property
    def services(self) -> set[str]:
        """All that the ticket has been with."""
        return {change.service for change in self._changes}

    @property
    def is_full(self) -> bool:
        """Whether the oldest event must go into the base."""
        count = len(self._changes)
        return count > EVENTS_MAX or (self.characters > HISTORY_CHARACTERS_MAX and count > 1)

    def add(self, at: int, offset: int, change: Change) -> bool:
        """Put an event in its place; whether that is the last. Its offset is above all before it."""
        self.characters += characters_of(change)
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
        places = self._places
        event = Event(places[0], places[1], self._changes[0])
        del places[:2]
        del self._changes[0]
        self.characters -= characters_of(event.change)
        return event

"""When the next thing is due on each ticket: a heap, derived from what is kept, so a restart makes it anew."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sla.clock.ticket import TicketAtom
    from sla.silences import Silences


SILENCES: Final = ""
"""Stands in the place of a ticket, all of which have a name, where a silence ends: before all of its instant."""


class Agenda:
    """A heap of instants and tickets; it may hold some that no longer matter: the ticket says when it is due."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []

    def set(self, ticket: TicketAtom) -> None:
        """After its next instant has changed."""
        if ticket.due_at is not None:
            heappush(self._heap, (ticket.due_at, ticket.id))

    def wait_for_silence(self, until_at: int) -> None:
        """When people are told again."""
        heappush(self._heap, (until_at, SILENCES))

    def fill(self, tickets: Iterable[TicketAtom], silences: Silences) -> None:
        """All of them at once."""
        self._heap = [(ticket.due_at, ticket.id) for ticket in tickets if ticket.due_at is not None]
        self._heap += [(silence.until_at, SILENCES) for silence in silences]
        heapify(self._heap)

    def is_due(self, until: int) -> bool:
        """Whether anything may be due up to an instant."""
        return bool(self._heap) and self._heap[0][0] <= until

    def next_due(self, until: int) -> tuple[int, list[str]] | None:
        """The earliest instant up to `until` and the tickets of it, each once; they are no longer in the heap."""
        heap = self._heap
        if not heap or heap[0][0] > until:
            return None
        at = heap[0][0]
        names: list[str] = []
        while heap and heap[0][0] == at:
            name = heappop(heap)[1]
            if not names or names[-1] != name:
                names.append(name)
        return at, names

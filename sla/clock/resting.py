"""Tickets that are settled for good: packed, and out of the way of whatever is asked of those that live."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps, loads
from typing import Any

from sla.clock.codec import ticket_from_json, ticket_to_json
from sla.clock.history import Pool
from sla.clock.ticket import TicketAtom


class Resting:
    """Each by its name: the offset at which it stands, and its table entry as text.

    What is true of it is in its base, so definitions and exclusions that come later no longer concern it; an event of
    its own wakes it, with its fields, its last clocks and its sequences.
    """

    def __init__(self) -> None:
        self._packed: dict[str, tuple[int, bytes]] = {}

    def __contains__(self, name: str) -> bool:
        """Whether a ticket rests."""
        return name in self._packed

    def lay(self, ticket: TicketAtom) -> None:
        """A ticket whose events are all in its base."""
        self.load(ticket.id, ticket.offset, ticket_to_json(ticket))

    def load(self, name: str, offset: int, body: Mapping[str, Any]) -> None:
        """The table entry of one that rests."""
        self._packed[name] = offset, dumps(body, separators=(",", ":")).encode()

    def body_of(self, name: str) -> dict[str, Any]:
        """The table entry of one that rests."""
        body: dict[str, Any] = loads(self._packed[name][1])
        return body

    def wake(self, name: str, pool: Pool) -> TicketAtom | None:
        """Take a ticket out, if it rests."""
        if name not in self._packed:
            return None
        ticket = ticket_from_json(self.body_of(name), self._packed[name][0], pool)
        del self._packed[name]
        return ticket

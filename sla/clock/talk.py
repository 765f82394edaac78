"""Who spoke last on a ticket, and who waits for whom: what the clocks of replies count from."""

from __future__ import annotations

from typing import Final

from sla.clock.history import Event
from sla.records import Actor, TicketEvent
from sla.ticket_objective import Metric

FIELDS: Final = (
    "answered_at",
    "first_reply_at",
    "is_closed",
    "last_reply_at",
    "opened_at",
    "started_at",
    "waiting_since",
)


class Talk:
    """The conversation on one ticket up to an event."""

    __slots__ = FIELDS

    def __init__(self) -> None:
        self.started_at: int | None = None  # the ticket's earliest event, whatever it is
        self.opened_at: int | None = None  # … or when it was last reopened
        self.first_reply_at: int | None = None  # of an agent
        self.last_reply_at: int | None = None
        self.waiting_since: int | None = None  # the oldest customer message after the first reply without an answer
        self.is_closed = False
        self.answered_at: int | None = None  # set while the event at hand is an agent's reply

    def copy(self) -> Talk:
        """Another that may go its own way."""
        other = Talk()
        for name in FIELDS:
            setattr(other, name, getattr(self, name))
        return other

    def hear(self, event: Event) -> None:
        """One more event."""
        at, change = event.at, event.change
        kind = change.event
        self.answered_at = None
        if self.started_at is None:
            self.started_at = self.opened_at = at
        if kind is TicketEvent.REPLY:
            self._hear_reply(at, change.by)
        elif kind is TicketEvent.CLOSED:
            self.is_closed = True
            self.waiting_since = None
        elif self.is_closed and kind in (TicketEvent.REOPENED, TicketEvent.CREATED):
            self.is_closed = False
            self.opened_at = at

    def _hear_reply(self, at: int, by: Actor | None) -> None:
        if by is Actor.AGENT:
            if self.first_reply_at is None:
                self.first_reply_at = at
            self.answered_at = self.last_reply_at = at
            self.waiting_since = None
        elif by is Actor.CUSTOMER and self.first_reply_at is not None and self.waiting_since is None:
            self.waiting_since = at

    def awaited_since(self, metric: Metric, at: int) -> int | None:
        """What a new clock of a metric counts from at an event; None while there is nothing to wait for."""
        if metric is Metric.FIRST_RESPONSE:
            return self.started_at if self.first_reply_at is None else None
        if metric is Metric.NEXT_REPLY:
            return self.waiting_since
        if metric is Metric.PERIODIC_UPDATE:
            return max(each for each in (self.last_reply_at, self.opened_at, self.started_at) if each is not None)
        return at

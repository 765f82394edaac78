"""What people's orders do to the clocks of a partition. They speak themselves, at the log's time."""

from __future__ import annotations

from sla.clock.flagging import refresh_standing
from sla.clock.memory import Memory
from sla.clock.speaking import Speaking
from sla.clock.ticket import TicketAtom
from sla.clock.track import Track
from sla.clock.voice import Voice
from sla.dedup import ticket_key
from sla.feeds import is_repeat
from sla.fold import Emission
from sla.heard import is_heard
from sla.orders import Ack, Silence, TicketOrder, Unack
from sla.owning import own, refused_unknown
from sla.said import Said, in_order


class Obeying:
    """Carries orders out."""

    def __init__(self, memory: Memory, speaking: Speaking) -> None:
        self._memory = memory
        self._speaking = speaking

    def obey(self, order: TicketOrder, offset: int) -> list[Emission]:
        """Carry an order out; what became of an ack is on record, of a silence `route` has it on record."""
        memory = self._memory
        if is_repeat(memory.sequences, order.feed):
            return []
        if isinstance(order, Ack | Unack):
            return self._own(order, offset)
        if memory.silences.is_heard(order, offset):
            return []
        if isinstance(order, Silence):
            memory.agenda.wait_for_silence(order.until_at)
        return in_order(self._reflag(memory.now or 0, offset)) if memory.silences.obey(order) else []

    def end_silences(self, at: int, offset: int) -> list[Said]:
        """Silences that have come to their end."""
        self._memory.silences.end_due(at)
        return self._reflag(at, offset)

    def _reflag(self, at: int, offset: int) -> list[Said]:
        """Say whose flags have changed by a silence."""

        def say(voice: Voice) -> list[Emission]:
            voice.reflag(refresh_standing(voice.track, voice.ticket, voice.moment), at)
            return voice.done() if voice.has_spoken else []

        said: list[Said] = []
        for ticket in self._memory.tickets.values():
            tracks = [track for track in ticket.tracks if track.is_open]
            if tracks and ticket.offset < offset:
                told = self._speaking.each(ticket, tracks, say, offset)
                if told:
                    self._speaking.touch(ticket)
                said += told
        return said

    def _own(self, order: Ack | Unack, offset: int) -> list[Emission]:
        now = self._memory.now or 0
        ticket = self._memory.tickets.get(order.ticket or "")
        if ticket is not None and ticket.offset >= offset:
            return []
        track = None if ticket is None else self._track_of(ticket, order.dedup_key)
        if ticket is None or track is None:
            return refused_unknown(order, now, "no clock of this ticket has this dedup key")
        if is_heard(ticket.heard, order.id, offset):
            return []

        def say(rule: str | None) -> list[Emission]:
            def speak(voice: Voice) -> list[Emission]:
                voice.reflag(rule, now)
                return voice.done()

            return in_order(self._speaking.each(ticket, [track], speak, offset)) if rule is not None else []

        said = own(order, track, now, say)
        self._speaking.touch(ticket)
        return said

    def _track_of(self, ticket: TicketAtom, key: str) -> Track | None:
        known = self._speaking.concerned(ticket)
        tracks = (track for track in ticket.tracks if (track.service, track.name) in known)
        return next((track for track in tracks if ticket_key(track.service, track.name, ticket.id) == key), None)

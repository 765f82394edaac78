"""What facts about a service and people's orders do to the streams of a partition.

They speak themselves: what they change is said at the log's time, not by the next decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote

from sla.dedup import ends_in_digest
from sla.detect.account import Account
from sla.detect.agenda import Agenda
from sla.detect.correct import Corrections
from sla.detect.flagging import refresh
from sla.detect.judge import Judge
from sla.detect.maintenance import overruns
from sla.detect.memory import Memory
from sla.detect.moment import Moment
from sla.detect.stream import Stream
from sla.events import TICKETS
from sla.feeds import is_repeat
from sla.fold import Emission
from sla.orders import Ack, Given, Ruling, ServiceOrder, Silence, Statement, Unack, Unsilence, accepted, refused
from sla.owning import own, refused_unknown
from sla.records import Approval, Dependency, Exclusion, ServiceFact
from sla.said import Said, in_order
from sla.silences import SAID_LAST
from sla.units import rfc3339


class Learning:
    """Applies facts and orders. `touch` says that a stream has changed."""

    def __init__(self, memory: Memory, judge: Judge, agenda: Agenda, touch: Callable[[Stream], None]) -> None:
        self._memory = memory
        self._judge = judge
        self._corrections = Corrections(judge)
        self._agenda = agenda
        self._touch = touch

    # -- facts

    def learn(self, fact: ServiceFact, offset: int) -> list[Emission]:
        """A fact about a whole service. What an exclusion undoes is said at once, and whose trouble has ended too."""
        is_heard = isinstance(fact, Exclusion) and self._is_heard(fact.service, fact.command, offset)
        if self._is_repeat(fact.service, fact, offset) or is_heard:
            return []
        emissions = self._take(fact, offset)
        if not isinstance(fact, Exclusion):
            return emissions
        # What a ticket's clock does not count is decided where the ticket is, and that may be in any partition.
        return [*emissions, _fed(fact), *_recorded(fact, self._memory.now or 0)]

    def _is_repeat(self, service: str, told: ServiceFact | ServiceOrder, offset: int) -> bool:
        """Whether it was heard before; not asked where the facts were written behind this line before a crash."""
        is_new = self._memory.facts.is_new(service, offset)
        return is_new and self._memory.facts.of(service).is_repeat(told.feed)

    def _is_heard(self, service: str, command: str | None, offset: int) -> bool:
        """Whether it was; asked also where the facts were written behind this line: what was a repeat is one again."""
        return command is not None and self._memory.facts.of(service).is_heard(command, offset)

    def _take(self, fact: ServiceFact, offset: int) -> list[Emission]:
        memory = self._memory
        facts = memory.facts.of(fact.service)
        if memory.facts.is_new(fact.service, offset):
            facts.add(offset, fact)
        if isinstance(fact, Exclusion):
            return self._exclude(fact, offset)
        return self._reflag(offset, fact.service) if isinstance(fact, Dependency) else []

    def _exclude(self, fact: Exclusion, offset: int) -> list[Emission]:
        memory = self._memory
        live = memory.facts.of(fact.service).live(offset)
        said: list[Said] = []
        for name, stream in memory.streams.items():
            if name[0] == fact.service and stream.offset < offset and stream.exclusions != live:
                moment = memory.moment(fact.service, memory.now or 0, offset)
                said += self._corrections.exclude(stream, live, moment)
                self._agenda.schedule_silences(stream)
                self._touch(stream)
        return in_order(said) + self._announce(fact, offset)

    def _announce(self, fact: Exclusion, offset: int) -> list[Emission]:
        """Maintenance still ahead that goes beyond what an agreement allows will cost budget."""
        memory = self._memory
        now = memory.now or 0
        live = memory.facts.of(fact.service).live(offset)
        said: list[Said] = []
        for name, stream in memory.streams.items():
            if name[0] != fact.service or stream.offset >= offset:
                continue
            moment = memory.moment(fact.service, now, offset)
            for account in stream.in_order:
                track = account.track
                agreements = memory.catalogue.agreements_of(track.objective.name)
                found = overruns(fact, live, agreements, now)
                if found:
                    said.append(Said(track.key, self._judge.announce(stream, account, moment, fact, found)))
        return in_order(said)

    # -- flags

    def _reflag(self, offset: int, service: str | None = None, at: int | None = None) -> list[Emission]:
        """Say whose flags have changed by a silence or by a dependency, of one service or of all."""
        memory = self._memory
        said: list[Said] = []
        for name, stream in memory.streams.items():
            if stream.offset >= offset or service not in {None, name[0]}:
                continue
            moment = memory.moment(name[0], (memory.now or 0) if at is None else at, offset)
            for account in stream.in_order:
                track = account.track
                rules = refresh(track, moment, SAID_LAST[track.standing], track.highest.value)
                said += [Said(track.key, self._say(stream, account, moment, rule)) for rule in rules]
        return in_order(said)

    def _say(self, stream: Stream, account: Account, moment: Moment, rule: str | None) -> list[Emission]:
        if rule is None:
            return []
        self._touch(stream)
        return self._judge.flags(stream, account, moment, rule)

    def end_silences(self, at: int, offset: int) -> list[Emission]:
        """Silences that have come to their end."""
        self._memory.silences.end_due(at)
        return self._reflag(offset, at=at)

    # -- people's orders

    def obey(self, order: ServiceOrder, offset: int) -> list[Emission]:
        """Carry an order out; its outcome is on record."""
        if isinstance(order, Silence | Unsilence):
            return self._hush(order, offset)
        service = unquote(order.dedup_key.partition("/")[0]) if isinstance(order, Ack | Unack) else order.service
        is_heard = self._is_heard(service, order.id, offset)
        if self._is_repeat(service, order, offset) or is_heard:
            return []
        match order:
            case Ack() | Unack():
                return self._own(order, offset)
            case Ruling():
                return self._rule(order, offset)
            case Statement():
                given = Given(order.kind, order.id, order.by, service)
                return [accepted(given, self._memory.now or 0, body=order.body)]

    def _hush(self, order: Silence | Unsilence, offset: int) -> list[Emission]:
        """Which silences there are is the same in every partition; whether one was known, `dispatch` has on record."""
        memory = self._memory
        if is_repeat(memory.sequences, order.feed) or memory.silences.is_heard(order, offset):
            return []
        if isinstance(order, Silence):
            self._agenda.wait_for_silence(order.until_at)
        return self._reflag(offset) if memory.silences.obey(order) else []

    def _own(self, order: Ack | Unack, offset: int) -> list[Emission]:
        memory = self._memory
        now = memory.now or 0
        found = next(self._tracks_of(order.dedup_key), None)
        if found is None:
            return refused_unknown(order, now, _why_unknown(order.dedup_key))
        stream, account = found
        if stream.offset >= offset:
            return []
        moment = memory.moment(stream.service, now, offset)
        said = own(order, account.track, now, lambda rule: self._say(stream, account, moment, rule))
        self._agenda.wait_for_ack(stream, account.track)
        return said

    def _tracks_of(self, dedup_key: str) -> Iterator[tuple[Stream, Account]]:
        for stream in self._memory.streams.values():
            yield from ((stream, account) for account in stream.in_order if account.track.key == dedup_key)

    def _rule(self, order: Ruling, offset: int) -> list[Emission]:
        now = self._memory.now or 0
        given = Given("approve" if order.is_approved else "reject", order.id, order.by, order.service)
        asked = self._memory.facts.of(order.service).exclusion(order.exclusion, offset)
        if asked is None:
            return [refused(given, now, f"no exclusion {order.exclusion} of {order.service} is known")]
        if asked.status is not Approval.REQUESTED:
            return [refused(given, now, f"exclusion {order.exclusion} is {asked.status.value} already")]
        status = Approval.APPROVED if order.is_approved else Approval.REJECTED
        ruled = asked._replace(status=status, approved_by=order.by, feed=None)
        return [*self._take(ruled, offset), _fed(ruled), accepted(given, now, f"{status.value}: {order.exclusion}")]


def _fed(exclusion: Exclusion) -> Emission:
    """The same exclusion for the fold of tickets."""
    body = {
        "type": "exclusion",
        "service": exclusion.service,
        "id": exclusion.id,
        "from": rfc3339(exclusion.from_at),
        "to": rfc3339(exclusion.to_at),
        "category": exclusion.category.value,
        "status": exclusion.status.value,
        "reason": exclusion.reason,
        "requested_by": exclusion.requested_by,
        "approved_by": exclusion.approved_by,
    }
    return Emission(TICKETS, None, body, everywhere=True)


def _recorded(exclusion: Exclusion, now: int) -> list[Emission]:
    """That a command for an exclusion was carried out, where a command said so."""
    if exclusion.command is None:
        return []
    given = Given("exclusion", exclusion.command, exclusion.by, exclusion.service)
    return [accepted(given, now, f"{exclusion.status.value}, as {exclusion.id}")]


def _why_unknown(dedup_key: str) -> str:
    why = "no promise has this dedup key"
    return f"{why}; if it is a ticket's, say `ticket` too: its id is not in it" if ends_in_digest(dedup_key) else why

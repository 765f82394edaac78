"""What time and each kind of record do to the stakeholders of one partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from sla.catalogue import Catalogue
from sla.dispatch.atom import Atom, atom_of
from sla.dispatch.desk import Desk, Scene
from sla.dispatch.hearing import hear
from sla.dispatch.policy import Policy, plain_policy, policy_of
from sla.dispatch.records import Notice
from sla.dispatch.reminding import acknowledge, let_go, run_due, speak_again
from sla.dispatch.replies import take_reply
from sla.dispatch.timers import Kind, Timer, Timers
from sla.fold import AtomState, Emission, Json, Offset
from sla.heard import is_heard
from sla.orders import Ack, Given, NoticesOrder, Reply, Silence, Unack, Unsilence, accepted, refused
from sla.records import Feed
from sla.silences import Silences
from sla.undelivered import undelivered

SPEAKER: Final = 0
"""All partitions know the same silences: this one has on record what became of an order about them."""
ALL: Final = ""
"""The stakeholder of a timer that concerns all of them; it sorts first."""


class Partition:
    """The atoms of one partition, at one log time. `offset` arguments are those of the line being applied.

    A stakeholder whose table entry was written behind that line before a crash stands ahead of it, and is passed over.
    """

    def __init__(self, number: int, base: Catalogue, cluster: str, *, check_repeats: bool) -> None:
        self._number = number
        self._cluster = cluster
        self._check_repeats = check_repeats
        self._catalogue = base
        self._silences = Silences()
        self._timers = Timers()
        self._atoms: dict[str, Atom] = {}
        self._policies: dict[str, Policy | None] = {}
        self._sequences: dict[str, int] = {}  # of what concerns all stakeholders
        self._dirty: set[str] = set()

    @property
    def catalogue(self) -> Catalogue:
        """The revision in force."""
        return self._catalogue

    # -- time

    def run_due(self, until: int, offset: int) -> list[Emission]:
        """All that is due up to an instant, each at its own, by stakeholder."""
        emissions: list[Emission] = []
        ahead: list[Timer] = []
        while timers := self._timers.next_due(until):
            first = timers[0]
            if first.stakeholder == ALL:
                emissions += self._end_silences(timers, offset)
                continue
            atom = self._atoms.get(first.stakeholder)
            if atom is None:
                continue
            if atom.offset >= offset:
                ahead += timers
                continue
            desk = self._desk(atom, first.due_at)
            if desk is not None:
                run_due(desk, timers)
                emissions += desk.out
        self._timers.put_back(ahead)
        return emissions

    def _end_silences(self, timers: Sequence[Timer], offset: int) -> list[Emission]:
        at = timers[0].due_at
        ended = [
            timer.key for timer in timers if self._silences.is_due(timer.key, at) and self._silences.end(timer.key)
        ]
        return self._each(speak_again, at, offset) if ended else []

    # -- records

    def notice(self, notice: Notice, now: int, offset: int) -> list[Emission]:
        """A notice for one stakeholder."""
        atom = self._atoms.setdefault(notice.stakeholder, Atom(notice.stakeholder))
        if offset <= atom.offset or (self._check_repeats and atom.is_repeat(notice.feed)):
            return []
        desk = self._desk(atom, now, notice)
        if desk is None:
            return []
        hear(desk, notice)
        return desk.out

    def command(self, command: NoticesOrder, now: int, offset: int) -> list[Emission]:
        """What somebody wants; of all stakeholders whom it concerns, by name."""
        if isinstance(command, Reply):
            return self._reply(command, now, offset)
        is_repeat = self._check_repeats and self._is_repeat(command.feed)
        if is_repeat or (isinstance(command, Silence | Unsilence) and self._silences.is_heard(command, offset)):
            return []
        match command:
            case Silence():
                self._silences.put(command)
                self._timers.set(Timer(max(command.until_at, now), ALL, Kind.SILENCE, command.id))
                return self._recorded(accepted(Given("silence", command.id, command.by, command.id), now))
            case Unsilence():
                return self._unsilence(command, now, offset)
            case Ack():
                return self._each(lambda desk: acknowledge(desk, command), now, offset, command.dedup_key)
            case Unack():
                return self._each(lambda desk: let_go(desk, command), now, offset, command.dedup_key)

    def _unsilence(self, order: Unsilence, now: int, offset: int) -> list[Emission]:
        was_known = self._silences.end(order.silence)
        said = self._each(speak_again, now, offset) if was_known else []
        given = Given("unsilence", order.id, order.by, order.silence)
        outcome = accepted(given, now) if was_known else refused(given, now, "no such silence is in force")
        return [*said, *self._recorded(outcome)]

    def _recorded(self, outcome: Emission) -> list[Emission]:
        """The outcome of an order that every partition hears: one of them has it on record."""
        return [outcome] if self._number == SPEAKER else []

    def _reply(self, reply: Reply, now: int, offset: int) -> list[Emission]:
        atom = self._atoms.get(reply.stakeholder)
        if atom is None:  # nobody was ever told anything under this name
            given = Given("reply", reply.id, reply.by, reply.dedup_key)
            is_defined = reply.stakeholder in self._catalogue.stakeholders
            why = "is asked nothing about this" if is_defined else "is no stakeholder"
            return [refused(given, now, f"{reply.stakeholder} {why}")]
        if offset <= atom.offset or (self._check_repeats and atom.is_repeat(reply.feed)):
            return []
        self._dirty.add(atom.name)
        if is_heard(atom.heard, reply.id, offset):
            return []
        desk = self._desk(atom, now) or Desk(atom, plain_policy(_nobody(reply)), self._scene(), now)
        take_reply(desk, reply)
        return desk.out

    def _is_repeat(self, feed: Feed) -> bool:
        if feed.sequence is None or feed.sequence > self._sequences.get(feed.source, -1):
            if feed.sequence is not None:
                self._sequences[feed.source] = feed.sequence
            return False
        return True

    def _each(self, act: Callable[[Desk], object], at: int, offset: int, key: str | None = None) -> list[Emission]:
        """What every stakeholder says to it that knows the dedup key, or to whom something was silenced."""
        emissions: list[Emission] = []
        for name in sorted(self._atoms):
            atom = self._atoms[name]
            concerned = key in atom.troubles if key is not None else any(t.is_silenced for t in atom.troubles.values())
            if concerned and atom.offset < offset:
                desk = self._desk(atom, at)
                if desk is not None:
                    act(desk)
                    emissions += desk.out
        return emissions

    # -- definitions

    def follow(self, catalogue: Catalogue, now: int, offset: int) -> list[Emission]:
        """Switch to a revision. What is held is looked at anew: hours may have opened."""
        self._catalogue = catalogue
        self._policies.clear()
        emissions: list[Emission] = []
        for name in sorted(self._atoms):
            atom = self._atoms[name]
            if atom.offset >= offset:
                continue
            if atom.digest_at is not None and atom.digest_at > now and name in catalogue.stakeholders:
                self._dirty.add(name)
                atom.digest_at = self._digest_at(atom, now)
                self._timers.set(Timer(atom.digest_at, name, Kind.DIGEST))
            elif name not in catalogue.stakeholders:
                emissions += self._dismiss(atom, now)
        return emissions + self.run_due(now, offset)

    def _digest_at(self, atom: Atom, now: int) -> int:
        policy = self._policy(atom.name)
        until_at = None if policy is None else policy.rule(now, is_critical=False).until_at
        latest_at = atom.digest_at if atom.digest_at is not None else now
        # Folded, not held: the digest is due when it was. Held: hours may open earlier or later than they did.
        return (
            until_at
            if until_at is not None
            else min(latest_at, now + (policy.stakeholder.digest_ms or 0) if policy else now)
        )

    def _dismiss(self, atom: Atom, now: int) -> list[Emission]:
        """A stakeholder that is no longer defined is told nothing more; what waited is on record."""
        waiting = [*(item for group in atom.groups.values() for item in group.items), *atom.digest]
        atom.groups.clear()
        atom.troubles.clear()
        atom.digest, atom.digest_at, atom.wholes_count = [], None, 0
        self._dirty.add(atom.name)
        why = "no longer defined"
        return [undelivered(atom.name, "dropped", why, item.event_id, item.key, now) for item in waiting]

    def _policy(self, name: str) -> Policy | None:
        if name not in self._policies:
            self._policies[name] = policy_of(self._catalogue, name)
        return self._policies[name]

    def _desk(self, atom: Atom, at: int, notice: Notice | None = None) -> Desk | None:
        """The stakeholder at work; None where nothing is known of who they are and how they are reached."""
        policy = self._policy(atom.name)
        if policy is None:
            if notice is None:
                return None
            policy = plain_policy(notice)
        self._dirty.add(atom.name)
        return Desk(atom, policy, self._scene(), at)

    def _scene(self) -> Scene:
        return Scene(self._catalogue, self._silences, self._timers, self._cluster)

    # -- state

    def changes(self, offset: Offset) -> Iterator[AtomState]:
        """The stakeholders that changed, by name."""
        for name in sorted(self._dirty):
            self._dirty.discard(name)
            yield self._atoms[name].state(offset())

    def to_json(self) -> Json:
        """What the partition's head holds beside time."""
        return {
            "revision": self._catalogue.revision,
            "sha256": self._catalogue.sha256,
            "silences": self._silences.to_json(),
            "heard": self._silences.heard,
            "sequences": dict(self._sequences),
        }

    def load_head(self, body: Json, catalogue: Catalogue) -> None:
        """Take back the head."""
        self._catalogue = catalogue
        self._silences.load(body.get("silences", ()), body.get("heard", {}))
        self._sequences = dict(body.get("sequences", {}))

    def load(self, states: Iterable[AtomState]) -> None:
        """Take back stakeholders, after the head; what is due is worked out from them."""
        for state in states:
            atom = atom_of(state)
            self._atoms[atom.name] = atom
            for timer in _timers_of(atom):
                self._timers.set(timer)
        for silence in self._silences:
            self._timers.set(Timer(silence.until_at, ALL, Kind.SILENCE, silence.id))


def _timers_of(atom: Atom) -> Iterable[Timer]:
    name = atom.name
    for root, group in atom.groups.items():
        yield Timer(group.due_at, name, Kind.GROUP, root)
    if atom.digest_at is not None:
        yield Timer(atom.digest_at, name, Kind.DIGEST)
    for key, closed in atom.closed.items():
        yield Timer(closed[0], name, Kind.FORGET, key)
    for key, trouble in atom.troubles.items():
        due = [
            (trouble.acked_until, Kind.ACK),
            (trouble.question_by_at, Kind.QUESTION),
            (trouble.ask_at, Kind.ASK),
            (trouble.ends_at, Kind.END),
            (trouble.repeat_at, Kind.REPEAT),
        ]
        due += [(at, Kind.ESCALATE) for at in trouble.steps.values() if at > 0]
        for at, kind in due:
            if at is not None:
                yield Timer(at, name, kind, key)


def _nobody(reply: Reply) -> Notice:
    return Notice(reply.stakeholder, "owner", 0, (), {}, reply.feed)

"""One stakeholder at one instant: what is to be told leaves now, waits for its group, or goes into the digest.

Nothing is told in two ways and nothing is forgotten: each notice is in a message, or its record says why not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sla.catalogue import Catalogue
from sla.dispatch.atom import WHOLE_MAX, Atom, Group, Item, Trouble
from sla.dispatch.gathering import GROUPS_APART_MAX, gather
from sla.dispatch.message import compose
from sla.dispatch.outbox import message_id, send
from sla.dispatch.planning import ask, asks_at, may_be_asked
from sla.dispatch.policy import Policy, Ruling, Verdict
from sla.dispatch.timers import Kind, Timer, Timers
from sla.fold import Emission, Json
from sla.silences import Silences
from sla.stakeholder import Channel
from sla.undelivered import Outcome, undelivered
from sla.units import rfc3339

_GOES_ON: Final = frozenset({"ack", "unack", "escalated"})
_ANSWERS: Final = frozenset({"ack", "unack", "correction"})
"""What follows what somebody was told, and is told to them whatever is silent since; so is an end."""


class Scene(NamedTuple):
    """What a stakeholder's decisions depend on beside their own atom."""

    catalogue: Catalogue
    silences: Silences
    timers: Timers
    cluster: str


class Desk:
    """Tells one stakeholder. What it says is collected in `out`, in order."""

    def __init__(self, atom: Atom, policy: Policy, scene: Scene, at: int) -> None:
        self.atom = atom
        self.policy = policy
        self.scene = scene
        self.at = at
        self.out: list[Emission] = []

    def remind(self, due_at: int, kind: Kind, key: str = "") -> None:
        """Set a timer."""
        self.scene.timers.set(Timer(due_at, self.atom.name, kind, key))

    def skip(self, outcome: Outcome, why: str, event_id: str, key: str, until_at: int | None = None) -> None:
        """Record that something is not told, or not yet."""
        self.out.append(undelivered(self.atom.name, outcome, why, event_id, key, self.at, until_at))

    # -- from arrival to its group

    def offer(self, item: Item) -> None:
        """Something to tell people: let it wait for its group, hold it, or drop it."""
        ruling = self._ruling([item])
        if ruling.verdict is not Verdict.SEND:
            self._put_off([item], ruling)
            return
        wait_ms = self.policy.stakeholder.group_wait_ms
        if wait_ms is None:
            self.leave("notice", [item])
            return
        groups = self.atom.groups
        root = gather(self.atom, item)
        if root not in groups:
            groups[root] = Group(self.at + wait_ms, [])
            self.remind(groups[root].due_at, Kind.GROUP, root)
        groups[root].add(self.atom, root, self._kept(item, len(groups) + len(groups[root].items)))
        self._wait(item, "group")

    def join(self, item: Item, trouble: Trouble) -> None:
        """The end of a trouble that has not been told yet is told together with it."""
        root = trouble.root or trouble.key
        group = self.atom.groups.get(root)
        if trouble.is_waiting == "group" and group is not None:
            group.add(self.atom, root, self._kept(item, len(self.atom.groups) + len(group.items)))
            return
        self.skip("folded", "told with what it ends, in the next digest", item.event_id, item.key, self.atom.digest_at)
        self.atom.digest.append(self._kept(item, len(self.atom.digest)))

    def run_groups(self, roots: Iterable[str]) -> None:
        """Groups whose wait is over; in a storm all that wait leave in one message."""
        due = [root for root in roots if root in self.atom.groups and self.atom.groups[root].due_at <= self.at]
        if not due:
            return
        if len(self.atom.groups) > GROUPS_APART_MAX:
            self.leave("group", [item for root in sorted(self.atom.groups) for item in self._taken(root)])
            return
        for root in due:
            items = self._taken(root)
            self.leave("notice" if len(items) == 1 else "group", items)

    def _taken(self, root: str) -> list[Item]:
        return self.atom.groups.pop(root).items

    # -- from its group to the channels

    def leave(self, kind: str, items: Sequence[Item]) -> None:
        """A message, unless hours have closed meanwhile or the limit is used up."""
        items = self._audible(items)
        if not items:
            return
        ruling = self._ruling(items)
        if ruling.verdict is not Verdict.SEND:
            self._put_off(items, ruling)
        elif self._is_limited(items):
            self._fold(items)
        else:
            limit = self.policy.stakeholder.rate_limit
            if limit is not None and self.policy.people:
                self.atom.sent_ats.append(self.at)
            self._say(kind, items)

    def run_digest(self) -> None:
        """What was held and folded, in one message."""
        atom = self.atom
        if atom.digest_at is None or atom.digest_at > self.at:
            return
        ruling = self.policy.rule(self.at, is_critical=False)
        if ruling.verdict is Verdict.HOLD and ruling.until_at is not None:
            self._digest_by(ruling.until_at)
            return
        items, atom.digest, atom.digest_at = self._audible(atom.digest), [], None
        if ruling.verdict is Verdict.DROP:
            self._put_off(items, ruling)
        elif items:
            self._say("digest", items)

    def machine(self, action: str, event: Json, item: Item, *, again: bool = False) -> None:
        """A machine event for each on-call tool; `again` only for those that forget what is not repeated."""
        for channel in self.policy.machines:
            if again and channel.kind != "alertmanager":
                continue
            told = [item.event_id, action, *([str(self.at)] if again else [])]
            message = {
                **compose(self.atom, self.policy.stakeholder.audience, "notice", [item._replace(event=event)], ()),
                "id": message_id(self.atom.name, told, channel),
                "kind": "machine",
                "action": action,
                "repeat_ms": self.policy.stakeholder.repeat_ms,
            }
            self.out.append(send(self.policy, channel, message))

    def _say(self, kind: str, items: Sequence[Item]) -> None:
        questions = [question for item in items if (question := self._ask(item)) is not None]
        message = compose(self.atom, self.policy.stakeholder.audience, kind, items, questions)
        if not self.policy.stakeholder.channels:
            for item in items:
                self.skip("dropped", "has no channel to be told by", item.event_id, item.key)
        for channel in self.policy.people:
            message_of = {**message, "id": self._id(kind, items, channel)}
            self.out.append(send(self.policy, channel, message_of))
        for item in items:
            self._note_told(item)

    def _ask(self, item: Item) -> Json | None:
        trouble = self._trouble(item)
        if not self.policy.people or trouble is None:
            return None
        question = ask(self.atom, self.policy.stakeholder, item, self.at)
        if question is not None:
            self.remind(trouble.question_by_at or self.at, Kind.QUESTION, item.key)
            return question
        if item.cause == "notice" and item.event is None and may_be_asked(trouble, self.policy.stakeholder.horizon_ms):
            self.skip("dropped", "a question to plan, for too many are open", item.event_id, item.key)
        trouble.ask_at = asks_at(trouble, self.policy.stakeholder.horizon_ms, trouble.event, self.at)
        if trouble.ask_at is not None:
            self.remind(trouble.ask_at, Kind.ASK, item.key)
        return None

    def _id(self, kind: str, items: Sequence[Item], channel: Channel) -> str:
        if kind == "notice" and items[0].cause == "notice":
            return message_id(self.atom.name, [items[0].event_id], channel)
        told = [kind, str(self.at), *(part for item in items for part in (item.event_id, item.cause, item.detail))]
        return message_id(self.atom.name, told, channel)

    def _trouble(self, item: Item) -> Trouble | None:
        """The open trouble that an item is about."""
        return None if item.is_over or item.name == "recovery" else self.atom.troubles.get(item.key)

    def _note_told(self, item: Item) -> None:
        trouble = self._trouble(item)
        if trouble is None:
            return
        is_first = not trouble.is_told
        trouble.is_waiting, trouble.told_at = None, self.at
        if trouble.ends_at is not None:
            return  # nothing is wrong yet that somebody should take on
        if is_first:
            self.await_ack(trouble)
        self.repeat_later(trouble)

    def repeat_later(self, trouble: Trouble) -> None:
        """Say it again after a while, unless something else is said before."""
        repeat_ms = self.policy.stakeholder.repeat_ms
        if repeat_ms is not None and (trouble.repeat_at is None or trouble.repeat_at <= self.at):
            trouble.repeat_at = self.at + repeat_ms
            self.remind(trouble.repeat_at, Kind.REPEAT, trouble.key)

    def await_ack(self, trouble: Trouble) -> None:
        """From here on somebody should take it on."""
        for place, step in enumerate(self.policy.stakeholder.escalate):
            name = str(place)
            if step.unacked_ms is not None and trouble.steps.get(name) != 0:
                trouble.steps[name] = self.at + step.unacked_ms
                self.remind(trouble.steps[name], Kind.ESCALATE, trouble.key)

    # -- what is put off

    def _put_off(self, items: Iterable[Item], ruling: Ruling) -> None:
        for item in items:
            if ruling.verdict is Verdict.DROP or ruling.until_at is None:
                self._wait(item, None)
                self.skip("dropped", ruling.why, item.event_id, item.key)
            else:
                self._into_digest("held", f"{ruling.why}, until {rfc3339(ruling.until_at)}", item, ruling.until_at)

    def _fold(self, items: Iterable[Item]) -> None:
        limit, digest_ms = self.policy.stakeholder.rate_limit, self.policy.stakeholder.digest_ms
        if limit is None:
            return
        until_at = self.at + digest_ms if digest_ms is not None else self.atom.sent_ats[0] + limit.per_ms
        for item in items:
            self._into_digest("folded", f"the limit of {limit.times} messages is used up", item, until_at)

    def _into_digest(self, outcome: Outcome, why: str, item: Item, until_at: int) -> None:
        self.skip(outcome, why, item.event_id, item.key, until_at)
        self.atom.digest.append(self._kept(item, len(self.atom.digest)))
        self._wait(item, "digest")
        if self.atom.digest_at is None:
            self._digest_by(until_at)

    def _digest_by(self, at: int) -> None:
        self.atom.digest_at = at
        self.remind(at, Kind.DIGEST)

    def _wait(self, item: Item, where: str | None) -> None:
        trouble = self._trouble(item)
        if trouble is not None:
            trouble.is_waiting = where

    @staticmethod
    def _kept(item: Item, kept_count: int) -> Item:
        return item if kept_count < WHOLE_MAX or item.event is None else item._replace(event=None)

    # -- rules

    def _ruling(self, items: Iterable[Item]) -> Ruling:
        return self.policy.rule(self.at, is_critical=any(item.severity == "critical" for item in items))

    def _is_limited(self, items: Iterable[Item]) -> bool:
        """Whether the limit is used up; what is critical, a recovery, or an answer to what was told passes it."""
        limit = self.policy.stakeholder.rate_limit
        if limit is None:
            return False
        self.atom.sent_ats = [at for at in self.atom.sent_ats if at > self.at - limit.per_ms]
        if any(item.severity == "critical" or item.name == "recovery" or item.cause in _GOES_ON for item in items):
            return False
        return len(self.atom.sent_ats) >= limit.times

    def _audible(self, items: Iterable[Item]) -> list[Item]:
        """Without what a silence covers by now, but for what ends or answers what was told."""
        found: list[Item] = []
        for item in items:
            trouble = self._trouble(item)
            silence = None if trouble is None else self.scene.silences.matching(self.atom.name, trouble.labels)
            if trouble is None or silence is None or (trouble.is_told and item.name in _ANSWERS):
                found.append(item)
                continue
            trouble.is_silenced, trouble.is_waiting = True, None
            self.skip("silenced", f"silence {silence.id} of {silence.by}", item.event_id, item.key, silence.until_at)
        return found

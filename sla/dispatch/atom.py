"""One stakeholder: what they were told of, what waits to be told, and how that gets into the table and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from sla.dispatch.event import Gist, Meaning, View, gist_of, service_of
from sla.fold import AtomState, Json
from sla.records import Feed
from sla.silences import labels

OPEN_MAX: Final = 10_000
"""Troubles that one stakeholder is told of at a time: their atom is one record of a changelog."""
CLOSED_MAX: Final = 2_000
WHOLE_MAX: Final = 50
"""Of so many troubles, and of so many waiting items, the whole event is kept; of the others a line.

An event is some kilobytes. Its gist, about a hundred bytes, is kept of every open trouble that on-call tools hear of.
"""


class Item(NamedTuple):
    """One thing to tell. `cause` is notice, ack, unack, expired, escalated, planning or repeat."""

    event_id: str
    name: str
    key: str
    root: str
    severity: str
    time: str
    line: str
    cause: str = "notice"
    detail: str = ""
    event: Json | None = None
    is_over: bool = False  # its episode has ended: a later one of the same key is none of its business
    episode: int | None = None


@dataclass(slots=True)
class Group:
    """Items that wait together until an instant."""

    due_at: int
    items: list[Item]
    names: set[str] = field(default_factory=set)  # the services that these items are of or come from

    def add(self, atom: Atom, root: str, item: Item) -> None:
        """Let it wait here; what ends its trouble finds it by this root, whatever it names itself."""
        self.names |= {service_of(item.key), item.root}
        self.items.append(item._replace(root=root))
        trouble = atom.troubles.get(item.key)
        if trouble is not None:
            trouble.root = root


@dataclass(slots=True)
class Trouble:
    """What a stakeholder knows of one dedup key while its episode is open."""

    key: str
    root: str
    name: str
    severity: str
    event_id: str
    time: str
    line: str
    objective: str
    agreements: tuple[str, ...]
    customers: tuple[str, ...]
    is_expectation: bool = False  # less formal than a promise: told, never paged
    is_silenced: bool = False  # something of it was not told because of a silence
    is_paged: bool = False  # an on-call tool holds an incident of it
    is_waiting: str | None = None  # for its group or for the digest
    told_at: int | None = None  # by a message, last
    acked_by: str | None = None
    acked_until: int | None = None
    repeat_at: int | None = None
    steps: dict[str, int] = field(default_factory=dict)  # step of `escalate` → when it is due, 0 once done
    escalated_to: list[str] = field(default_factory=list)
    question_by_at: int | None = None  # a planning question waits for an answer
    is_asked: bool = False
    ask_at: int | None = None  # the expected breach comes within their horizon then
    ends_at: int | None = None  # of what ends by itself: an announced maintenance
    question_event_id: str | None = None  # the event that the question was asked with
    event: Json | None = None
    gist: Gist | None = None  # of the event, where the whole is not kept and an on-call tool must hear of it again
    episode: int | None = None

    @property
    def machine_event(self) -> Json | None:
        """What on-call tools are told of it again: its event, or as much as gives the same incident."""
        if self.event is not None or self.gist is None:
            return self.event
        source, service, instance, opened_at = self.gist
        data = {
            "dedup_key": self.key,
            "service": service,
            "objective": {"name": self.objective},
            "instance": instance or None,
            "severity": self.severity,
            "opened_at": opened_at,
        }
        event_type = f"forewarn.{self.name}.v1"
        return {"id": self.event_id, "source": source, "type": event_type, "time": self.time, "data": data}

    @property
    def is_told(self) -> bool:
        """Whether the stakeholder heard of it."""
        return self.told_at is not None

    @property
    def labels(self) -> Json:
        """What a silence can match."""
        return labels(self.key, self.objective, self.severity, self.name, self.agreements, self.customers)

    def see(self, view: View) -> None:
        """The newest fact about it."""
        self.name, self.severity, self.event_id = view.name, view.severity, view.id
        self.time, self.line, self.root = view.time, view.line, view.root
        self.agreements, self.customers, self.episode = view.agreements, view.customers, view.episode


def trouble_of(view: View) -> Trouble:
    """What a first event tells."""
    told = (view.key, view.root, view.name, view.severity, view.id, view.time, view.line)
    concerned = (view.objective, view.agreements, view.customers, view.is_expectation)
    return Trouble(*told, *concerned, episode=view.episode)


@dataclass(slots=True)
class Atom:
    """One stakeholder."""

    name: str
    offset: int = -1
    sequences: dict[str, int] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    closed: dict[str, list[Any]] = field(default_factory=dict)  # told and over: until when kept, whom else it was told
    corrected: dict[str, int] = field(default_factory=dict)  # by dedup key: the sequence of the last correction heard
    groups: dict[str, Group] = field(default_factory=dict)
    digest: list[Item] = field(default_factory=list)
    digest_at: int | None = None
    sent_ats: list[int] = field(default_factory=list)  # messages to people that count for the rate limit
    replies_count: int = 0
    wholes_count: int = 0
    heard: dict[str, int] = field(default_factory=dict)  # replies, by id: the offset

    def is_repeat(self, feed: Feed) -> bool:
        """Whether a sequence was heard already; remembers it if not."""
        if feed.sequence is None:
            return False
        if feed.sequence <= self.sequences.get(feed.source, -1):
            return True
        self.sequences[feed.source] = feed.sequence
        return False

    def hears_again(self, key: str, sequence: int | None) -> bool:
        """Whether a correction, or a later one of its dedup key, was heard already; remembers it if not.

        It may come by several ways: of those who escalate to each other, each passes it on.
        """
        if sequence is None:
            return False
        if sequence <= self.corrected.get(key, -1):
            return True
        self.corrected.pop(key, None)
        self.corrected[key] = sequence
        while len(self.corrected) > CLOSED_MAX:
            del self.corrected[next(iter(self.corrected))]
        return False

    def keep(self, trouble: Trouble, event: Json, *, for_machines: bool = False) -> None:
        """Keep an event for whoever is told of the trouble later: whole, of a bounded number of troubles."""
        if trouble.event is not None or self.wholes_count < WHOLE_MAX:
            self.wholes_count += trouble.event is None
            trouble.event, trouble.gist = event, None
        elif for_machines:
            trouble.gist = gist_of(event)

    def drop(self, trouble: Trouble) -> None:
        """It is over."""
        self.wholes_count -= trouble.event is not None
        del self.troubles[trouble.key]

    def close(self, trouble: Trouble, forget_at: int) -> None:
        """Its episode is over; that it was told is remembered for corrections, of the newest such troubles."""
        self.drop(trouble)
        waits = () if trouble.is_waiting is None else (*(group.items for group in self.groups.values()), self.digest)
        for waiting in waits:
            waiting[:] = [item._replace(is_over=True) if item.key == trouble.key else item for item in waiting]
        if trouble.is_told or trouble.is_waiting is not None:
            self.remember(trouble.key, forget_at, trouble.escalated_to)

    def remember(self, key: str, forget_at: int, also: Sequence[str] = ()) -> None:
        """What was told may be corrected."""
        self.closed.pop(key, None)
        self.closed[key] = [forget_at, *also]
        while len(self.closed) > CLOSED_MAX:
            del self.closed[next(iter(self.closed))]

    def state(self, offset: int) -> AtomState:
        """The table entry."""
        body = {
            "type": "stakeholder",
            "name": self.name,
            "sequences": dict(self.sequences),
            "troubles": [_to_json(trouble) for trouble in self.troubles.values()],
            "closed": dict(self.closed),
            "corrected": dict(self.corrected),
            "groups": {
                root: [group.due_at, _items_to_json(self, group.items), sorted(group.names)]
                for root, group in self.groups.items()
            },
            "digest": _items_to_json(self, self.digest),
            "digest_at": self.digest_at,
            "sent_ats": list(self.sent_ats),
            "replies_count": self.replies_count,
            "heard": dict(self.heard),
        }
        return AtomState(f"stakeholder/{quote(self.name, safe='')}", offset, body)


_FIELDS: Final = tuple(Trouble.__dataclass_fields__)
_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {"steps": dict, "escalated_to": list, "gist": tuple}
_ALWAYS_COUNT: Final = _FIELDS.index("is_expectation")
_USUAL: Final = trouble_of(View("", "", Meaning.TROUBLE, "", "", "", "", "", "", "", "", (), (), is_expectation=False))


def _to_json(trouble: Trouble) -> list[Any]:
    """Its facts in order, then by name what is not as usual: a storm opens thousands."""
    unusual = {
        name: value for name in _FIELDS[_ALWAYS_COUNT:] if (value := getattr(trouble, name)) != getattr(_USUAL, name)
    }
    return [*(getattr(trouble, name) for name in _FIELDS[:_ALWAYS_COUNT]), unusual]


def _from_json(stored: Sequence[Any]) -> Trouble:
    *facts, agreements, customers, unusual = stored
    said = dict(zip(_FIELDS, facts, strict=False))
    trouble = Trouble(**said, agreements=tuple(agreements), customers=tuple(customers))
    for name, value in unusual.items():
        if name not in _FIELDS:
            continue  # of an earlier version
        setattr(trouble, name, _KINDS.get(name, lambda plain: plain)(value))
    return trouble


def _plain_item(trouble: Trouble) -> Item:
    """What is told of a trouble's newest event, when its whole event is not kept."""
    root, severity = trouble.root or trouble.key, trouble.severity
    told = (trouble.event_id, trouble.name, trouble.key, root, severity, trouble.time, trouble.line)
    return Item(*told, episode=trouble.episode)


def _items_to_json(atom: Atom, items: Iterable[Item]) -> list[Any]:
    """Most of those that wait in a storm say what their trouble says: its key is enough."""
    return [
        item.key
        if (trouble := atom.troubles.get(item.key)) is not None and item == _plain_item(trouble)
        else list(item)
        for item in items
    ]


def _items_from_json(atom: Atom, stored: Iterable[Any]) -> list[Item]:
    return [_plain_item(atom.troubles[each]) if isinstance(each, str) else Item(*each) for each in stored]


def atom_of(state: AtomState) -> Atom:
    """The stakeholder of a table entry."""
    body = state.body
    atom = Atom(body["name"], state.offset, dict(body["sequences"]))
    atom.troubles = {each[0]: _from_json(each) for each in body.get("troubles", ())}
    atom.wholes_count = sum(1 for trouble in atom.troubles.values() if trouble.event is not None)
    atom.closed = {key: list(kept) for key, kept in body.get("closed", {}).items()}
    atom.corrected = dict(body.get("corrected", {}))
    for root, (due_at, items, *names) in body.get("groups", {}).items():
        atom.groups[root] = Group(due_at, _items_from_json(atom, items), set(*names) or {root})
    atom.digest = _items_from_json(atom, body.get("digest", ()))
    atom.digest_at = body.get("digest_at")
    atom.sent_ats = list(body.get("sent_ats", ()))
    atom.replies_count = body.get("replies_count", 0)
    atom.heard = dict(body.get("heard", {}))
    return atom

"""What people decide, as it reaches the folds: `route` makes these of their commands (wire.md 3).

Each says who gave it (`by`) and names the command (`id`). Its outcome, also a refusal, is a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sla.events import RECORDS
from sla.fold import Emission, Json
from sla.records import Feed
from sla.units import rfc3339

SAID: Final = ("action", "sign_off", "dispute")
"""What is put on record and changes nothing else."""
ANSWERS: Final = ("accept", "mitigate", "renegotiate", "more_time")
"""To a planning question."""


class Ack(NamedTuple):
    """Somebody has taken a trouble on: it is not repeated until `until_at` (None: until it ends)."""

    id: str
    by: str
    dedup_key: str
    feed: Feed
    reason: str | None = None
    until_at: int | None = None
    ticket: str | None = None  # whose trouble it is, where a ticket's
    episode: int | None = None  # the one that is meant: it takes on no other


class Unack(NamedTuple):
    """Somebody has let go of a trouble again."""

    id: str
    by: str
    dedup_key: str
    feed: Feed
    ticket: str | None = None


class Silence(NamedTuple):
    """Nobody is told of what matches until `until_at`: each field named has one of the values listed."""

    id: str
    by: str
    matchers: Mapping[str, tuple[str, ...]]
    until_at: int
    feed: Feed
    reason: str | None = None


class Unsilence(NamedTuple):
    """A silence ends before its time."""

    id: str
    by: str
    silence: str
    feed: Feed


class Reply(NamedTuple):
    """A stakeholder's answer to a planning question: accept, mitigate, renegotiate or more_time."""

    id: str
    by: str
    stakeholder: str
    dedup_key: str
    answer: str
    feed: Feed
    text: str | None = None
    until_at: int | None = None  # with more_time: by when an answer will come
    event_id: str | None = None  # the event that the question came with: it answers no other


class Ruling(NamedTuple):
    """Whether an exclusion that was asked for is approved."""

    id: str
    by: str
    service: str
    exclusion: str
    is_approved: bool
    feed: Feed
    reason: str | None = None


class Statement(NamedTuple):
    """Something said about a service, for the record; `kind` is one of `SAID`, `body` the command as it was given."""

    id: str
    by: str
    kind: str
    service: str
    body: Json
    feed: Feed


NoticesOrder = Ack | Unack | Silence | Unsilence | Reply
"""What the fold of notices takes."""
ServiceOrder = Ack | Unack | Silence | Unsilence | Ruling | Statement
"""What the fold of telemetry takes."""
TicketOrder = Ack | Unack | Silence | Unsilence
"""What the fold of tickets takes; each ack and unack of these names its ticket."""


class Given(NamedTuple):
    """Which command a record is about: its type, id, who gave it, and the key of the record."""

    command: str
    id: str | None
    by: str | None
    about: str


def accepted(given: Given, at: int, detail: str | None = None, body: Json | None = None) -> Emission:
    """The record of a command that was carried out; `body` is what is put on record with it."""
    return _outcome("command_accepted", given, at, {"detail": detail, "body": body})


def refused(given: Given, at: int, why: str) -> Emission:
    """The record of a command that came to nothing."""
    return _outcome("command_refused", given, at, {"detail": why})


def _outcome(kind: str, given: Given, at: int, more: Json) -> Emission:
    told = {"type": kind, "command": given.command, "id": given.id, "by": given.by, "about": given.about}
    return Emission(RECORDS, given.about, {**told, **more, "at": rfc3339(at)})

"""What the fold of notices reads and writes: notices, people's commands, and messages for channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sla.fold import Json
from sla.records import CatalogueMarker, Feed, Tick
from sla.stakeholder import Channel


class Escalated(NamedTuple):
    """That another stakeholder's notice goes here too: whose, and why."""

    by: str
    why: str


class Notice(NamedTuple):
    """One event for one stakeholder, with the channels that the revision of its sender gave them."""

    stakeholder: str
    audience: str
    revision: int
    channels: tuple[Channel, ...]
    event: Json  # a CloudEvent with at least `id` and `data.dedup_key`
    feed: Feed
    escalated: Escalated | None = None


class Ack(NamedTuple):
    """Somebody has taken a trouble on: it is not repeated until `until_at` (None: until it ends)."""

    id: str
    by: str
    dedup_key: str
    feed: Feed
    reason: str | None = None
    until_at: int | None = None


class Unack(NamedTuple):
    """Somebody has let go of a trouble again."""

    id: str
    by: str
    dedup_key: str
    feed: Feed


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


Command = Ack | Unack | Silence | Unsilence | Reply
NoticesRecord = Notice | Command | Tick | CatalogueMarker


class Send(NamedTuple):
    """One message to hand to one channel. `id` stays the same however often the same event is dispatched.

    `kind` is notice, group, digest, repeat or machine. `action` is what an on-call tool is to do with its incident of
    this dedup key: trigger, resolve or none of both (None). `event` is the CloudEvent it leads with, `items` one line
    for each event it tells of; `planning` the questions it asks. `fallback` is the stakeholder
    to tell when the channel fails for good, with its audience and channels.
    """

    id: str
    stakeholder: str
    audience: str
    channel: Channel
    subject: str
    text: str
    event_id: str
    dedup_key: str
    feed: Feed
    kind: str = "notice"
    action: str | None = None
    severity: str | None = None
    repeat_ms: int | None = None
    event: Json | None = None
    event_ids: tuple[str, ...] = ()
    items: tuple[Json, ...] = ()
    planning: tuple[Json, ...] = ()
    fallback: Json | None = None

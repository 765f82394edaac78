"""What the fold of notices reads and writes: notices, people's orders, and messages for channels."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from sla.fold import Json
from sla.orders import NoticesOrder
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


NoticesRecord = Notice | NoticesOrder | Tick | CatalogueMarker


class Send(NamedTuple):
    """One message to hand to one channel. `id` stays the same however often the same event is dispatched.

    `kind` is notice, group, digest, repeat or machine. `action` is what an on-call tool is to do with its incident of
    this dedup key: trigger, resolve or none of both (None). `event` is the CloudEvent it leads with, `items` one line
    for each event it tells of; `planning` the questions it asks. `fallback` is the stakeholder
    to tell when the channel fails for good, with its audience and channels. `concerns` names the agreements and
    customers that the stakeholder watches: of an event's agreements an outsider may hear of no others.
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
    concerns: Json = MappingProxyType({})

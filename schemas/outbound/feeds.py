"""What one fold writes for the next: notices and commands, messages for channels, and what became of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.outbound.events import Told
from schemas.outbound.shapes import Count, DedupKey, Id, Instant, Name, Number, Severity, Shape
from sla.silences import FIELDS


class Channel(Shape):
    """Where a stakeholder is reached."""

    kind: Name
    url: str | None


class _Feed(Shape):
    source: Annotated[str, Field(pattern=r"^forewarn:[a-z0-9.]+/[0-9]+$")]
    sequence: Count


class Escalated(Shape):
    """Whose notice it was, and why it goes further."""

    by: Name
    why: Name


class Notice(_Feed):
    """One event for one stakeholder."""

    type: Literal["notice"]
    stakeholder: Name
    audience: Literal["oncall", "owner", "customer", "supplier", "executive"]
    revision: Count
    channels: list[Channel]
    event: Told
    escalated: Annotated[
        Escalated | None, Field(description="set where another stakeholder's notice goes here too")
    ] = None


class _Command(_Feed):
    id: Name
    by: Name


class Ack(_Command):
    """Somebody has taken a trouble on; in every partition, without a key."""

    type: Literal["ack"]
    dedup_key: DedupKey
    reason: str | None = None
    until: Annotated[Instant | None, Field(description="null: until it ends")] = None


class Unack(_Command):
    """Somebody has let go of a trouble; in every partition, without a key."""

    type: Literal["unack"]
    dedup_key: DedupKey


class Silence(_Command):
    """Nobody is told of what matches; in every partition, without a key."""

    type: Literal["silence"]
    matchers: Annotated[
        dict[Literal[FIELDS], Annotated[list[str], Field(min_length=1)]],  # type: ignore[valid-type]
        Field(min_length=1, description="each field named has one of the values listed"),
    ]
    until: Instant
    reason: str | None = None


class Unsilence(_Command):
    """A silence ends before its time; in every partition, without a key."""

    type: Literal["unsilence"]
    silence: Annotated[Name, Field(description="the id of the silence")]


class Reply(_Command):
    """A stakeholder's answer to a planning question, keyed by stakeholder."""

    type: Literal["reply"]
    stakeholder: Name
    dedup_key: DedupKey
    answer: Literal["accept", "mitigate", "renegotiate", "more_time"]
    text: str | None = None
    until: Annotated[Instant | None, Field(description="with more_time: by when an answer will come")] = None


class Item(Shape):
    """One thing that a message tells of."""

    event_id: Id
    event: Name
    dedup_key: DedupKey
    severity: Severity
    time: str
    line: str
    cause: Literal["notice", "ack", "unack", "expired", "escalated", "planning", "repeat"]
    detail: str | None
    holds: Annotated[bool, Field(description="whether the trouble was open when the message was made")]
    episode: int | None = None


class Question(Shape):
    """What a stakeholder is asked to decide, and by when."""

    dedup_key: DedupKey
    event_id: Id
    asked_at: Instant
    answer_by: Instant
    answers: list[str]
    forecast: dict[str, Any] | None
    agreements: list[dict[str, Any]]
    actions: list[str]
    question: str


class Fallback(Shape):
    """Who is told when the channel fails for good."""

    stakeholder: Name
    audience: Name
    channels: list[Channel]


class Concerns(Shape):
    """What a stakeholder watches: of an event's agreements an outsider may hear of no others."""

    agreements: list[Name]
    customers: list[Name]


class Send(_Feed):
    """One message to hand to one channel."""

    type: Literal["send"]
    id: Id
    stakeholder: Name
    audience: Literal["oncall", "owner", "customer", "supplier", "executive"]
    channel: Channel
    subject: Name
    text: Name
    event_id: Annotated[Id, Field(description="of the event that it leads with")]
    dedup_key: DedupKey
    kind: Literal["notice", "group", "digest", "repeat", "machine"]
    action: Annotated[
        Literal["trigger", "acknowledge", "resolve"] | None,
        Field(description="what an on-call tool is to do with its incident of this dedup key"),
    ]
    severity: Severity | None
    repeat_ms: Annotated[Count | None, Field(description="when a machine is told the same again")]
    event: Told | None
    event_ids: list[Id] = Field(description="of all events that it tells of, at most 1,000")
    events_count: Number
    items: list[Item] = Field(description="what it tells of, at most 100")
    planning: list[Question]
    fallback: Fallback | None
    concerns: Concerns


class Delivery(Shape):
    """How one attempt to tell somebody ended, or why nobody tried.

    `delivered` and `failed` are of a message, whose `id` they bear. `held` (quiet hours) and `folded` (rate limit) are
    of one event that a digest will tell of, at about `until`; `silenced` and `dropped` of one that is not told.
    """

    type: Literal["delivery"]
    id: Id
    stakeholder: Annotated[Name | None, Field(description="null where nobody at all is told; the key is the dedup key")]
    channel: Annotated[Channel | None, Field(description="null where no channel was tried")]
    outcome: Literal["delivered", "failed", "held", "folded", "silenced", "dropped"]
    detail: str | None
    event_id: Id
    event_ids: list[Id] = Field(description="of all events of the message, where it has several")
    dedup_key: DedupKey
    at: Instant
    until: Instant | None


class Tick(Shape):
    """Time itself, written to the log."""

    type: Literal["tick"]


class CatalogueMarker(Shape):
    """From here on, the partition follows this revision."""

    type: Literal["catalogue"]
    revision: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

"""Everything published that is no CloudEvent: records, late and dead letters, and what one fold writes for the next."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.outbound.events import Alert
from schemas.outbound.shapes import Base64, Count, DedupKey, Id, Instant, Name, Number, Shape
from sla.records import Reason as DeadLetterReason


class Place(Shape):
    """The record of the log that caused it."""

    topic: Name
    partition: Count
    offset: Count


class AlertRecord(Shape):
    """The inputs of one decision, so that it can be explained after the telemetry is gone."""

    type: Literal["alert"]
    event_id: Id
    event_type: Annotated[str, Field(pattern=r"^forewarn\.[a-z_]+\.v1$")]
    dedup_key: DedupKey
    at: Instant
    source: Place
    revision: Count
    definition: dict[str, Any]
    inputs: dict[str, Any]


class _Watch(Shape):
    topic: Name
    partition: Count
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant


class DetectorGap(_Watch):
    """Nobody was watching this partition."""

    type: Literal["detector_gap"]


class DeadLetterStorm(_Watch):
    """More than 100 records in a row of this partition could not be used; told at the first one too many."""

    type: Literal["dead_letter_storm"]


Record = Annotated[AlertRecord | DetectorGap | DeadLetterStorm, Field(discriminator="type")]


class Late(Shape):
    """A record beyond its grace, as it came."""

    late_ms: Number
    counted: bool
    topic: Name
    partition: Count
    offset: Count
    record: dict[str, Any]


class DeadLetter(Shape):
    """A record that cannot be used."""

    reason: DeadLetterReason
    detail: str
    topic: Name | None
    partition: Count | None
    offset: Count
    timestamp: Instant | None
    key_base64: Base64 | None
    value_base64: Base64 | None
    headers: list[tuple[str, Base64 | None]]
    truncated: Literal[True] = Field(default=True, description="only where the value was cut")


# -- what one fold writes for the next


class Channel(Shape):
    """Where a stakeholder is reached."""

    kind: Name
    url: str | None


class _Feed(Shape):
    source: Annotated[str, Field(pattern=r"^forewarn:[a-z0-9.]+/[0-9]+$")]
    sequence: Count


class Notice(_Feed):
    """One event for one stakeholder."""

    type: Literal["notice"]
    stakeholder: Name
    audience: Literal["oncall", "owner", "customer", "supplier", "executive"]
    revision: Count
    channels: list[Channel]
    event: Alert


class Send(_Feed):
    """One message to hand to one channel."""

    type: Literal["send"]
    id: Id
    stakeholder: Name
    audience: Literal["oncall", "owner", "customer", "supplier", "executive"]
    channel: Channel
    subject: Name
    text: Name
    event_id: Id
    dedup_key: DedupKey


class Delivery(Shape):
    """How one attempt to tell somebody ended."""

    type: Literal["delivery"]
    id: Id
    stakeholder: Name
    channel: Channel
    outcome: Literal["delivered", "failed"]
    detail: str | None
    event_id: Id
    dedup_key: DedupKey
    at: Instant


class Tick(Shape):
    """Time itself, written to the log."""

    type: Literal["tick"]


class CatalogueMarker(Shape):
    """From here on, the partition follows this revision."""

    type: Literal["catalogue"]
    revision: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

"""Everything published that is no CloudEvent: records, late and dead letters, and what one fold writes for the next."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.outbound.events import PlanningReply
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
    event_type: Annotated[str, Field(pattern=r"^forewarn\.(clock\.)?[a-z_]+\.v1$")]
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


class _Outcome(Shape):
    command: Annotated[str, Field(description="its type as it was given; `unreadable` where it had none")]
    id: Annotated[Name | None, Field(description="null where it could not be read")]
    by: Annotated[Name | None, Field(description="null where it could not be read")]
    about: Annotated[Name, Field(description="dedup key, service, silence or stakeholder; the record's key")]
    at: Instant


class CommandAccepted(_Outcome):
    """A command that was carried out; an answer to a planning question is `forewarn.planning_reply.v1` instead."""

    type: Literal["command_accepted"]
    detail: str | None
    body: Annotated[dict[str, Any] | None, Field(description="what is put on record: action, sign_off, dispute")]


class CommandRefused(_Outcome):
    """A command that came to nothing, and why."""

    type: Literal["command_refused"]
    detail: str


Record = Annotated[
    AlertRecord | DetectorGap | DeadLetterStorm | CommandAccepted | CommandRefused | PlanningReply,
    Field(discriminator="type"),
]


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

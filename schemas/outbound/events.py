"""The CloudEvents of `sla.alerts.v1` and `sla.status.v1`, one class for each type."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.outbound.data import (
    ClockMetData,
    ClockRetargetedData,
    CorrectionData,
    EventData,
    ForecastData,
    MaintenanceData,
    PeriodClosedData,
)
from schemas.outbound.shapes import DedupKey, Id, Instant, Name, Number, Shape


class _Event(Shape):
    """CloudEvents 1.0, structured JSON."""

    specversion: Literal["1.0"]
    id: Id
    source: Annotated[str, Field(pattern=r"^/forewarn/.+$")]
    subject: DedupKey
    time: Instant
    datacontenttype: Literal["application/json"]
    partitionkey: DedupKey


class EarlyWarning(_Event):
    """A promise will be missed if nothing changes."""

    type: Literal["forewarn.early_warning.v1"]
    dataschema: Literal["urn:forewarn:early_warning.v1"]
    data: EventData


class Breach(_Event):
    """A promise is missed."""

    type: Literal["forewarn.breach.v1"]
    dataschema: Literal["urn:forewarn:breach.v1"]
    data: EventData


class Recovery(_Event):
    """A promise is met again."""

    type: Literal["forewarn.recovery.v1"]
    dataschema: Literal["urn:forewarn:recovery.v1"]
    data: EventData


class Unknown(_Event):
    """No data: nobody can say."""

    type: Literal["forewarn.unknown.v1"]
    dataschema: Literal["urn:forewarn:unknown.v1"]
    data: EventData


class FlagsChanged(_Event):
    """The state stays, its flags change."""

    type: Literal["forewarn.flags_changed.v1"]
    dataschema: Literal["urn:forewarn:flags_changed.v1"]
    data: EventData


class Correction(_Event):
    """What was published is no longer true."""

    type: Literal["forewarn.correction.v1"]
    dataschema: Literal["urn:forewarn:correction.v1"]
    data: CorrectionData


class PeriodClosed(_Event):
    """The verdict of an agreement's period."""

    type: Literal["forewarn.period_closed.v1"]
    dataschema: Literal["urn:forewarn:period_closed.v1"]
    data: PeriodClosedData


class Maintenance(_Event):
    """Announced maintenance will cost budget; in notices alone, since only people plan for it."""

    type: Literal["forewarn.maintenance.v1"]
    dataschema: Literal["urn:forewarn:maintenance.v1"]
    data: MaintenanceData


class PlanningReplyData(Shape):
    """What a stakeholder will do about an expected breach; `answer` is null when nobody said so in time."""

    dedup_key: DedupKey
    sequence: Number
    stakeholder: Name
    event_id: Annotated[Id, Field(description="the newest event of the trouble")]
    answer: Literal["accept", "mitigate", "renegotiate", "more_time"] | None
    by: str | None
    text: str | None
    command_id: str | None
    until: Annotated[Instant | None, Field(description="by when a further answer is expected")]


class PlanningReply(_Event):
    """A planning question was answered, or was not in time; on `sla.records.v1`."""

    type: Literal["forewarn.planning_reply.v1"]
    dataschema: Literal["urn:forewarn:planning_reply.v1"]
    data: PlanningReplyData


class Status(_Event):
    """How a promise stands."""

    type: Literal["forewarn.status.v1"]
    dataschema: Literal["urn:forewarn:status.v1"]
    data: EventData


class ClockStarted(_Event):
    """A clock began."""

    type: Literal["forewarn.clock.started.v1"]
    dataschema: Literal["urn:forewarn:clock.started.v1"]
    data: EventData


class ClockPaused(_Event):
    """A clock stands still."""

    type: Literal["forewarn.clock.paused.v1"]
    dataschema: Literal["urn:forewarn:clock.paused.v1"]
    data: EventData


class ClockResumed(_Event):
    """A clock runs again."""

    type: Literal["forewarn.clock.resumed.v1"]
    dataschema: Literal["urn:forewarn:clock.resumed.v1"]
    data: EventData


class ClockRetargeted(_Event):
    """A clock took over from that of another objective."""

    type: Literal["forewarn.clock.retargeted.v1"]
    dataschema: Literal["urn:forewarn:clock.retargeted.v1"]
    data: ClockRetargetedData


class ClockMet(_Event):
    """A clock stopped; late or in time."""

    type: Literal["forewarn.clock.met.v1"]
    dataschema: Literal["urn:forewarn:clock.met.v1"]
    data: ClockMetData


class ClockBreached(_Event):
    """A clock passed its deadline."""

    type: Literal["forewarn.clock.breached.v1"]
    dataschema: Literal["urn:forewarn:clock.breached.v1"]
    data: EventData


class ClockCancelled(_Event):
    """A clock ended without an outcome."""

    type: Literal["forewarn.clock.cancelled.v1"]
    dataschema: Literal["urn:forewarn:clock.cancelled.v1"]
    data: EventData


class Forecast(_Event):
    """How many of a queue's open clocks will be missed, at the pace of late."""

    type: Literal["forewarn.forecast.v1"]
    dataschema: Literal["urn:forewarn:forecast.v1"]
    data: ForecastData


ClockEvent = Annotated[
    ClockStarted | ClockPaused | ClockResumed | ClockRetargeted | ClockMet | ClockBreached | ClockCancelled,
    Field(discriminator="type"),
]
Alert = Annotated[
    EarlyWarning | Breach | Recovery | Unknown | FlagsChanged | Correction | PeriodClosed, Field(discriminator="type")
]
Told = Annotated[
    EarlyWarning | Breach | Recovery | Unknown | FlagsChanged | Correction | PeriodClosed | Maintenance,
    Field(discriminator="type"),
]
"""What a notice may tell of."""

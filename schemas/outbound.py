"""The shapes of everything Forewarn publishes (wire.md 4), as models that the published JSON Schemas are made from.

Nothing in the product is built through these: the folds write plain objects, and tests hold the two together. Every
field is required and null where it does not apply; consumers must ignore fields they do not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sla.records import Reason as DeadLetterReason

Instant = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$",
        description="RFC 3339 in UTC with milliseconds",
    ),
]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="the first 32 hex digits of a sha256")]
DedupKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~%:-]+(/[A-Za-z0-9._~%:-]+)+$")]
Span = Annotated[str, Field(pattern=r"^[1-9][0-9]*[mhd]$", description="a window, such as 5m, 1h or 30d")]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Severity = Literal["info", "warning", "critical"]
State = Literal["unknown", "ok", "at_risk", "breached"]


class _Shape(BaseModel):
    """An object that may grow fields but never loses one."""

    model_config = ConfigDict(extra="allow")


# -- the data of an event


class Objective(_Shape):
    """Which promise, as it was defined when the event was decided."""

    name: Name
    version: Number
    target: Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]+)?%$")]
    window: Name
    kind: Literal["ratio", "threshold", "uptime", "percentile", "composite", "tickets"]


class Agreement(_Shape):
    """Who the promise was made to."""

    name: Name
    type: Literal["sla", "ola", "uc", "slo", "expectation"]
    customer: str | None
    credit_at_risk: str | None


class Reason(_Shape):
    """The rule that decided and the numbers it decided on; what does not apply to the rule is null."""

    rule: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    tier: str | None
    factor: Annotated[float, Field(gt=0)] | None
    long_window: Span | None
    short_window: Span | None
    burn_long: Annotated[float, Field(ge=0)] | None
    burn_short: Annotated[float, Field(ge=0)] | None
    bad_count: Count | None
    total_count: Count | None
    p_value: Share | None
    mark: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?%$")] | None


class Budget(_Shape):
    """The budget of the whole window; `remaining_ratio` is null where nothing is allowed."""

    allowed_count: Count
    consumed_count: Count
    remaining_ratio: Annotated[float, Field(le=1)] | None


class Quantiles(_Shape):
    """Order statistics of the breach instant over the scenarios that breach."""

    p10: Instant
    p50: Instant
    p90: Instant


class Forecast(_Shape):
    """What the scenarios say."""

    breach_at: Quantiles | None
    p_breach_in_window: Share


class Confidence(_Shape):
    """How much of the window the verdict rests on."""

    level: Literal["warming", "partial", "full"]
    coverage: Share


class Flags(_Shape):
    """What machines need to know beside the state."""

    acked_by: str | None
    acked_until: Instant | None
    silenced: bool
    suppressed_by: str | None
    no_data: bool
    historic: bool
    final: bool


class Cause(_Shape):
    """Something that happened shortly before the onset."""

    type: Name
    id: Name
    at: Instant
    summary: str | None


class Exclusion(_Shape):
    """Time of the window that does not count."""

    id: Name
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    category: Literal["planned", "customer", "force_majeure", "other"]
    reason: str | None
    widened_ms: Annotated[int, Field(ge=0, description="by how much its edges were widened to whole buckets")]


class Advice(_Shape):
    """What it means in plain words, and what can be done."""

    summary: str
    actions: list[str]
    runbook: str | None


class EventData(_Shape):
    """The data of every alert and status."""

    dedup_key: DedupKey
    sequence: Number
    episode: Count
    severity: Severity
    state: State
    previous_state: State
    service: Name
    signal: str
    instance: str | None
    objective: Objective
    agreements: list[Agreement]
    owner: str | None
    opened_at: Instant | None
    evaluated_at: Instant
    reason: Reason
    budget: Budget | None
    forecast: Forecast | None
    confidence: Confidence
    flags: Flags
    ticket: dict[str, Any] | None
    causes: list[Cause]
    exclusions: list[Exclusion]
    advice: Advice


class CorrectionData(EventData):
    """What was published and is no longer true; a corrected period's figures are in `before` and `after`."""

    supersedes: Id | None
    before: dict[str, Any]
    after: dict[str, Any]


class Period(_Shape):
    """A closed period of an agreement."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    attained_ppm: Annotated[int, Field(ge=0, le=1_000_000)] | None
    met: bool
    excluded_ms: Count
    credit: str | None


class PeriodClosedData(EventData):
    """The verdict of a period."""

    period: Period


# -- CloudEvents


class _Event(_Shape):
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


class Status(_Event):
    """How a promise stands."""

    type: Literal["forewarn.status.v1"]
    dataschema: Literal["urn:forewarn:status.v1"]
    data: EventData


Alert = Annotated[
    EarlyWarning | Breach | Recovery | Unknown | FlagsChanged | Correction | PeriodClosed, Field(discriminator="type")
]


# -- records


class Place(_Shape):
    """The record of the log that caused it."""

    topic: Name
    partition: Count
    offset: Count


class AlertRecord(_Shape):
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


class DetectorGap(_Shape):
    """Nobody was watching this partition."""

    type: Literal["detector_gap"]
    topic: Name
    partition: Count
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant


Record = Annotated[AlertRecord | DetectorGap, Field(discriminator="type")]


class Late(_Shape):
    """A record beyond its grace, as it came."""

    late_ms: Number
    counted: bool
    topic: Name
    partition: Count
    offset: Count
    record: dict[str, Any]


class DeadLetter(_Shape):
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


class Channel(_Shape):
    """Where a stakeholder is reached."""

    kind: Name
    url: str | None


class _Feed(_Shape):
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


class Delivery(_Shape):
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


class Tick(_Shape):
    """Time itself, written to the log."""

    type: Literal["tick"]


class CatalogueMarker(_Shape):
    """From here on, the partition follows this revision."""

    type: Literal["catalogue"]
    revision: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


MODELS: Final[dict[str, tuple[str, TypeAdapter[Any]]]] = {
    "alerts": ("What happened to a promise (sla.alerts.v1, sla.alerts.shadow.v1)", TypeAdapter(Alert)),
    "status": ("How each promise stands (sla.status.v1)", TypeAdapter(Status)),
    "records": ("The inputs of decisions, and gaps (sla.records.v1)", TypeAdapter(Record)),
    "late": ("Records beyond their grace (sla.late.v1)", TypeAdapter(Late)),
    "dlq": ("Dead letters (sla.dlq.v1)", TypeAdapter(DeadLetter)),
    "notices": (
        "What people are to be told (sla.notices.v1)",
        TypeAdapter(Annotated[Notice | Tick | CatalogueMarker, Field(discriminator="type")]),
    ),
    "outbox": (
        "Messages to hand to channels (sla.outbox.v1)",
        TypeAdapter(Annotated[Send | Tick | CatalogueMarker, Field(discriminator="type")]),
    ),
    "deliveries": ("How attempts to tell somebody ended (sla.deliveries.v1)", TypeAdapter(Delivery)),
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one kind of outgoing record."""
    title, adapter = MODELS[name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:forewarn:schema:{name}.v1",
        **adapter.json_schema(by_alias=True, mode="validation"),
        "title": title,
    }

"""What leaves on `sla.alerts.v1` and `sla.status.v1`: CloudEvents 1.0 around one shape of data (wire.md 4).

The types are the source of the published JSON Schemas (`schemas.outbound`); the functions fill the envelope.
Instants are RFC 3339 texts here, because these are the objects as they leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypedDict

from sla.dedup import event_id
from sla.fold import Emission
from sla.units import HOUR_MS, rfc3339

ALERTS: Final = "sla.alerts.v1"
SHADOW: Final = "sla.alerts.shadow.v1"
STATUS: Final = "sla.status.v1"
LATE: Final = "sla.late.v1"
RECORDS: Final = "sla.records.v1"
NOTICES: Final = "sla.notices.v1"
OUTBOX: Final = "sla.outbox.v1"
DELIVERIES: Final = "sla.deliveries.v1"
TELEMETRY: Final = "sla.telemetry.v1"
TICKETS: Final = "sla.tickets.v1"
CLOCKS: Final = "sla.clocks.v1"
FORECASTS: Final = "sla.forecasts.v1"

HISTORIC_AFTER_MS: Final = HOUR_MS
"""A fact older than this when it is evaluated is history: recorded, counted, never paged."""

WatchRecord = Literal["detector_gap", "dead_letter_storm"]
SeverityText = Literal["info", "warning", "critical"]
StateText = Literal["unknown", "ok", "at_risk", "breached"]


class ObjectiveRef(TypedDict):
    """Which promise, as it was defined when the event was decided."""

    name: str
    version: int
    target: str
    window: str
    kind: str


class AgreementRef(TypedDict):
    """Who the promise was made to."""

    name: str
    type: str
    customer: str | None
    credit_at_risk: str | None


class Reason(TypedDict):
    """The rule that decided and the numbers it decided on; what does not apply to the rule is null."""

    rule: str
    tier: str | None
    factor: float | None
    long_window: str | None
    short_window: str | None
    burn_long: float | None
    burn_short: float | None
    bad_count: int | None
    total_count: int | None
    p_value: float | None
    mark: str | None


class BudgetView(TypedDict):
    """The budget of the whole window; `remaining_ratio` is null where nothing is allowed."""

    allowed_count: int
    consumed_count: int
    remaining_ratio: float | None


class Quantiles(TypedDict):
    """Order statistics of the breach instant over the scenarios that breach."""

    p10: str
    p50: str
    p90: str


class ForecastView(TypedDict):
    """What the scenarios say; `breach_at` is null if fewer than half of them breach."""

    breach_at: Quantiles | None
    p_breach_in_window: float


class Confidence(TypedDict):
    """How much of the window the verdict rests on."""

    level: Literal["warming", "partial", "full"]
    coverage: float


class Flags(TypedDict):
    """What machines need to know beside the state."""

    acked_by: str | None
    acked_until: str | None
    silenced: bool
    suppressed_by: str | None
    no_data: bool
    historic: bool
    final: bool


class Cause(TypedDict):
    """Something that happened shortly before the onset."""

    type: str
    id: str
    at: str
    summary: str | None


ExclusionRef = TypedDict(
    "ExclusionRef",
    {"id": str, "from": str, "to": str, "category": str, "reason": str | None, "widened_ms": int},
)
"""An exclusion in the window, and by how much its edges were widened to whole buckets."""


class Advice(TypedDict):
    """What it means in plain words, and what can be done."""

    summary: str
    actions: list[str]
    runbook: str | None


class TicketView(TypedDict):
    """A ticket's clock at the instant of the fact; spans are working time. `deadline` is null while paused."""

    id: str
    metric: str
    target_ms: int
    elapsed_ms: int
    percent: int
    deadline: str | None
    paused: bool
    time_left_ms: int
    deadline_if_resumed_now: str | None
    ended_at: str | None


class Counted(TypedDict):
    """Order statistics of a count over the scenarios."""

    p10: int
    p50: int
    p90: int


class QueueView(TypedDict):
    """A queue of open clocks, and how many of them are missed within a day; `by` when, in the middle case."""

    team: str | None
    priority: str | None
    open_count: int
    paused_count: int
    sample_count: int
    by: str | None
    breach_count: Counted


class EventData(TypedDict):
    """The data of every alert and status."""

    dedup_key: str
    sequence: int
    episode: int
    severity: SeverityText
    state: StateText
    previous_state: StateText
    service: str
    signal: str
    instance: str | None
    objective: ObjectiveRef
    agreements: list[AgreementRef]
    owner: str | None
    opened_at: str | None
    evaluated_at: str
    reason: Reason
    budget: BudgetView | None
    forecast: ForecastView | None
    confidence: Confidence
    flags: Flags
    ticket: TicketView | None
    causes: list[Cause]
    exclusions: list[ExclusionRef]
    advice: Advice


def no_reason(rule: str) -> Reason:
    """A reason that has no numbers."""
    return Reason(
        rule=rule, tier=None, factor=None, long_window=None, short_window=None, burn_long=None, burn_short=None,
        bad_count=None, total_count=None, p_value=None, mark=None,
    )  # fmt: skip


def cloud_event(cluster: str, topic: str, name: str, at: int, data: Mapping[str, Any]) -> Emission:
    """The envelope around `data`, whose dedup key and sequence make the id. `name` is `early_warning`, `breach`, …."""
    key = data["dedup_key"]
    event_type = f"forewarn.{name}.v1"
    return Emission(
        topic,
        key,
        {
            "specversion": "1.0",
            "id": event_id(topic, key, data["sequence"], event_type),
            "source": f"/forewarn/{cluster}",
            "type": event_type,
            "subject": key,
            "time": rfc3339(at),
            "datacontenttype": "application/json",
            "dataschema": f"urn:forewarn:{name}.v1",
            "partitionkey": key,
            "data": data,
        },
    )


def watch_record(kind: WatchRecord, topic: str, partition: int, from_at: int, to_at: int) -> Emission:
    """What the detector noticed about one partition of its own input, for `sla.records.v1`."""
    body = {"type": kind, "topic": topic, "partition": partition, "from": rfc3339(from_at), "to": rfc3339(to_at)}
    return Emission(RECORDS, f"{topic}/{partition}", body)

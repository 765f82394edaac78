"""The data of alerts and status events: one shape, with what some types add."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.outbound.shapes import Count, DedupKey, Id, Instant, Name, Number, Severity, Shape, Share, Span, State


class Objective(Shape):
    """Which promise, as it was defined when the event was decided."""

    name: Name
    version: Number
    target: Annotated[str, Field(pattern=r"^([0-9]{1,3}(\.[0-9]+)?%|[0-9]+[smhd])$")]
    window: Name
    kind: Literal["ratio", "threshold", "uptime", "percentile", "composite", "tickets", "ticket"]


class Agreement(Shape):
    """Who the promise was made to."""

    name: Name
    type: Literal["sla", "ola", "uc", "slo", "expectation"]
    customer: str | None
    credit_at_risk: str | None


class Reason(Shape):
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
    mark: Annotated[str, Field(pattern=r"^[0-9]+((\.[0-9]+)?%|[smhd])$")] | None


class Budget(Shape):
    """The budget of the whole window; `remaining_ratio` is null where nothing is allowed."""

    allowed_count: Count
    consumed_count: Count
    remaining_ratio: Annotated[float, Field(le=1)] | None


class Quantiles(Shape):
    """Order statistics of the breach instant over the scenarios that breach."""

    p10: Instant
    p50: Instant
    p90: Instant


class Forecast(Shape):
    """What the scenarios say."""

    breach_at: Quantiles | None
    p_breach_in_window: Share


class Confidence(Shape):
    """How much of the window the verdict rests on."""

    level: Literal["warming", "partial", "full"]
    coverage: Share


class Flags(Shape):
    """What machines need to know beside the state."""

    acked_by: str | None
    acked_until: Instant | None
    silenced: bool
    suppressed_by: str | None
    no_data: bool
    historic: bool
    final: bool


class Cause(Shape):
    """Something that happened shortly before the onset."""

    type: Name
    id: Name
    at: Instant
    summary: str | None


class Exclusion(Shape):
    """Time of the window that does not count."""

    id: Name
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    category: Literal["planned", "customer", "force_majeure", "other"]
    reason: str | None
    widened_ms: Annotated[int, Field(ge=0, description="by how much its edges were widened to whole buckets")]


class Advice(Shape):
    """What it means in plain words, and what can be done."""

    summary: str
    actions: list[str]
    runbook: str | None


class Ticket(Shape):
    """A ticket's clock at the instant of the fact; spans are working time."""

    id: Name
    metric: Literal[
        "resolution", "first_response", "next_reply", "periodic_update", "requester_wait", "agent_work", "custom"
    ]
    target_ms: Number
    elapsed_ms: Count
    percent: Count
    deadline: Annotated[Instant | None, Field(description="null while paused")]
    paused: bool
    time_left_ms: Annotated[int, Field(description="negative once the target is missed")]
    deadline_if_resumed_now: Annotated[Instant | None, Field(description="only while paused")]
    ended_at: Instant | None


class EventData(Shape):
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
    ticket: Ticket | None
    causes: list[Cause]
    exclusions: list[Exclusion]
    advice: Advice


class CorrectionData(EventData):
    """What was published and is no longer true; a corrected period's figures are in `before` and `after`."""

    supersedes: Id | None
    before: dict[str, Any]
    after: dict[str, Any]


class ClockMetData(EventData):
    """A clock stopped; `late` after its deadline."""

    late: bool


class BreachCount(Shape):
    """Order statistics over the scenarios."""

    p10: int
    p50: int
    p90: int


class QueueState(Shape):
    """A queue of open clocks; `by` is the last deadline that the middle scenario misses."""

    team: str | None
    priority: str | None
    open_count: int
    paused_count: int
    sample_count: int
    by: Instant | None
    breach_count: BreachCount


class ForecastData(EventData):
    """How many clocks of a queue will be missed within a day."""

    queue: QueueState


class ClockRetargetedData(EventData):
    """A clock took over from that of another objective."""

    replaces: DedupKey


class Period(Shape):
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


class Counted(Shape):
    """How much of a planned maintenance is beyond what an agreement allows."""

    agreement: Name
    over_ms: Number


class Announced(Shape):
    """A planned maintenance that is still ahead."""

    id: Name
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    status: Literal["requested", "approved"]
    reason: str | None
    counted: list[Counted]


class MaintenanceData(EventData):
    """Announced maintenance that will cost budget; `agreements` are those whose budget it is."""

    maintenance: Announced

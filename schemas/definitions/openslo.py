"""OpenSLO v1 documents as they are, read into Forewarn's own kinds.

Service, SLI and SLO are read. Where the data comes from (`metricSource`) is not Forewarn's business: counts and
samples arrive with `signal` = the SLI's name. What alone says who is alerted or where to query is left aside with a
finding.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from schemas.definitions.fields import Name, Strict, TimeZone

API_VERSION: Final = "openslo/v1"
READ: Final = ("Service", "SLI", "SLO")
LEFT_ASIDE: Final = ("DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")

Number = float


class Metadata(Strict):
    """Names and labels; annotations may hold `forewarn.lint/allow` and `forewarn.lint/reason`."""

    name: Name
    displayName: str | None = None  # noqa: N815 - as OpenSLO writes it
    labels: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None


class MaybeNamed(Strict):
    """The metadata of an inline indicator, whose name may be missing."""

    name: Name | None = None
    displayName: str | None = None  # noqa: N815
    labels: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None


class Metric(Strict):
    """Where a number comes from; not looked at."""

    metricSource: dict[str, Any]  # noqa: N815


class RatioMetric(Strict):
    """Good or bad events against all of them, or a ratio that was worked out elsewhere."""

    counter: bool | None = None
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    rawType: Literal["success", "failure"] | None = None  # noqa: N815
    raw: Metric | None = None


class SliSpec(Strict):
    """One of the two metrics."""

    description: str | None = None
    thresholdMetric: Metric | None = None  # noqa: N815
    ratioMetric: RatioMetric | None = None  # noqa: N815


class Sli(Strict):
    """A named indicator."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLI"]
    metadata: Metadata
    spec: SliSpec


class InlineSli(Strict):
    """An indicator written inside its SLO."""

    apiVersion: Literal["openslo/v1"] | None = None  # noqa: N815
    kind: Literal["SLI"] | None = None
    metadata: MaybeNamed | None = None
    spec: SliSpec


class StartOfCalendar(Strict):
    """Where a calendar window starts counting."""

    startTime: str  # noqa: N815
    timeZone: TimeZone  # noqa: N815


class TimeWindow(Strict):
    """A rolling or a calendar-aligned window."""

    duration: str
    isRolling: bool | None = None  # noqa: N815
    calendar: StartOfCalendar | None = None


class SloObjective(Strict):
    """One target of an SLO."""

    displayName: str | None = None  # noqa: N815
    op: Literal["lte", "lt", "gte", "gt"] | None = None
    value: Number | None = None
    target: Number | None = None
    targetPercent: Number | None = None  # noqa: N815
    timeSliceTarget: Number | None = None  # noqa: N815
    timeSliceWindow: str | int | None = None  # noqa: N815
    indicator: dict[str, Any] | None = None
    indicatorRef: str | None = None  # noqa: N815
    compositeWeight: Number | None = None  # noqa: N815


class SloSpec(Strict):
    """A service, an indicator, a window and targets."""

    description: str | None = None
    service: Name
    indicator: InlineSli | None = None
    indicatorRef: Name | None = None  # noqa: N815
    timeWindow: Annotated[list[TimeWindow], Field(min_length=1, max_length=1)]  # noqa: N815
    budgetingMethod: str  # noqa: N815
    objectives: Annotated[list[SloObjective], Field(min_length=1)]
    alertPolicies: list[Any] | None = None  # noqa: N815


class Slo(Strict):
    """A service level objective."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SloSpec


class ServiceSpec(Strict):
    """What OpenSLO says of a service."""

    description: str | None = None


class Service(Strict):
    """A service."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["Service"]
    metadata: Metadata
    spec: ServiceSpec = ServiceSpec()


MODELS: Final[dict[str, type[Service | Sli | Slo]]] = {"Service": Service, "SLI": Sli, "SLO": Slo}

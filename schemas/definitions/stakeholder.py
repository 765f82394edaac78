"""The model of Stakeholder: who is told what, where, and how often."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator
from pydantic.json_schema import WithJsonSchema

from schemas.definitions.channels import Channel
from schemas.definitions.fields import Duration, Name, OrNone, RateLimit, Strict, reader, wrong
from schemas.definitions.findings import nearest
from schemas.definitions.ticket_objective import Mark
from schemas.definitions.values import MalformedError, shown
from sla import stakeholder as to

EVENTS: Final = (
    "early_warning",
    "breach",
    "recovery",
    "unknown",
    "correction",
    "flags_changed",
    "period_closed",
    "forecast",
    *(f"clock.{name}" for name in ("started", "paused", "resumed", "retargeted", "met", "breached", "cancelled")),
)


def _parse_event(value: Any) -> str:
    name = value.removeprefix("forewarn.").removesuffix(".v1") if isinstance(value, str) else ""
    if name not in EVENTS:
        raise MalformedError(
            f"{shown(value)} is not an event{nearest(name, EVENTS) or '; known are ' + ', '.join(EVENTS)}"
        )
    return name


Event = Annotated[str, reader(_parse_event), WithJsonSchema({"enum": list(EVENTS)})]


class WatchesSpec(Strict):
    """What a stakeholder hears of; each list that is given narrows it."""

    agreements: list[Name] = Field(default_factory=list)
    services: list[Name] = Field(default_factory=list)
    owners: list[Name] = Field(default_factory=list)
    customers: list[Name] = Field(default_factory=list)
    severities: list[Literal["info", "warning", "critical"]] = Field(default_factory=list)
    events: list[Event] = Field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is watched."""
        lists = (self.agreements, self.services, self.owners, self.customers, self.severities, self.events)
        return not any(lists)


class Hours(Strict):
    """When a stakeholder may be disturbed, and what happens to notices outside of it."""

    calendar: Name
    outside: Literal["hold", "deliver", "drop"] = "hold"


class Escalation(Strict):
    """When somebody else is told too."""

    timeLeft: Mark | None = None  # noqa: N815 - as it is written
    unackedAfter: Duration | None = None  # noqa: N815
    to: Name

    @model_validator(mode="after")
    def _one_cause(self) -> Escalation:
        if (self.timeLeft is None) == (self.unackedAfter is None):
            raise wrong("an escalation has either timeLeft or unackedAfter: write {timeLeft: 25%, to: <stakeholder>}")
        return self


class StakeholderSpec(Strict):
    """Somebody who is told."""

    audience: Literal["oncall", "owner", "customer", "supplier", "executive"]
    watches: WatchesSpec
    channels: Annotated[list[Channel], Field(min_length=1)]
    hours: Annotated[Hours | None, OrNone] = None
    criticalBypassesHours: bool | None = None  # noqa: N815 - true for oncall, else false
    horizon: Annotated[Duration | None, OrNone] = Field(default="24h", validate_default=True)
    digest: Annotated[Duration | None, OrNone] = Field(default="30m", validate_default=True)
    groupWait: Annotated[Duration | None, OrNone] = Field(default="30s", validate_default=True)  # noqa: N815
    repeat: Annotated[Duration | None, OrNone] = Field(default="4h", validate_default=True)
    rateLimit: Annotated[RateLimit | None, OrNone] = Field(default="6/h", validate_default=True)  # noqa: N815
    escalate: Annotated[list[Escalation] | None, OrNone] = None
    fallback: Annotated[Name | None, OrNone] = None


def stakeholder_of(name: str, spec: StakeholderSpec) -> to.Stakeholder:
    """The stakeholder as the folds see it, defaults filled in."""
    watches = spec.watches
    rate = spec.rateLimit
    hours = spec.hours
    bypasses = spec.criticalBypassesHours
    return to.Stakeholder(
        name=name,
        audience=spec.audience,
        watches=to.Watches(
            agreements=tuple(watches.agreements),
            services=tuple(watches.services),
            owners=tuple(watches.owners),
            severities=tuple(watches.severities),
            events=tuple(watches.events),
            customers=tuple(watches.customers),
        ),
        channels=tuple(to.Channel(each.kind, each.url) for each in spec.channels),
        hours=to.Hours(hours.calendar, to.Outside(hours.outside)) if hours is not None else None,
        critical_bypasses_hours=spec.audience == "oncall" if bypasses is None else bypasses,
        horizon_ms=spec.horizon,
        digest_ms=spec.digest,
        group_wait_ms=spec.groupWait,
        repeat_ms=spec.repeat,
        rate_limit=to.RateLimit(rate.times, rate.per_ms) if rate is not None else None,
        escalate=tuple(_escalation(step) for step in spec.escalate or ()),
        fallback=spec.fallback,
    )


def _escalation(step: Escalation) -> to.Escalation:
    if step.timeLeft is None:
        return to.Escalation(step.to, unacked_ms=step.unackedAfter)
    unit, amount = step.timeLeft
    return to.Escalation(step.to, left_ppm=amount) if unit == "percent" else to.Escalation(step.to, left_ms=amount)

"""The model of Stakeholder: who is told what, where, and how often."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, model_validator
from pydantic.json_schema import WithJsonSchema

from schemas.definitions.fields import Duration, Name, OrNone, RateLimit, Strict, reader, wrong
from schemas.definitions.findings import nearest
from schemas.definitions.ticket_objective import Mark
from schemas.definitions.values import MalformedError, shown
from sla import stakeholder as to

KINDS: Final = ("console", "apprise", "webhook", "pagerduty", "alertmanager")
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
_ENV: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)
_SECRET_FIELDS: Final = frozenset({"token", "key", "apikey", "api_key", "secret", "password", "routing_key"})
_URL_LONGEST: Final = 2000


class ChannelEntry(NamedTuple):
    """One channel: its kind and where it leads (None for the console)."""

    kind: str
    url: str | None


def parse_channel(value: Any) -> ChannelEntry:
    """`console` or one kind with its URL: `{webhook: "https://…"}`. Secrets only as `${ENV}`."""
    if value == "console":
        return ChannelEntry("console", None)
    if not isinstance(value, dict) or len(value) != 1:
        raise MalformedError(
            f'{shown(value)} is not a channel: write console or one kind and its URL, such as webhook: "https://…"'
        )
    kind, url = next(iter(value.items()))
    if kind not in KINDS:
        raise MalformedError(f"{kind!r} is not a channel{nearest(kind, KINDS) or '; known are ' + ', '.join(KINDS)}")
    if kind == "console":
        if url not in (None, True, {}):
            raise MalformedError("the console takes no URL: write console")
        return ChannelEntry("console", None)
    if not isinstance(url, str) or not 1 <= len(url) <= _URL_LONGEST:
        raise MalformedError(f'{kind} takes its URL as text, such as {kind}: "https://…"')
    if _holds_secret(kind, url):
        raise MalformedError(
            f"{kind} holds a secret in plain text: write it as ${{NAME}} and set NAME in the environment"
        )
    return ChannelEntry(kind, url)


def _holds_secret(kind: str, url: str) -> bool:
    if kind == "pagerduty" and "://" not in url:
        return not _ENV.fullmatch(url)
    try:
        # `${NAME}` stands for its value: it must not be cut at its braces or count as a plain secret.
        parts = urlsplit(_ENV.sub("", url))
        password = parts.password
    except ValueError:
        return False
    return bool(password) or any(name.lower() in _SECRET_FIELDS for name, text in parse_qsl(parts.query) if text)


Channel = Annotated[
    ChannelEntry,
    reader(parse_channel),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "console"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {kind: {} if kind == "console" else {"type": "string"} for kind in KINDS},
                },
            ],
        },
    ),
]


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

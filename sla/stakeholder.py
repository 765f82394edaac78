"""Who is told: what they watch, where they are reached, when they may be disturbed and how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Watches:
    """What a stakeholder wants to hear of: an empty tuple does not restrict; all empty watches nothing."""

    agreements: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a stakeholder is reached: `kind` is console, apprise, …; `url` may hold `${ENV}`, never a secret."""

    kind: str
    url: str | None = None


class Outside(StrEnum):
    """What becomes of a notice outside of a stakeholder's hours."""

    HOLD = "hold"
    DELIVER = "deliver"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Hours:
    """When a stakeholder may be disturbed: a calendar's name, and what happens outside of it."""

    calendar: str
    outside: Outside = Outside.HOLD


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `times` messages in any `per_ms`."""

    times: int
    per_ms: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """When somebody else is told too: one of the three is given.

    `left_ppm` is a share of the time from the beginning of the trouble to the expected breach, for a ticket of its
    target; `left_ms` the time before it; `unacked_ms` the time since the stakeholder was told.
    """

    to: str
    left_ppm: int | None = None
    left_ms: int | None = None
    unacked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stakeholder:
    """Somebody who is told. What is None or empty does not hold anything back: every notice is told at once."""

    name: str
    audience: str
    watches: Watches
    channels: tuple[Channel, ...]
    hours: Hours | None = None
    critical_bypasses_hours: bool = False
    horizon_ms: int | None = None
    digest_ms: int | None = None
    group_wait_ms: int | None = None
    repeat_ms: int | None = None
    rate_limit: RateLimit | None = None
    escalate: tuple[Escalation, ...] = ()
    fallback: str | None = None

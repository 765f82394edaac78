"""Definitions as the folds see them: checked, with defaults filled in, derived numbers derived.

`schemas.definitions` makes these from YAML; policy is data from here on. All durations are milliseconds, all shares
parts per million. What a later issue evaluates is parsed but does not appear in `Catalogue.evaluated_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from sla.stakeholder import Stakeholder
from sla.ticket_objective import Outcomes, TicketObjective, TicketPromises
from sla.units import DAY_MS, MINUTE_MS, SECOND_MS
from sla.working_time import ALWAYS, YEAR_MS, WorkingTime


class Severity(StrEnum):
    """How urgent an event is; `RANK` orders them."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


RANK: Final = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


# -- indicators: how a signal becomes good and bad


@dataclass(frozen=True, slots=True)
class Ratio:
    """Counts of good and bad events."""

    signal: str
    kind: str = "ratio"


class Op(StrEnum):
    """How a good sample compares with the threshold."""

    LTE = "lte"
    LT = "lt"
    GTE = "gte"
    GT = "gt"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A sample is good when `sample op value`."""

    signal: str
    op: Op
    value: float
    kind: str = "threshold"


@dataclass(frozen=True, slots=True)
class Uptime:
    """Milliseconds up are good, milliseconds down are bad."""

    signal: str
    kind: str = "uptime"


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """An indicator that is defined and checked but not computed yet: percentile, composite."""

    kind: str
    signal: str | None = None


Indicator = Ratio | Threshold | Uptime | Outcomes | NotEvaluated


# -- windows and budgeting


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last `window_ms` up to now."""

    window_ms: int
    text: str  # as events spell it: "30d rolling"


class Unit(StrEnum):
    """Calendar periods. Weeks start on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class CalendarPeriod:
    """Local dates in a time zone; begins anew at each local midnight that starts a unit."""

    unit: Unit
    timezone: str
    text: str  # as events spell it: "month calendar"


Window = Rolling | CalendarPeriod

NOMINAL_MS: Final = {
    Unit.DAY: DAY_MS,
    Unit.WEEK: 7 * DAY_MS,
    Unit.MONTH: 30 * DAY_MS,
    Unit.QUARTER: 90 * DAY_MS,
    Unit.YEAR: 365 * DAY_MS,
}


def nominal_ms(window: Window, hours: WorkingTime = ALWAYS) -> int:
    """The period that burn-rate factors are derived from (semantics.md 1: month 30 d, quarter 90 d, year 365 d).

    With a calendar a rolling window is so long in its time, and a period has its share of a year of that calendar.
    """
    if isinstance(window, Rolling):
        return window.window_ms
    return NOMINAL_MS[window.unit] * hours.year_ms // YEAR_MS


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every event counts the same."""


@dataclass(frozen=True, slots=True)
class Timeslices:
    """Each slice counts the same: good if its share of good events is at least `target_ppm`."""

    slice_ms: int
    target_ppm: int


Budgeting = Occurrences | Timeslices


class Treat(StrEnum):
    """What time without data is worth."""

    UNKNOWN = "unknown"
    BAD = "bad"
    GOOD = "good"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class NoData:
    """Silence longer than `after_ms` of counted time is no data."""

    after_ms: int
    treat: Treat


# -- warnings


@dataclass(frozen=True, slots=True)
class BurnTier:
    """Fires when both its windows burn faster than spending `budget_ppm` of the period's budget in `long_ms`."""

    name: str
    severity: Severity
    budget_ppm: int
    long_ms: int
    short_ms: int


@dataclass(frozen=True, slots=True)
class ForecastRule:
    """Fires when at least `probability_ppm` of the scenarios breach within `within_ms`."""

    within_ms: int
    probability_ppm: int


class Mode(StrEnum):
    """Shadow objectives are computed and published apart; nobody is told."""

    LIVE = "live"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class Objective:
    """A target for an indicator over a window."""

    name: str
    service: str
    indicator: Indicator
    target_ppm: int
    target_text: str  # as written: "99.9%"
    window: Window
    budgeting: Budgeting = Occurrences()
    no_data: NoData | None = None
    grace_ms: int = 2 * MINUTE_MS
    correct_for_ms: int = 3 * DAY_MS
    tiers: tuple[BurnTier, ...] = ()
    marks_ppm: tuple[int, ...] = (500_000, 750_000, 900_000)  # ascending
    forecast: ForecastRule | None = ForecastRule(DAY_MS, 500_000)
    mode: Mode = Mode.LIVE
    shadow_of: str | None = None
    renamed_from: str | None = None
    version: int = 1
    calendar: str | None = None  # by name; its hours alone count
    hours: WorkingTime = ALWAYS
    evaluated: bool = True  # False: parsed and checked, but a later release computes it


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who promised which objectives to whom. `type` is sla, ola, uc, slo or expectation."""

    name: str
    type: str
    objectives: tuple[str, ...]
    customer: str | None = None
    provider: str | None = None
    period: CalendarPeriod | None = None
    effective_from_at: int | None = None
    effective_to_at: int | None = None
    maintenance_allowance_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """What is delivered, by whom, and what it stands on."""

    name: str
    owner: str | None = None
    depends_on: tuple[str, ...] = ()
    critical_depends_on: tuple[str, ...] = ()
    runbook: str | None = None


@dataclass(frozen=True)
class Catalogue:
    """One revision of all definitions, in force together."""

    revision: int = 0
    sha256: str = ""
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    stakeholders: Mapping[str, Stakeholder] = field(default_factory=dict)
    decide_every_ms: int = SECOND_MS
    settle_tickets_after_ms: int = 30 * DAY_MS
    calendars: Mapping[str, WorkingTime] = field(default_factory=dict)
    ticket_promises: TicketPromises = field(default_factory=TicketPromises)

    @cached_property
    def _by_stream(self) -> dict[tuple[str, str], tuple[Objective, ...]]:
        found: dict[tuple[str, str], list[Objective]] = {}
        for objective in sorted(self.objectives.values(), key=lambda o: o.name):
            if objective.evaluated and objective.indicator.signal is not None:
                found.setdefault((objective.service, objective.indicator.signal), []).append(objective)
        return {stream: tuple(objectives) for stream, objectives in found.items()}

    def evaluated_of(self, service: str, signal: str) -> tuple[Objective, ...]:
        """The objectives computed from one stream, by name."""
        return self._by_stream.get((service, signal), ())

    @cached_property
    def _dependants_of(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for service in sorted(self.services.values(), key=lambda each: each.name):
            for name in service.critical_depends_on:
                found.setdefault(name, []).append(service.name)
        return {name: tuple(dependants) for name, dependants in found.items()}

    def dependants_of(self, service: str) -> tuple[str, ...]:
        """The services that cannot do without this one, by name."""
        return self._dependants_of.get(service, ())

    @cached_property
    def _agreements_of(self) -> dict[str, tuple[Agreement, ...]]:
        found: dict[str, list[Agreement]] = {}
        for agreement in sorted(self.agreements.values(), key=lambda a: a.name):
            for objective in agreement.objectives:
                found.setdefault(objective, []).append(agreement)
        return {objective: tuple(agreements) for objective, agreements in found.items()}

    def agreements_of(self, objective: str) -> tuple[Agreement, ...]:
        """The agreements that promise an objective, by name."""
        return self._agreements_of.get(objective, ())

    def of_tickets(self, service: str) -> tuple[TicketObjective, ...]:
        """The objectives of a service's tickets, by name: its own and those of any service."""
        return self.ticket_promises.of(service)

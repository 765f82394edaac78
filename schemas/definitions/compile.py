"""From checked definitions to the catalogue that the folds read: defaults filled in, tiers derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.definitions import indicator as written
from schemas.definitions.agreement import Period
from schemas.definitions.calendar import timetable_of
from schemas.definitions.kinds import Agreement, Calendar, Objective, Service, Settings, Stakeholder, TicketObjective
from schemas.definitions.objective import CalendarWindow, ObjectiveSpec, RollingWindow, TimeslicesBudget, Warnings
from schemas.definitions.source import Defined
from schemas.definitions.stakeholder import stakeholder_of
from schemas.definitions.ticket_compile import ticket_objective
from sla import catalogue as to
from sla.stakeholder import Stakeholder as Told
from sla.ticket_objective import Outcomes, TicketPromises
from sla.ticket_objective import TicketObjective as Clock
from sla.tiers import google
from sla.units import SECOND_MS, span_text
from sla.working_time import ALWAYS, WorkingTime

_NO_DATA_OF_UPTIME = to.NoData(5 * 60 * SECOND_MS, to.Treat.UNKNOWN)


def compile_catalogue(
    definitions: Iterable[Defined],
    revision: int = 0,
    sha256: str = "",
    versions: Mapping[str, int] | None = None,
) -> to.Catalogue:
    """The catalogue of definitions without errors; `versions` by document key, 1 where it says nothing."""
    counted = versions or {}
    objectives: dict[str, to.Objective] = {}
    agreements: dict[str, to.Agreement] = {}
    services: dict[str, to.Service] = {}
    stakeholders: dict[str, Told] = {}
    definitions = list(definitions)
    calendars = calendars_of(definitions)
    clocks: dict[str, Clock] = {}
    settings: dict[str, int] = {}
    for each in definitions:
        document, name = each.document, each.name
        if isinstance(document, Objective):
            objectives[name] = _objective(document, counted.get(each.key, 1), calendars)
        elif isinstance(document, TicketObjective):
            clocks[name] = ticket_objective(document, counted.get(each.key, 1), calendars)
        elif isinstance(document, Agreement):
            agreements[name] = _agreement(document)
        elif isinstance(document, Service):
            services[name] = _service(document)
        elif isinstance(document, Stakeholder):
            stakeholders[name] = stakeholder_of(document.metadata.name, document.spec)
        elif isinstance(document, Settings):
            spec = document.spec
            settings = {"decide_every_ms": spec.decideEvery, "settle_tickets_after_ms": spec.settleTicketsAfter}
    return to.Catalogue(
        revision,
        sha256,
        objectives,
        agreements,
        services,
        stakeholders,
        calendars=calendars,
        ticket_promises=TicketPromises(tuple(clocks.values())),
        **settings,
    )


def calendars_of(definitions: Iterable[Defined]) -> dict[str, WorkingTime]:
    """The calendars by name, of one name the first."""
    found: dict[str, WorkingTime] = {}
    for each in definitions:
        if isinstance(each.document, Calendar) and each.name not in found:
            found[each.name] = WorkingTime(timetable_of(each.document.spec))
    return found


def hours_of(spec: ObjectiveSpec, calendars: Mapping[str, WorkingTime]) -> WorkingTime:
    """The time that counts for an objective; all of it where its calendar is not defined, which is an error."""
    return ALWAYS if spec.calendar is None else calendars.get(spec.calendar, ALWAYS)


def window_of(spec: ObjectiveSpec) -> to.Window:
    """An objective's window with the text that events show."""
    return _window(spec.window)


def is_evaluated(spec: ObjectiveSpec) -> bool:
    """Whether this release computes the objective."""
    computed = written.RatioIndicator | written.ThresholdIndicator | written.UptimeIndicator | written.TicketsIndicator
    return isinstance(spec.indicator, computed)


def tiers_of(spec: ObjectiveSpec, hours: WorkingTime = ALWAYS) -> tuple[to.BurnTier, ...]:
    """The burn tiers of an objective, built in or its own."""
    if spec.warnings is None or spec.warnings.burnRates == "none":
        return ()
    if spec.warnings.burnRates == "google":
        return google(to.nominal_ms(window_of(spec), hours), spec.target.ppm).tiers
    return own_tiers(spec.warnings)


def own_tiers(warnings: Warnings) -> tuple[to.BurnTier, ...]:
    """The hand-written tiers, in their order."""
    if isinstance(warnings.burnRates, str):
        return ()
    return tuple(
        to.BurnTier(rule.name, to.Severity(rule.severity), rule.budget, rule.long, rule.short)
        for rule in warnings.burnRates
    )


def _objective(document: Objective, version: int, calendars: Mapping[str, WorkingTime]) -> to.Objective:
    spec = document.spec
    hours = hours_of(spec, calendars)
    warnings = spec.warnings
    forecast = warnings.forecast if warnings is not None else None
    return to.Objective(
        name=document.metadata.name,
        service=spec.service,
        indicator=_indicator(spec.indicator),
        target_ppm=spec.target.ppm,
        target_text=spec.target.text,
        window=_window(spec.window),
        budgeting=_budgeting(spec),
        no_data=no_data_of(spec),
        grace_ms=spec.grace or 0,
        correct_for_ms=spec.correctFor or 0,
        tiers=tiers_of(spec, hours),
        marks_ppm=tuple(sorted(set(warnings.budgetConsumed or ()))) if warnings is not None else (),
        forecast=to.ForecastRule(forecast.within, forecast.probability) if forecast is not None else None,
        mode=to.Mode(spec.mode),
        shadow_of=spec.shadowOf,
        renamed_from=document.metadata.renamedFrom,
        version=version,
        calendar=spec.calendar,
        hours=hours,
        evaluated=is_evaluated(spec),
    )


def no_data_of(spec: ObjectiveSpec) -> to.NoData | None:
    """What silence means: as written; for uptime 5m and unknown unless switched off; else nothing."""
    if spec.noData is not None:
        return to.NoData(spec.noData.after, to.Treat(spec.noData.treat))
    is_default = "noData" not in spec.model_fields_set
    return _NO_DATA_OF_UPTIME if is_default and isinstance(spec.indicator, written.UptimeIndicator) else None


def _indicator(spec: written.Indicator) -> to.Indicator:
    match spec:
        case written.RatioIndicator():
            return to.Ratio(spec.signal)
        case written.ThresholdIndicator():
            return to.Threshold(spec.signal, to.Op(spec.op), spec.value)
        case written.UptimeIndicator():
            return to.Uptime(spec.signal)
        case written.TicketsIndicator():
            return Outcomes(spec.of)
        case written.PercentileIndicator():
            return to.NotEvaluated(spec.type, spec.signal)
        case _:
            return to.NotEvaluated(spec.type)


def _window(spec: RollingWindow | CalendarWindow | Period) -> to.Window:
    if isinstance(spec, RollingWindow):
        return to.Rolling(spec.rolling, f"{span_text(spec.rolling)} rolling")
    return _period(spec)


def _period(spec: CalendarWindow | Period) -> to.CalendarPeriod:
    return to.CalendarPeriod(to.Unit(spec.calendar), spec.timezone, f"{spec.calendar} calendar")


def _budgeting(spec: ObjectiveSpec) -> to.Budgeting:
    if isinstance(spec.budgeting, TimeslicesBudget):
        return to.Timeslices(spec.budgeting.timeslices, spec.budgeting.sliceTarget)
    return to.Occurrences()


def _agreement(document: Agreement) -> to.Agreement:
    spec = document.spec
    return to.Agreement(
        name=document.metadata.name,
        type=spec.type,
        objectives=tuple(spec.objectives),
        customer=spec.customer,
        provider=spec.provider,
        period=_period(spec.period) if spec.period is not None else None,
        effective_from_at=spec.effectiveFrom,
        effective_to_at=spec.effectiveTo,
        maintenance_allowance_ms=spec.maintenanceAllowance,
    )


def _service(document: Service) -> to.Service:
    depends_on = document.spec.dependsOn or []
    return to.Service(
        name=document.metadata.name,
        owner=document.spec.owner,
        depends_on=tuple(each.name for each in depends_on),
        critical_depends_on=tuple(each.name for each in depends_on if each.critical),
        runbook=document.spec.runbook,
    )

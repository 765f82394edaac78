"""What can never work, or not yet, within one definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.definitions.calendar_checks import check_calendar
from schemas.definitions.compile import hours_of, no_data_of, own_tiers, window_of
from schemas.definitions.findings import Finding
from schemas.definitions.indicator import (
    CompositeIndicator,
    PercentileIndicator,
    RatioIndicator,
    ThresholdIndicator,
    TicketsIndicator,
)
from schemas.definitions.kinds import Agreement, Calendar, Objective, Settings, Stakeholder
from schemas.definitions.source import Defined, Path
from sla.catalogue import Treat, nominal_ms
from sla.tiers import Fit, factor_of, fit_of, google
from sla.units import MILLION, SECOND_MS, rounded, span_text
from sla.working_time import WorkingTime

_GAP_MS: Final = 10 * SECOND_MS  # a longer step of log time counts as nobody watching
_LATER: Final = "not evaluated yet"


def check_one(each: Defined, calendars: Mapping[str, WorkingTime]) -> Iterator[Finding]:
    """Everything that can be said of a definition by itself and its calendar."""
    document = each.document
    if isinstance(document, Objective):
        yield from _check_objective(each, document, hours_of(document.spec, calendars))
    elif isinstance(document, Calendar) and not each.dropped:
        yield from check_calendar(each, document)
    elif isinstance(document, Agreement):
        if document.spec.credits is not None:
            yield each.note("not-evaluated-yet", ("spec", "credits"), f"credits are checked but {_LATER}")
        if not document.spec.objectives:
            message = "the agreement promises nothing that is measured: name its objectives"
            yield each.warning("promise-without-signal", ("spec", "objectives"), message)
    elif isinstance(document, Stakeholder):
        yield from _check_stakeholder(each, document)
    elif isinstance(document, Settings) and document.spec.decideEvery > _GAP_MS:
        message = "steps of more than 10s count as time in which nobody watched: silence is not noticed"
        yield each.warning("slow-step", ("spec", "decideEvery"), message)


def _check_objective(each: Defined, document: Objective, hours: WorkingTime) -> Iterator[Finding]:
    spec = document.spec
    yield from _not_evaluated(each, document)
    dropped = each.dropped or frozenset()
    if spec.shadowOf is not None and spec.mode != "shadow" and "mode" not in dropped:
        yield each.error("missing-field", ("spec", "shadowOf"), "shadowOf goes with mode: shadow: write both")
    no_data = no_data_of(spec)
    counts_events = (
        spec.budgeting == "occurrences"
        and dropped.isdisjoint({"budgeting", "indicator"})
        and isinstance(spec.indicator, RatioIndicator | ThresholdIndicator | TicketsIndicator)
    )
    if no_data is not None and no_data.treat in (Treat.BAD, Treat.GOOD) and counts_events:
        message = (
            f"treat: {no_data.treat} needs time to count, and occurrences count events: write budgeting: "
            "{timeslices: 1m}, or treat: unknown"
        )
        yield each.error("no-data-needs-time", ("spec", "noData", "treat"), message)
    if spec.target.ppm >= MILLION:
        message = (
            "a target of 100% leaves no error budget, one bad event breaks it for good: write less, such as 99.99%"
        )
        yield each.error("target-without-budget", ("spec", "target"), message)
    elif dropped.isdisjoint({"target", "window"}):
        yield from _check_tiers(each, document, nominal_ms(window_of(spec), hours))


def _check_tiers(each: Defined, document: Objective, period_ms: int) -> Iterator[Finding]:
    spec = document.spec
    if spec.warnings is None:
        return
    path: Path = ("spec", "warnings", "burnRates")
    most = rounded(MILLION, MILLION - spec.target.ppm, 2)
    seen: set[str] = set()
    for place, tier in enumerate(own_tiers(spec.warnings)):
        at = (*path, place)
        factor = rounded(*factor_of(tier, period_ms), 2)
        fit = fit_of(tier, period_ms, spec.target.ppm)
        if tier.name in seen:
            yield each.error("duplicate", (*at, "name"), f"a tier called {tier.name!r} is there already")
        seen.add(tier.name)
        if fit is Fit.NEVER_FIRES:
            message = f"tier {tier.name!r} never fires: a total outage burns {most} times, its factor is {factor}"
            yield each.error("tier-never-fires", at, f"{message}: write a smaller budget or a longer window")
        elif fit is Fit.ALWAYS_FIRES:
            message = f"tier {tier.name!r} fires while the target is kept: its factor {factor} is below 0.9"
            yield each.error("tier-always-fires", at, f"{message}: write a larger budget or a shorter window")
        if not tier.short_ms < tier.long_ms <= period_ms:
            message = f"tier {tier.name!r} needs short < long <= {span_text(period_ms)}, the period of its objective"
            yield each.error("tier-windows", at, message)
    if spec.warnings.burnRates == "google":
        for tier, reason in google(period_ms, spec.target.ppm).left_out:
            factor = rounded(*factor_of(tier, period_ms), 2)
            why = (
                f"could never fire (a total outage burns {most} times)"
                if reason is Fit.NEVER_FIRES
                else "would fire while the target is kept"
            )
            message = (
                f"built-in tier {tier.name} is left out: above {factor} times in {span_text(tier.long_ms)} it {why}"
            )
            cause = "target" if reason is Fit.NEVER_FIRES else "window"
            yield each.warning("tier-left-out", ("spec", cause), message)


def _not_evaluated(each: Defined, document: Objective) -> Iterator[Finding]:
    spec = document.spec
    if isinstance(spec.indicator, PercentileIndicator | CompositeIndicator):
        message = f"{spec.indicator.type} indicators are checked but {_LATER}: the objective has no state"
        yield each.note("not-evaluated-yet", ("spec", "indicator"), message)
    if spec.instances is not None:
        message = f"instances are checked but {_LATER}: the objective counts all instances together"
        yield each.note("not-evaluated-yet", ("spec", "instances"), message)


def _check_stakeholder(each: Defined, document: Stakeholder) -> Iterator[Finding]:
    spec = document.spec
    if spec.watches.is_empty:
        message = "watches is empty, so this stakeholder hears of nothing: name agreements, services or owners"
        yield each.warning("watches-nothing", ("spec", "watches"), message)

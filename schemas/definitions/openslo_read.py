"""From OpenSLO's models to Forewarn's: one Objective per target of an SLO."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from schemas.definitions import openslo
from schemas.definitions.explain import findings_of
from schemas.definitions.findings import Finding, nearest
from schemas.definitions.kinds import API_VERSION, LintAllow, Objective, Service
from schemas.definitions.source import Defined, Path, Source
from schemas.definitions.values import duration_text, percentage_text
from sla.units import DAY_MS, HOUR_MS, MILLION, MINUTE_MS

_DURATION: Final = re.compile(r"([1-9]\d{0,5})([mhdwMQY])", re.ASCII)
_ROLLING_MS: Final = {
    "m": MINUTE_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "M": 30 * DAY_MS,  # nominal, as burn rates take it
    "Q": 90 * DAY_MS,
    "Y": 365 * DAY_MS,
}
_CALENDAR: Final = {"1d": "day", "1w": "week", "1M": "month", "1Q": "quarter", "1Y": "year"}
_PERIOD_START: Final = {
    "day": r"\d{4}-\d\d-\d\d",
    "week": r"\d{4}-\d\d-\d\d",
    "month": r"\d{4}-\d\d-01",
    "quarter": r"\d{4}-(01|04|07|10)-01",
    "year": r"\d{4}-01-01",
}


class _Unfit(Exception):  # noqa: N818 - ends the reading of one SLO; never leaves this module
    def __init__(self, rule: str, path: Path, message: str) -> None:
        super().__init__(message)
        self.rule, self.path, self.message = rule, path, message


def service_of(document: openslo.Service, source: Source) -> Defined:
    """An OpenSLO service: a name without an owner."""
    metadata = {"name": document.metadata.name}
    service = Service.model_validate({"apiVersion": API_VERSION, "kind": "Service", "metadata": metadata})
    return Defined(service, source, f"Service/{document.metadata.name}", _allow(document.metadata))


def objectives_of(
    slo: openslo.Slo, source: Source, slis: Mapping[str, openslo.Sli]
) -> tuple[list[Defined], list[Finding]]:
    """The objectives of one SLO, or why it cannot be read, and what of it is left aside."""
    try:
        signal, sli = _indicator(slo, slis)
        window = _window(slo.spec.timeWindow[0])
        plain = [_plain(slo, index, signal, sli, window) for index in range(len(slo.spec.objectives))]
    except _Unfit as unfit:
        return [], [source.error(unfit.rule, unfit.path, unfit.message)]
    key, allow = f"SLO/{slo.metadata.name}", _allow(slo.metadata)
    defined: list[Defined] = []
    found: list[Finding] = []
    for index, (name, spec) in enumerate(zip(_names(slo), plain, strict=True)):
        at = replace(source, written_as=_written_as(slo, index))
        document = {"apiVersion": API_VERSION, "kind": "Objective", "metadata": {"name": name}, "spec": spec}
        try:
            defined.append(Defined(Objective.model_validate(document), at, key, allow))
        except ValidationError as error:  # such as a window that is too long
            found += findings_of(error, Objective, at)
    return defined, [*found, *(finding for each in defined[:1] for finding in _left_aside(slo, each, window))]


def _written_as(slo: openslo.Slo, index: int) -> dict[str | int, Path]:
    objective: Path = ("spec", "objectives", index)
    target = "target" if slo.spec.objectives[index].target is not None else "targetPercent"
    return {"target": (*objective, target), "window": ("spec", "timeWindow", 0, "duration"), "budgeting": objective}


def _left_aside(slo: openslo.Slo, defined: Defined, window: dict[str, str]) -> Iterator[Finding]:
    if slo.spec.alertPolicies:
        message = "alertPolicies are not read: Forewarn warns by its own burn rates, and stakeholders say who is told"
        yield defined.warning("openslo-ignored", ("spec", "alertPolicies"), message)
    calendar = slo.spec.timeWindow[0].calendar
    if calendar is not None and "calendar" in window:
        unit = window["calendar"]
        if not re.fullmatch(_PERIOD_START[unit] + r"([T ]00:00(:00(\.0+)?)?)?", calendar.startTime):
            path = ("spec", "timeWindow", 0, "calendar", "startTime")
            message = f"startTime is not read: each {unit} begins at its first local midnight"
            yield defined.warning("openslo-ignored", path, message)


def _allow(metadata: openslo.Metadata) -> LintAllow | None:
    annotations = metadata.annotations or {}
    rules, reason = annotations.get("forewarn.lint/allow"), annotations.get("forewarn.lint/reason")
    if not isinstance(rules, str) or not isinstance(reason, str) or not reason:
        return None
    return LintAllow(allow=[rule.strip() for rule in rules.split(",")], reason=reason)


def _indicator(slo: openslo.Slo, slis: Mapping[str, openslo.Sli]) -> tuple[str, openslo.SliSpec]:
    spec = slo.spec
    if (spec.indicator is None) == (spec.indicatorRef is None):
        raise _Unfit("missing-field", ("spec",), "an SLO has either indicator or indicatorRef: write one of them")
    if spec.indicatorRef is not None:
        sli = slis.get(spec.indicatorRef)
        if sli is None:
            hint = nearest(spec.indicatorRef, slis)
            message = f"no SLI is called {spec.indicatorRef!r}{hint}"
            raise _Unfit("undefined-name", ("spec", "indicatorRef"), message)
        return sli.metadata.name, sli.spec
    inline = spec.indicator
    assert inline is not None  # noqa: S101 - one of the two is given
    named = inline.metadata.name if inline.metadata is not None else None
    return named or slo.metadata.name, inline.spec


def check_sli(spec: openslo.SliSpec, path: Path, source: Source) -> list[Finding]:
    """What makes an indicator one that Forewarn cannot measure."""
    ratio = spec.ratioMetric
    if (ratio is None) == (spec.thresholdMetric is None):
        message = "an SLI has either thresholdMetric or ratioMetric: write one of them"
        return [source.error("missing-field", path, message)]
    if ratio is None:
        return []
    if ratio.raw is not None:
        message = "a ratio worked out elsewhere has no counts: give good (or bad) and total instead of raw"
        return [source.error("openslo-unsupported", (*path, "ratioMetric", "raw"), message)]
    if ratio.good is None and ratio.bad is None:
        return [source.error("missing-field", (*path, "ratioMetric"), "ratioMetric needs good or bad beside total")]
    if ratio.total is None and (ratio.good is None or ratio.bad is None):
        return [source.error("missing-field", (*path, "ratioMetric"), "ratioMetric needs total beside good or bad")]
    return []


def _window(window: openslo.TimeWindow) -> dict[str, str]:
    path = ("spec", "timeWindow", 0, "duration")
    match = _DURATION.fullmatch(window.duration)
    if match is None:
        message = (
            f"{window.duration!r} is not a duration: write a whole number and one of m, h, d, w, M, Q, Y, such as 30d"
        )
        raise _Unfit("wrong-value", path, message)
    if window.calendar is None:
        if window.isRolling is False:
            raise _Unfit("missing-field", path[:-1], "a window that is not rolling needs a calendar with its timeZone")
        return {"rolling": duration_text(int(match[1]) * _ROLLING_MS[match[2]])}
    if window.isRolling:
        raise _Unfit("wrong-value", path[:-1], "a window is either rolling or has a calendar: write isRolling: false")
    unit = _CALENDAR.get(window.duration)
    if unit is None:
        message = f"a calendar window of {window.duration} is not kept: write 1d, 1w, 1M, 1Q or 1Y"
        raise _Unfit("openslo-unsupported", path, message)
    return {"calendar": unit, "timezone": window.calendar.timeZone}


def _plain(slo: openslo.Slo, index: int, signal: str, sli: openslo.SliSpec, window: dict[str, str]) -> dict[str, Any]:
    objective = slo.spec.objectives[index]
    path = ("spec", "objectives", index)
    for name in ("indicator", "indicatorRef", "compositeWeight"):
        if getattr(objective, name) is not None:
            message = "an objective with its own indicator makes the SLO a composite: write one SLO for each indicator"
            raise _Unfit("openslo-unsupported", (*path, name), message)
    return {
        "service": slo.spec.service,
        "indicator": _measured(objective, path, signal, sli),
        "target": percentage_text(_target(objective, path)),
        "window": window,
        "budgeting": _budgeting(slo.spec.budgetingMethod, objective, path),
    }


def _measured(objective: openslo.SloObjective, path: Path, signal: str, sli: openslo.SliSpec) -> dict[str, Any]:
    if sli.thresholdMetric is None:
        return {"type": "ratio", "signal": signal}
    if objective.op is None or objective.value is None:
        raise _Unfit(
            "missing-field", path, "an objective of a thresholdMetric needs op and value, such as op: lte, value: 300"
        )
    return {"type": "threshold", "signal": signal, "op": objective.op, "value": objective.value}


def _target(objective: openslo.SloObjective, path: Path) -> int:
    if (objective.target is None) == (objective.targetPercent is None):
        raise _Unfit("missing-field", path, "an objective has either target or targetPercent, such as target: 0.999")
    if objective.target is not None:
        return _share(objective.target, MILLION, (*path, "target"), "0.999")
    return _share(objective.targetPercent, MILLION // 100, (*path, "targetPercent"), "99.9")


def _share(number: float | None, scale: int, path: Path, example: str) -> int:
    share_ppm = Decimal(str(number)) * scale
    if not 0 < share_ppm <= MILLION:
        raise _Unfit("wrong-value", path, f"{number} is out of range: write a share above nothing, such as {example}")
    if share_ppm != int(share_ppm):
        raise _Unfit("wrong-value", path, f"{number} is finer than one part per million: write fewer decimals")
    return int(share_ppm)


def _budgeting(method: str, objective: openslo.SloObjective, path: Path) -> Any:
    if method.lower() == "occurrences":
        return "occurrences"
    if method.lower() != "timeslices":
        message = f"budgetingMethod {method!r} is not worked out here: write Occurrences or Timeslices"
        raise _Unfit("openslo-unsupported", ("spec", "budgetingMethod"), message)
    if objective.timeSliceTarget is None or objective.timeSliceWindow is None:
        message = (
            "Timeslices need timeSliceTarget and timeSliceWindow, such as timeSliceTarget: 0.95, timeSliceWindow: 1m"
        )
        raise _Unfit("missing-field", path, message)
    sliced = objective.timeSliceWindow
    match = _DURATION.fullmatch(f"{sliced}m" if str(sliced).isdigit() else str(sliced))
    slice_ms = int(match[1]) * _ROLLING_MS[match[2]] if match else 0
    if not 0 < slice_ms <= DAY_MS:
        message = f"{sliced!r} is no slice: write minutes or a duration up to 1d, such as 5m"
        raise _Unfit("wrong-value", (*path, "timeSliceWindow"), message)
    share_ppm = _share(objective.timeSliceTarget, MILLION, (*path, "timeSliceTarget"), "0.95")
    return {"timeslices": duration_text(slice_ms), "sliceTarget": percentage_text(share_ppm)}


def _names(slo: openslo.Slo) -> list[str]:
    """The SLO's name; of several objectives, with the display name or else the place of each."""
    name, objectives = slo.metadata.name, slo.spec.objectives
    if len(objectives) == 1:
        return [name]
    slugs = [re.sub(r"[^a-z0-9.]+", "-", (each.displayName or "").lower()).strip("-") for each in objectives]
    if all(slugs) and len(set(slugs)) == len(slugs):
        return [f"{name}-{slug}" for slug in slugs]
    return [f"{name}-{place}" for place in range(1, len(objectives) + 1)]

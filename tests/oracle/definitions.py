"""Plain YAML documents as the few facts that detection needs. Fractions for shares, milliseconds for durations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .open_time import OpenTime

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
UNIT_MS = {"ms": 1, "s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
NOMINAL_MS = {"day": DAY_MS, "week": 7 * DAY_MS, "month": 30 * DAY_MS, "quarter": 90 * DAY_MS, "year": 365 * DAY_MS}
SEVERITIES = ("info", "warning", "critical")  # rising
GOOGLE = (  # name, severity, budget in percent, long, short: for a period of 30 days
    ("page_fast", "critical", 2, HOUR_MS, 5 * MINUTE_MS),
    ("page_slow", "critical", 5, 6 * HOUR_MS, 30 * MINUTE_MS),
    ("ticket_fast", "warning", 10, DAY_MS, 2 * HOUR_MS),
    ("ticket_slow", "warning", 10, 3 * DAY_MS, 6 * HOUR_MS),
)


@dataclass(frozen=True)
class Window:
    """`rolling_ms`, or `calendar` (day, week, month, quarter, year) in `timezone`."""

    rolling_ms: int | None
    calendar: str | None
    timezone: str


@dataclass(frozen=True)
class Tier:
    name: str
    severity: str
    factor: Fraction
    long_ms: int
    short_ms: int


@dataclass(frozen=True)
class Objective:
    name: str
    service: str
    signal: str
    kind: str  # ratio, threshold, uptime
    op: str | None
    value: Fraction | None
    target: Fraction
    window: Window
    hours: OpenTime  # round the clock without a calendar
    slice_ms: int | None  # None: occurrences
    slice_target: Fraction | None
    no_data_after_ms: int | None  # None: no no-data clock
    no_data_treat: str | None  # unknown, ignore, bad, good
    grace_ms: int
    correct_for_ms: int
    tiers: tuple[Tier, ...]
    marks: tuple[Fraction, ...]  # rising shares of the budget
    forecast: tuple[int, Fraction] | None  # within so much time, at so much probability
    topic: str

    @property
    def tolerated(self) -> Fraction:
        return 1 - self.target


@dataclass(frozen=True)
class Agreement:
    name: str
    objectives: tuple[str, ...]
    period: Window | None
    allowance_ms: int | None
    effective_from: str | None
    effective_to: str | None


def nominal_ms(window: Window, open_ms: int = 1, year_ms: int = 1) -> int:
    """The period that factors go by; a calendar one with the share of 365 days that its hours leave open."""
    if window.rolling_ms is not None:
        return window.rolling_ms
    return NOMINAL_MS[str(window.calendar)] * open_ms // year_ms


def duration_ms(text: str) -> int:
    match = re.fullmatch(r"(\d+)(ms|s|m|h|d|w)", str(text))
    assert match is not None, f"not a duration: {text!r}"
    return int(match[1]) * UNIT_MS[match[2]]


def share(text: str) -> Fraction:
    text = str(text).strip()
    assert text.endswith("%"), f"not a percentage: {text!r}"
    return Fraction(text[:-1].strip()) / 100


def google_tiers(period_ms: int, tolerated: Fraction) -> tuple[Tier, ...]:
    """The built-in tiers for this period; those that could never or always fire are left out."""
    tiers = []
    for name, severity, percent, long_30d_ms, short_30d_ms in GOOGLE:
        long_ms, short_ms = long_30d_ms, short_30d_ms
        if not 28 * DAY_MS <= period_ms <= 31 * DAY_MS:
            short_ms = max(scaled_ms(short_30d_ms, period_ms), 5 * MINUTE_MS)
            long_ms = max(scaled_ms(long_30d_ms, period_ms), 12 * short_ms)
        factor = Fraction(percent, 100) * period_ms / long_ms
        if Fraction(9, 10) <= factor < 1 / tolerated:
            tiers.append(Tier(name, severity, factor, long_ms, short_ms))
    return tuple(tiers)


def scaled_ms(window_ms: int, period_ms: int) -> int:
    """The window of a 30-day period scaled to this one, rounded up to whole minutes."""
    exact = Fraction(window_ms * period_ms, 30 * DAY_MS)
    minutes = -(-exact // MINUTE_MS)
    return int(minutes) * MINUTE_MS


def window(spec: dict[str, Any]) -> Window:
    if "rolling" in spec:
        return Window(duration_ms(spec["rolling"]), None, "UTC")
    return Window(None, spec["calendar"], spec.get("timezone", "UTC"))


def tiers_of(spec: Any, period_ms: int, tolerated: Fraction) -> tuple[Tier, ...]:
    if spec == "none":
        return ()
    if spec == "google":
        return google_tiers(period_ms, tolerated)
    return tuple(
        Tier(
            tier["name"],
            tier["severity"],
            share(tier["budget"]) * period_ms / duration_ms(tier["long"]),
            duration_ms(tier["long"]),
            duration_ms(tier["short"]),
        )
        for tier in spec
    )


def objective(document: dict[str, Any], hours: OpenTime) -> Objective:
    spec = document["spec"]
    indicator = spec["indicator"]
    the_window = window(spec["window"])
    target = share(spec["target"])
    budgeting = spec.get("budgeting", "occurrences")
    slices = budgeting if isinstance(budgeting, dict) else None
    default_no_data = {"after": "5m", "treat": "unknown"} if indicator["type"] == "uptime" else "none"
    no_data = spec.get("noData", default_no_data)
    no_data = None if no_data == "none" else no_data
    warnings = spec.get("warnings", {})
    marks = warnings.get("budgetConsumed", ["50%", "75%", "90%"])
    forecast = warnings.get("forecast", {})
    shadow = spec.get("mode", "live") == "shadow"
    return Objective(
        name=document["metadata"]["name"],
        service=spec["service"],
        signal=indicator["signal"],
        kind=indicator["type"],
        op=indicator.get("op"),
        value=None if "value" not in indicator else Fraction(str(indicator["value"])),
        target=target,
        window=the_window,
        hours=hours,
        slice_ms=None if slices is None else duration_ms(slices["timeslices"]),
        slice_target=None if slices is None else share(slices.get("sliceTarget", "95%")),
        no_data_after_ms=None if no_data is None else duration_ms(no_data.get("after", "5m")),
        no_data_treat=None if no_data is None else no_data.get("treat", "unknown"),
        grace_ms=duration_ms(spec.get("grace", "2m")),
        correct_for_ms=duration_ms(spec.get("correctFor", "3d")),
        tiers=tiers_of(warnings.get("burnRates", "google"), nominal_ms(the_window, *hours.year_share), 1 - target),
        marks=() if marks == "none" else tuple(sorted(share(mark) for mark in marks)),
        forecast=None
        if forecast == "none"
        else (duration_ms(forecast.get("within", "24h")), share(forecast.get("probability", "50%"))),
        topic="sla.alerts.shadow.v1" if shadow else "sla.alerts.v1",
    )


def agreement(document: dict[str, Any]) -> Agreement:
    spec = document["spec"]
    allowance = spec.get("maintenanceAllowance")
    return Agreement(
        name=document["metadata"]["name"],
        objectives=tuple(spec["objectives"]),
        period=None if spec.get("period") is None else window(spec["period"]),
        allowance_ms=None if allowance is None else duration_ms(allowance),
        effective_from=spec.get("effectiveFrom"),
        effective_to=spec.get("effectiveTo"),
    )


def of_kind(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def settle_tickets_after_ms(documents: list[dict[str, Any]]) -> int:
    for settings in of_kind(documents, "Settings"):
        return duration_ms(settings["spec"].get("settleTicketsAfter", "30d"))
    return 30 * DAY_MS


def decide_every_ms(documents: list[dict[str, Any]]) -> int:
    for settings in of_kind(documents, "Settings"):
        return duration_ms(settings["spec"].get("decideEvery", "1s"))
    return SECOND_MS

"""The model of Objective: fields, defaults, and which belong together (wire.md 5)."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from schemas.definitions.fields import (
    DURATION_TEXT,
    Duration,
    DurationOrZero,
    Minutes,
    Name,
    NoCalendar,
    OrNone,
    Percentage,
    Strict,
    TargetShare,
    TimeZone,
    reader,
    tag_of,
)
from schemas.definitions.indicator import Indicator
from schemas.definitions.values import parse_duration
from sla.units import DAY_MS, MINUTE_MS

WINDOW_SHORTEST_MS = MINUTE_MS
WINDOW_LONGEST_MS = 366 * DAY_MS


def _of_mapping(*tags: str, words: tuple[str, ...] = ()) -> Any:
    """A discriminator: the first of `tags` that is a key of the mapping, or the word itself."""

    def choose(value: Any) -> str | None:
        if isinstance(value, str):
            return tag_of(value) if value in words else None
        found = [name for name in tags if isinstance(value, dict) and name in value]
        return tag_of(found[0]) if found else None

    return choose


def _window_length(duration_ms: int) -> str | None:
    """Whole minutes, since the finest buckets are minutes."""
    fits = WINDOW_SHORTEST_MS <= duration_ms <= WINDOW_LONGEST_MS and duration_ms % MINUTE_MS == 0
    return None if fits else "is no window that can be kept: write whole minutes from 1m to 366d"


class RollingWindow(Strict):
    """The last so long."""

    rolling: Annotated[int, reader(parse_duration, _window_length), DURATION_TEXT]


class CalendarWindow(Strict):
    """Local days, weeks (from Monday), months, quarters or years."""

    calendar: Literal["day", "week", "month", "quarter", "year"]
    timezone: TimeZone = "UTC"


Window = Annotated[
    Annotated[RollingWindow, Tag(tag_of("rolling"))] | Annotated[CalendarWindow, Tag(tag_of("calendar"))],
    Discriminator(
        _of_mapping("rolling", "calendar"),
        custom_error_type="wrong-value",
        custom_error_message="a window is written {rolling: 30d} or {calendar: month, timezone: Europe/Berlin}",
    ),
]


def _slice_length(duration_ms: int) -> str | None:
    fits = 0 < duration_ms <= DAY_MS and duration_ms % MINUTE_MS == 0
    return None if fits else "is no slice: write whole minutes from 1m to 1d"


class TimeslicesBudget(Strict):
    """Each slice counts once: good when at least `sliceTarget` of its events were."""

    timeslices: Annotated[int, reader(parse_duration, _slice_length), DURATION_TEXT]
    sliceTarget: Percentage = Field(default="95%", validate_default=True)  # noqa: N815 - as it is written


Budgeting = Annotated[
    Annotated[Literal["occurrences"], Tag(tag_of("occurrences"))]
    | Annotated[TimeslicesBudget, Tag(tag_of("timeslices"))],
    Discriminator(
        _of_mapping("timeslices", words=("occurrences",)),
        custom_error_type="wrong-value",
        custom_error_message="budgeting is written occurrences or {timeslices: 1m, sliceTarget: 95%}",
    ),
]


class NoDataRule(Strict):
    """How long silence may last, and what it is worth from then on."""

    after: Duration = Field(default="5m", validate_default=True)
    treat: Literal["unknown", "bad", "good", "ignore"] = "unknown"


class Instances(Strict):
    """The objective for each value of the records' field `instance`."""

    max: Annotated[int, Field(ge=1, le=100_000)] = 1000
    expireAfter: Duration = Field(default="30d", validate_default=True)  # noqa: N815
    aggregate: bool = True


# -- warnings


class BurnTierRule(Strict):
    """A hand-written burn tier: this share of the budget in `long`, still burning in `short`."""

    name: Name
    severity: Literal["info", "warning", "critical"]
    budget: Percentage
    long: Minutes
    short: Minutes


def _burn_rates_tag(value: Any) -> str | None:
    if value in ("google", "none"):
        return tag_of("word")
    return tag_of("list") if isinstance(value, list) else None


BurnRates = Annotated[
    Annotated[Literal["google", "none"], Tag(tag_of("word"))]
    | Annotated[list[BurnTierRule], Field(min_length=1), Tag(tag_of("list"))],
    Discriminator(
        _burn_rates_tag,
        custom_error_type="wrong-value",
        custom_error_message="burnRates is google, none or a list of {name, severity, budget, long, short}",
    ),
]


class Forecast(Strict):
    """Warn when so many of the scenarios breach within this time."""

    within: Duration = Field(default="24h", validate_default=True)
    probability: Percentage = Field(default="50%", validate_default=True)


class Warnings(Strict):
    """What warns before the breach."""

    burnRates: BurnRates = "google"  # noqa: N815
    budgetConsumed: Annotated[Annotated[list[Percentage], Field(min_length=1)] | None, OrNone] = Field(  # noqa: N815
        default=["50%", "75%", "90%"],
        validate_default=True,
    )
    forecast: Annotated[Forecast | None, OrNone] = Field(default_factory=Forecast)


class ObjectiveSpec(Strict):
    """A target for an indicator over a window."""

    service: Name
    indicator: Indicator
    target: TargetShare
    window: Window
    budgeting: Budgeting = "occurrences"
    calendar: Annotated[Name | None, NoCalendar] = None
    noData: Annotated[NoDataRule | None, OrNone] = None  # noqa: N815
    grace: Annotated[DurationOrZero | None, OrNone] = Field(default="2m", validate_default=True)
    correctFor: Annotated[DurationOrZero | None, OrNone] = Field(default="3d", validate_default=True)  # noqa: N815
    instances: Annotated[Instances | None, OrNone] = None
    # Most objectives of a catalogue say nothing of warnings, and each worker that starts reads all of them.
    warnings: Annotated[Warnings | None, OrNone] = Field(default_factory=cache(Warnings))
    mode: Literal["live", "shadow"] = "live"
    shadowOf: Annotated[Name | None, OrNone] = None  # noqa: N815

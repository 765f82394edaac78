"""The model of Calendar: the hours that count."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field, model_validator
from pydantic.json_schema import WithJsonSchema

from schemas.definitions.fields import OrNone, Strict, TimeZone, reader, wrong
from schemas.definitions.findings import nearest
from schemas.definitions.stretch import Days, Feed, Stretch, Times, parse_date, parse_feed, parse_stretch
from schemas.definitions.values import MalformedError, shown
from sla.working_time import Closed, ClosedDay, Opening, PublicHolidays, Reason, Shift, Timetable
from sla.working_time.public_holidays import known_countries, known_subdivisions
from sla.working_time.timetable import DAY_MINUTES

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)


def parse_shift(value: Any) -> Shift:
    """`09:00-17:30`; an end at or before its start is on the next day, equal ones are refused, `24:00` may end."""
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedError(f'{shown(value)} is not a span of hours: write it quoted, such as "09:00-17:30"')
    start = int(match[1]) * 60 + int(match[2])
    end = DAY_MINUTES if match[3] is None else int(match[3]) * 60 + int(match[4])
    if end == start:
        raise MalformedError(f"{value} begins and ends at the same time: write 00:00-24:00 for a whole day")
    return Shift(start, end if end > start else end + DAY_MINUTES)


def parse_weekdays(value: str) -> tuple[int, ...]:
    """`mon`, `mon-fri`, `sat,sun` as days of the week from Monday = 0; a range may run over Sunday."""
    days: list[int] = []
    for part in value.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in WEEKDAYS or last not in WEEKDAYS:
            raise MalformedError(f"{shown(value)} names no days: write mon, mon-fri or sat,sun")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
        days += [(start + step) % 7 for step in range((end - start) % 7 + 1)]
    return tuple(sorted(set(days)))


def _parse_shifts(value: Any) -> list[Shift]:
    if not isinstance(value, list):
        raise MalformedError(f'{shown(value)} is not a list of spans: write ["09:00-17:30"]')
    return [parse_shift(each) for each in value]


def _parse_hours(value: Any) -> dict[int, list[Shift]]:
    if not isinstance(value, dict):
        raise MalformedError(f'{shown(value)} is not a week: write {{mon-fri: ["09:00-17:30"]}}')
    week: dict[int, list[Shift]] = {}
    for days, shifts in value.items():
        for day in parse_weekdays(days):
            week.setdefault(day, []).extend(_parse_shifts(shifts or []))
    return week


def _parse_closed(value: Any) -> Stretch | Feed:
    return parse_feed(value) if isinstance(value, dict) else parse_stretch(value)


Dates = dict[date, list[Shift]]


def _parse_open(value: Any) -> list[Dates | Feed]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in listed):
        raise MalformedError(f'{shown(value)} is not a mapping of dates: write {{2026-12-27: ["10:00-14:00"]}}')
    return [parse_feed(each) if "ical" in each else _parse_dates(each) for each in listed]


def _parse_dates(value: dict[str, Any]) -> Dates:
    return {parse_date(day): _parse_shifts(shifts or []) for day, shifts in value.items()}


_SPANS: Final = {"type": "array", "items": {"type": "string", "examples": ["09:00-17:30"]}}
_ALL_DAY: Final = Shift(0, DAY_MINUTES)
_STRETCH: Final = {"type": "string", "examples": ["2026-12-24", "2026-12-24/2026-12-31 shutdown"]}
_FEED: Final = {
    "type": "object",
    "properties": {"ical": {"type": "string"}, "events": {"type": "array", "items": _STRETCH}},
    "required": ["ical"],
    "additionalProperties": False,
}
_DATES: Final = {"type": "object", "additionalProperties": _SPANS, "examples": [{"2026-12-27": ["10:00-14:00"]}]}


def _parse_country(value: Any) -> str:
    known = known_countries()
    if isinstance(value, str) and value in known:
        return value
    hint = nearest(value.upper(), known) if isinstance(value, str) else ""
    raise MalformedError(f"{shown(value)} is no country with known holidays{hint or ': write its code, such as DE'}")


class Holidays(Strict):
    """Public holidays of a country or of one of its subdivisions."""

    country: Annotated[str, reader(_parse_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]
    subdivision: Annotated[str, Field(examples=["BY"])] | None = None

    @model_validator(mode="after")
    def _subdivision_known(self) -> Holidays:
        known = known_subdivisions(self.country)
        if self.subdivision is not None and self.subdivision not in known:
            names = f"; known are {', '.join(known)}" if known else ": leave it out"
            hint = nearest(self.subdivision, known) or names
            raise wrong(f"{self.country} has no subdivision {shown(self.subdivision)}{hint}")
        return self


class CalendarSpec(Strict):
    """Weekly hours in a time zone, less holidays and closed days, plus open ones."""

    timezone: TimeZone = "UTC"
    hours: Annotated[
        dict[int, list[Shift]],
        reader(_parse_hours),
        WithJsonSchema({"type": "object", "additionalProperties": _SPANS, "examples": [{"mon-fri": ["09:00-17:30"]}]}),
    ] = Field(default_factory=dict)
    holidays: Annotated[Holidays | None, OrNone] = None
    closed: list[Annotated[Stretch | Feed, reader(_parse_closed), WithJsonSchema({"anyOf": [_STRETCH, _FEED]})]] = (
        Field(default_factory=list)
    )
    open: Annotated[
        list[Dates | Feed],
        reader(_parse_open),
        WithJsonSchema({"anyOf": [_DATES, _FEED, {"type": "array", "items": {"anyOf": [_DATES, _FEED]}}]}),
    ] = Field(default_factory=list)


def timetable_of(spec: CalendarSpec) -> Timetable:
    """The calendar as the folds see it."""
    closed = [stretch for each in spec.closed for stretch in (each.events if isinstance(each, Feed) else (each,))]
    fed = [stretch for each in spec.open if isinstance(each, Feed) for stretch in each.events]
    by_date = [each for each in spec.open if not isinstance(each, Feed)]
    openings = [Opening(day, shift) for dates in by_date for day, shifts in dates.items() for shift in shifts]
    openings += [Opening(day, _ALL_DAY) for each in fed if isinstance(each, Days) for day in each.each()]
    return Timetable(
        timezone=spec.timezone,
        week=tuple(tuple(spec.hours.get(day, ())) for day in range(7)),
        holidays=PublicHolidays(spec.holidays.country, spec.holidays.subdivision) if spec.holidays else None,
        closed_days=tuple(
            ClosedDay(day, each.name) for each in closed if isinstance(each, Days) for day in each.each()
        ),
        closed_times=tuple(
            Closed(each.start, each.end, Reason.CLOSED, each.name) for each in closed if isinstance(each, Times)
        ),
        openings=tuple(openings),
        open_times=tuple((each.start, each.end) for each in fed if isinstance(each, Times)),
    )

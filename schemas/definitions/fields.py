"""The field types of definitions: what is read, what it becomes, and what an editor is told about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final, NamedTuple
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, model_validator
from pydantic.json_schema import JsonSchemaValue, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from schemas.definitions.findings import nearest
from schemas.definitions.values import (
    MalformedError,
    Money,
    Rate,
    parse_duration,
    parse_instant,
    parse_money,
    parse_percentage,
    parse_rate,
    shown,
)
from sla.units import MINUTE_MS

NAME_LONGEST: Final = 200


class Strict(BaseModel):
    """A mapping with exactly these fields. A field without a value counts as absent."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            return {name: inner for name, inner in value.items() if inner is not None}
        return value


def wrong(message: str) -> PydanticCustomError:
    """A value that is there but cannot be used; the message says what to write instead."""
    return PydanticCustomError("wrong-value", "{message}", {"message": message})


def missing(message: str) -> PydanticCustomError:
    """A field that another one makes necessary."""
    return PydanticCustomError("missing-field", "{message}", {"message": message})


def reader(parse: Callable[[Any], Any], *checks: Callable[[Any], str | None]) -> PlainValidator:
    """A validator that parses text and then asks each check for an objection."""

    def read(value: Any) -> Any:
        try:
            parsed = parse(value)
        except MalformedError as error:
            raise wrong(str(error)) from None
        for check in checks:
            objection = check(parsed)
            if objection is not None:
                raise wrong(f"{shown(value)} {objection}")
        return parsed

    return PlainValidator(read)


def _above_zero(number: int) -> str | None:
    return None if number > 0 else "is nothing: write more than zero"


def _whole_minutes(duration_ms: int) -> str | None:
    return None if duration_ms % MINUTE_MS == 0 else "is not a whole number of minutes: write it in m, h or d"


def _text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


DURATION_TEXT: Final = _text(r"^[0-9]{1,9}[smhd]$", "90s", "5m", "4h", "30d")
STEP_TEXT: Final = _text(r"^[0-9]{1,9}(ms|[smhd])$", "1s", "100ms")
_PERCENTAGE_TEXT: Final = _text(r"^[0-9]{1,3}(\.[0-9]+)?%$", "99.9%")

Duration = Annotated[int, reader(parse_duration, _above_zero), DURATION_TEXT]
DurationOrZero = Annotated[int, reader(parse_duration), DURATION_TEXT]
Minutes = Annotated[int, reader(parse_duration, _above_zero, _whole_minutes), DURATION_TEXT]
Percentage = Annotated[int, reader(parse_percentage, _above_zero), _PERCENTAGE_TEXT]


class Target(NamedTuple):
    """A target, and how it was written."""

    ppm: int
    text: str


def parse_target(value: Any) -> Target:
    """`99.9%`, above nothing; raises MalformedError as `parse_percentage` does."""
    return Target(parse_percentage(value), value)


TargetShare = Annotated[Target, reader(parse_target, lambda target: _above_zero(target.ppm)), _PERCENTAGE_TEXT]
RateLimit = Annotated[Rate, reader(parse_rate), _text(r"^[0-9]{1,6}/[smhd]$", "6/h")]
Amount = Annotated[
    Money,
    reader(parse_money),
    _text(r"^[0-9]+(\.[0-9]{2})? [A-Z]{3}(/(day|week|month|quarter|year))?$", "12000 EUR", "3000 EUR/month"),
]
Instant = Annotated[
    int,
    reader(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-01T00:00:00Z"]}),
]


def parse_name(value: Any) -> str:
    """A name: 1 to 200 characters of text, none of them a control character."""
    if not isinstance(value, str):
        quoted = "" if isinstance(value, dict | list) or value is None else f"; quote it: '{value}'"
        raise MalformedError(f"{shown(value)} is not a name: write text{quoted}")
    if not 1 <= len(value) <= NAME_LONGEST:
        raise MalformedError(f"a name has 1 to {NAME_LONGEST} characters, this one has {len(value)}")
    if not value.isprintable() and re.search(r"[\x00-\x1f\x7f-\x9f]", value):
        raise MalformedError(f"{shown(value)} holds a control character: write printable text")
    return value


Name = Annotated[
    str,
    reader(parse_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": NAME_LONGEST}),
]


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def parse_timezone(value: Any) -> str:
    """A name of the IANA time zone database, as it is spelled there."""
    if isinstance(value, str) and value in _timezones():
        return value
    hint = nearest(value, _timezones()) if isinstance(value, str) else ""
    raise MalformedError(f"{shown(value)} is not a time zone{hint or '; write an IANA name, such as Europe/Berlin'}")


TimeZone = Annotated[str, reader(parse_timezone), WithJsonSchema({"type": "string", "examples": ["Europe/Berlin"]})]


class _Word:
    """Lets a word, such as `none`, switch an optional field off."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: None if isinstance(value, str) and value in self._words else value,
            handler(source),
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        inner = handler(core)
        return {"anyOf": [*inner.pop("anyOf", [inner]), {"enum": list(self._words)}]}


OrNone: Final = _Word("none")
NoCalendar: Final = _Word("none", "always")  # round the clock


def tag_of(name: str) -> str:
    """A union's tag, spelled so that no field has its name: it then drops out of an error's path."""
    return f"={name}"


def is_tag(part: str | int) -> bool:
    """Whether a part of an error's path is a tag rather than a field."""
    return isinstance(part, str) and part.startswith("=")

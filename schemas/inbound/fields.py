"""What each field of a telemetry record may hold (wire.md 1), as tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.instants import EARLIEST_AT, read_instant, read_rfc3339
from schemas.text import INTEGER_LARGEST, NUMBERS_TEXT, numbers_fit
from sla.records import Actor, Approval, Category, ClockChange, TicketEvent

COUNT_LARGEST: Final = 2**53 - 1
NAME_MOST_CHARACTERS: Final = 200
CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: each check is asked only when those before it hold, each refusal has its own reason."""

    noun: str
    is_typed: Callable[[Any], bool]
    is_in_range: Callable[[Any], bool] = _always
    range_text: str = ""
    is_known: Callable[[Any], bool] = _always
    known_text: str = ""
    is_readable: Callable[[Any], bool] = _always
    schema: Mapping[str, Any] = field(default_factory=dict)  # the same as far as JSON Schema can say it


class Field(NamedTuple):
    """A field of a record; one that is not required may also be null."""

    name: str
    kind: Kind
    is_required: bool = True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_infinite(value: Any) -> bool:
    """Such is `1e999` after parsing: a number out of every range, also out of that of integers."""
    return isinstance(value, float) and value in (float("inf"), float("-inf"))


def _is_integer(value: Any) -> bool:
    return type(value) is int or _is_infinite(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_name(value: str) -> bool:
    return 0 < len(value) <= NAME_MOST_CHARACTERS and CONTROL_CHARACTER.search(value) is None


def _is_finite(value: int | float) -> bool:  # noqa: PYI041 — machine code makes a float of what is declared one
    try:
        return not _is_infinite(float(value))
    except OverflowError:
        return False


def _up_to(largest: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and 0 <= value <= largest


def _is_instant_in_range(value: Any) -> bool:
    return isinstance(value, str) or (type(value) is int and -INTEGER_LARGEST <= value <= INTEGER_LARGEST)


def read_at(value: str | int) -> int | None:
    """An instant that is compared with log time: however far ahead, it is read, and then it is from the future."""
    at = read_rfc3339(value) if isinstance(value, str) else value
    return at if at is not None and at >= EARLIEST_AT else None


_INSTANT_RANGE: Final = "64-bit epoch milliseconds"
_INSTANT_SCHEMA: Final = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}]}
NAME: Final = Kind(
    "a string",
    _is_text,
    _is_name,
    f"1 to {NAME_MOST_CHARACTERS} characters, no control characters among them",
    schema={
        "type": "string",
        "minLength": 1,
        "maxLength": NAME_MOST_CHARACTERS,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
    },
)
TEXT: Final = Kind("a string", _is_text, schema={"type": "string"})
COUNT: Final = Kind(
    "an integer",
    _is_integer,
    _up_to(COUNT_LARGEST),
    f"an integer from 0 to {COUNT_LARGEST}",
    schema={"type": "integer", "minimum": 0, "maximum": COUNT_LARGEST},
)
NUMBER_IN_LOG: Final = Kind(
    "an integer",
    _is_integer,
    _up_to(INTEGER_LARGEST),
    f"an integer from 0 to {INTEGER_LARGEST}",
    schema={"type": "integer", "minimum": 0, "maximum": INTEGER_LARGEST},
)
MEASURE: Final = Kind("a number", _is_number, _is_finite, "a finite number", schema={"type": "number"})
TRUTH: Final = Kind("true or false", lambda value: isinstance(value, bool), schema={"type": "boolean"})
AT: Final = Kind(
    "an RFC 3339 string or an integer of epoch milliseconds",
    lambda value: _is_text(value) or _is_integer(value),
    _is_instant_in_range,
    _INSTANT_RANGE,
    is_readable=lambda value: read_at(value) is not None,
    schema=_INSTANT_SCHEMA,
)
EDGE: Final = Kind(
    AT.noun,
    AT.is_typed,
    _is_instant_in_range,
    _INSTANT_RANGE,
    is_readable=lambda value: read_instant(value) is not None,
    schema=_INSTANT_SCHEMA,
)


def _one_of(words: tuple[str, ...]) -> Kind:
    return Kind(
        "a string",
        _is_text,
        is_known=lambda value: value in words,
        known_text=f"one of {', '.join(words)}",
        schema={"type": "string", "enum": list(words)},
    )


def _is_plain_object(value: Any) -> bool:
    return type(value) is dict


VALUES: Final = Kind("an object", _is_plain_object, numbers_fit, NUMBERS_TEXT, schema={"type": "object"})
SPAN: Final = Kind(
    "an integer",
    _is_integer,
    lambda value: type(value) is int and -INTEGER_LARGEST <= value <= INTEGER_LARGEST,
    "an integer of 64 bits",
    schema={"type": "integer"},
)


_OPTIONAL_ON_EACH: Final = (
    Field("instance", NAME, is_required=False),
    Field("source", TEXT, is_required=False),
    Field("sequence", NUMBER_IN_LOG, is_required=False),
    Field("traceparent", TEXT, is_required=False),
)
_STREAM: Final = (Field("service", NAME), Field("signal", NAME))
_COUNTS: Final = (Field("good", COUNT), Field("bad", COUNT))
_INTERVAL: Final = (Field("from", EDGE), Field("to", EDGE))

_EXCLUSION: Final = (
    Field("service", NAME),
    Field("id", NAME),
    *_INTERVAL,
    Field("reason", TEXT, is_required=False),
    Field("category", _one_of(tuple(Category)), is_required=False),
    Field("status", _one_of(tuple(Approval)), is_required=False),
    Field("requested_by", TEXT, is_required=False),
    Field("approved_by", TEXT, is_required=False),
    Field("command", TEXT, is_required=False),
    Field("by", TEXT, is_required=False),
    *_OPTIONAL_ON_EACH,
)
_MARKER: Final = (Field("revision", NUMBER_IN_LOG), Field("sha256", TEXT))

FIELDS_OF: Final[dict[str, tuple[Field, ...]]] = {
    "counts": (*_STREAM, Field("at", AT), *_COUNTS, *_OPTIONAL_ON_EACH),
    "sample": (*_STREAM, Field("at", AT), Field("value", MEASURE), *_OPTIONAL_ON_EACH),
    "state": (*_STREAM, Field("at", AT), Field("up", TRUTH), *_OPTIONAL_ON_EACH),
    "change": (
        Field("service", NAME),
        Field("at", AT),
        Field("id", NAME),
        Field("summary", TEXT, is_required=False),
        *_OPTIONAL_ON_EACH,
    ),
    "exclusion": _EXCLUSION,
    "history": (*_STREAM, *_INTERVAL, *_COUNTS, *_OPTIONAL_ON_EACH),
    "tick": (),
    "catalogue": _MARKER,
    "clock": (
        Field("service", NAME),
        Field("objective", NAME),
        Field("ticket", NAME),
        Field("at", AT),
        Field("change", _one_of(tuple(ClockChange))),
        Field("target_ms", NUMBER_IN_LOG),
        Field("remaining_ms", SPAN),
        Field("paused", TRUTH),
        Field("deadline", EDGE, is_required=False),
        Field("deadline_if_resumed_now", EDGE, is_required=False),
        Field("team", TEXT, is_required=False),
        Field("priority", TEXT, is_required=False),
        Field("outcome", TEXT, is_required=False),
        *_OPTIONAL_ON_EACH,
    ),
    "dependency": (),
}
WITHOUT_SERVICE: Final = frozenset({"tick", "catalogue", "dependency"})
"""Written by Forewarn for a partition, not for a service: their key says nothing."""

TICKET_FIELDS_OF: Final[dict[str, tuple[Field, ...]]] = {
    "ticket": (
        Field("ticket", NAME),
        Field("service", NAME),
        Field("at", AT),
        Field("event", _one_of(tuple(TicketEvent))),
        Field("by", _one_of(tuple(Actor)), is_required=False),
        Field("fields", VALUES, is_required=False),
        Field("import", TRUTH, is_required=False),
        Field("source", TEXT, is_required=False),
        Field("sequence", NUMBER_IN_LOG, is_required=False),
        Field("traceparent", TEXT, is_required=False),
    ),
    "exclusion": _EXCLUSION,
    "tick": (),
    "catalogue": _MARKER,
}

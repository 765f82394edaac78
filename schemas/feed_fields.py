"""Fields of what Forewarn's own parts write for each other, read with suspicion: a verdict instead of a surprise."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from schemas.instants import read_instant
from schemas.text import INTEGER_LARGEST, NUMBERS_TEXT, numbers_fit, read_json
from sla.fold import Json, Line
from sla.records import Feed, Reason, Rejection
from sla.stakeholder import Channel

NAME_LONGEST: Final = 200

Value = TypeVar("Value", str, int, list[Any], dict[str, Any])


class Unusable(Exception):  # noqa: N818 — not an error of the program: it carries a verdict out of nested checks
    """A record that cannot be used."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.rejection = Rejection(reason, detail)


def object_of(line: Line) -> dict[str, Any]:
    """The JSON object of a line, such that it can be written again."""
    record = read_json(line.value)
    if isinstance(record, Rejection):
        raise Unusable(record.reason, record.detail)
    if not isinstance(record, dict):
        raise Unusable(Reason.WRONG_TYPE, "the record is not a JSON object")
    check_numbers(record)
    return record


def check_numbers(record: Json) -> None:
    """Whether what is passed on as it came can be written again."""
    if not numbers_fit(record):
        raise Unusable(Reason.OUT_OF_RANGE, f"a number in it is too large: it takes {NUMBERS_TEXT}")


def field(record: Json, name: str, kind: type[Value]) -> Value:
    """A field of a kind."""
    value = record.get(name)
    if value is None:
        raise Unusable(Reason.MISSING_FIELD, f"{name} is missing")
    # bool is an int to Python, not to JSON.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Unusable(Reason.WRONG_TYPE, f"{name} must be {_NAMES[kind]}")
    return value


_NAMES: Final[dict[type, str]] = {str: "a string", int: "an integer", list: "a list", dict: "an object"}


def string(record: Json, name: str) -> str:
    """A text."""
    return field(record, name, str)


def integer(record: Json, name: str) -> int:
    """A whole number from 0."""
    number = field(record, name, int)
    if not 0 <= number <= INTEGER_LARGEST:
        raise Unusable(Reason.OUT_OF_RANGE, f"{name} must be from 0 to {INTEGER_LARGEST}")
    return number


def channel_of(value: Any) -> Channel:
    """A channel."""
    if not isinstance(value, dict):
        raise Unusable(Reason.WRONG_TYPE, "a channel must be an object")
    return Channel(string(value, "kind"), None if value.get("url") is None else string(value, "url"))


def feed_of(record: Json) -> Feed:
    """Who wrote it, and its place."""
    return Feed(string(record, "source"), integer(record, "sequence"))


def check_key(key: bytes | None, stakeholder: str) -> None:
    """The key says the same as the body."""
    if key is not None and key != stakeholder.encode():
        raise Unusable(Reason.KEY_MISMATCH, f"the key is {key!r}, the body says {stakeholder!r}")


def optional_string(record: Json, name: str) -> str | None:
    """A text, or None."""
    return None if record.get(name) is None else string(record, name)


def name_of(record: Json, field_name: str) -> str:
    """A text of 1 to 200 characters."""
    name = string(record, field_name)
    if not 1 <= len(name) <= NAME_LONGEST:
        raise Unusable(Reason.OUT_OF_RANGE, f"{field_name} must have 1 to {NAME_LONGEST} characters")
    return name


def optional_instant(record: Json, name: str) -> int | None:
    """An instant, or None."""
    return None if record.get(name) is None else instant(record, name)


def instant(record: Json, name: str) -> int:
    """RFC 3339 with an offset, or epoch milliseconds."""
    value = record.get(name)
    if value is None:
        raise Unusable(Reason.MISSING_FIELD, f"{name} is missing")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unusable(Reason.WRONG_TYPE, f"{name} must be an instant")
    at = read_instant(value)
    if at is None:
        raise Unusable(Reason.BAD_INSTANT, f"{name} is no instant: {value!r}")
    return at

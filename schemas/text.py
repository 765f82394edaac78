"""From the bytes of a record to its JSON, exactly: what is refused here is refused for its form, not its meaning.

orjson is the parser of the fast path. It refuses more than one wants to tell apart (an infinite number is a syntax
error to it) and reads integers beyond 64 bits as floats; this is the reading that its refusals are judged by.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, Final, NoReturn

from sla.records import Reason, Rejection

VALUE_LARGEST_BYTES: Final = 1 << 20
INTEGER_LARGEST: Final = 2**63 - 1
NUMBERS_TEXT: Final = "finite numbers of at most 64 bits"
DEPTH_MOST_LEVELS: Final = 200  # all parsers and writers in use take this much, whatever the stack already holds

_DETAIL_MOST_CHARACTERS: Final = 200
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_ESCAPES: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_INTEGER_MOST_DIGITS: Final = 400  # more digits than the largest float has; Python refuses to read over 4,300


class _NotJsonError(ValueError):
    """A constant that JSON does not have."""


def read_json(value: bytes | None) -> Any | Rejection:
    """The JSON value (objects as dicts: of a duplicated key the last counts), or why there is none.

    Infinite numbers are left as `inf`, over-long integers as integers that fit nowhere: their field decides.
    """
    if value is None:
        return Rejection(Reason.NULL_VALUE, "the record has no value")
    document = _parsed(value)
    if isinstance(document, Rejection):
        return document
    if len(value) > VALUE_LARGEST_BYTES:
        return Rejection(Reason.TOO_LARGE, f"{len(value)} bytes, at most {VALUE_LARGEST_BYTES} are taken")
    if document is None:
        return Rejection(Reason.NULL_VALUE, "the record is null")
    return document


def _parsed(value: bytes) -> Any | Rejection:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        return Rejection(Reason.NOT_UTF8, f"byte {error.start} (0x{value[error.start]:02x}): {error.reason}")
    if is_too_deep(value):
        return Rejection(Reason.TOO_DEEP, f"nested deeper than {DEPTH_MOST_LEVELS} levels")
    try:
        return parse(text)
    except ValueError as error:
        return Rejection(Reason.NOT_JSON, str(error)[:_DETAIL_MOST_CHARACTERS])


def is_too_deep(value: bytes) -> bool:
    """Whether brackets outside strings nest deeper than `DEPTH_MOST_LEVELS`, whatever else is wrong with the text."""
    if not may_be_too_deep(value):
        return False
    depth = 0
    for token in _BRACKETS.finditer(value):
        first = value[token.start()]
        if first in b"[{":
            depth += 1
            if depth > DEPTH_MOST_LEVELS:
                return True
        elif first in b"]}":
            depth -= 1
    return False


def may_be_too_deep(value: bytes) -> bool:
    """A cheap look: False proves that nothing nests too deep."""
    return len(value) > DEPTH_MOST_LEVELS and value.count(b"[") + value.count(b"{") > DEPTH_MOST_LEVELS


def numbers_fit(value: Any) -> bool:
    """Whether all numbers within are finite and integers have at most 64 bits: what can be written again."""
    if type(value) is dict:
        return all(map(numbers_fit, value.values()))
    if type(value) is list:
        return all(map(numbers_fit, value))
    if type(value) is int:
        return -INTEGER_LARGEST <= value <= INTEGER_LARGEST
    return type(value) is not float or isfinite(value)


def parse(text: str) -> Any:
    """Parse text that is not too deep. Raises ValueError, with the place, for what is not JSON."""
    document = json.loads(text, parse_constant=_no_constant, parse_int=_integer)
    for escape in _ESCAPES.finditer(text):
        if escape[1] is not None:
            raise _NotJsonError(f"a lone surrogate, \\{escape[1]}: char {escape.start()}")
    return document


def _no_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) <= _INTEGER_MOST_DIGITS:
        return int(digits)
    beyond: int = 10**_INTEGER_MOST_DIGITS
    return -beyond if digits.startswith("-") else beyond

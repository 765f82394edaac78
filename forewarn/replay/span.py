"""The record inside a line that orjson refuses or would change: its JSON text as it stands there.

A number such as 1e999 or a thousand levels of brackets are the record's fault, not the line's: the fold is to judge
them. A line with NaN or a lone surrogate is no JSON at all.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from schemas.text import is_too_deep, parse

_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_SCALARS: Final = json.JSONDecoder()


def split(raw: bytes) -> tuple[dict[str, Any], bytes | None] | None:
    """The line's fields, and the text of `value` where that is no string or null; None where the line is no object."""
    try:
        spans = _spans(raw.decode())
        record = spans.pop("value", None)
        document = {name: parse(span) for name, span in spans.items()}
        if record is None:
            return document, None
        if not is_too_deep(record.encode()):
            value = parse(record)
            if value is None or isinstance(value, str):
                return {**document, "value": value}, None
    except (ValueError, RecursionError):
        # No UTF-8, no JSON, or fields beside the record that nest deeper than any parser goes.
        return None
    return document, record.encode()


def _spans(text: str) -> dict[str, str]:
    """The text of each member of the object; of a duplicated name the last. Raises ValueError if it is no object."""
    at = _expect("{", text, _skip(text, 0))
    spans: dict[str, str] = {}
    while True:
        name, at = _SCALARS.raw_decode(text, _skip(text, at))
        if not isinstance(name, str):
            raise ValueError("a name must be a string")  # noqa: TRY004 — of the same kind as all that is no JSON
        start = _skip(text, _expect(":", text, _skip(text, at)))
        at = _end(text, start)
        spans[name] = text[start:at]
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at += 1
            continue
        at = _skip(text, _expect("}", text, at))
        if at != len(text):
            raise ValueError("more than one value")
        return spans


def _end(text: str, start: int) -> int:
    """Where the value that begins at `start` ends."""
    if text[start : start + 1] not in ("{", "["):
        return int(_SCALARS.raw_decode(text, start)[1])
    depth = 0
    for token in _TOKENS.finditer(text, start):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
            if depth == 0:
                return token.end()
    raise ValueError("a bracket is not closed")


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()


def _expect(character: str, text: str, at: int) -> int:
    if text[at : at + 1] != character:
        raise ValueError(f"{character} is expected: char {at}")
    return at + 1

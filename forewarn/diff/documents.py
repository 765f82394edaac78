"""Two sets of documents, compared as they are written: which came, went or changed, and in which fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from schemas.catalogue_log import key_of

Document = Mapping[str, Any]

ABSENT: Final = object()
_SHOWN_MAX: Final = 80


class Kind(StrEnum):
    """What became of a document."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Field(NamedTuple):
    """One field that differs, by its path; a value is as written, in JSON where it is no plain text."""

    path: str
    before: str | None  # None: not written
    after: str | None

    def line(self) -> str:
        """For a person."""
        return f"{self.path}: {_shown(self.before)} → {_shown(self.after)}"


class Change(NamedTuple):
    """One document that differs. `key` is `<kind>/<name>`."""

    change: Kind
    key: str
    fields: tuple[Field, ...] = ()


def changes(before: Sequence[Document], after: Sequence[Document]) -> list[Change]:
    """What differs, by key; documents that say the same in another order of fields do not."""
    old, new = ({key_of(document): document for document in documents} for documents in (before, after))
    found = []
    for key in sorted({*old, *new}):
        if key not in old:
            found.append(Change(Kind.ADDED, key))
        elif key not in new:
            found.append(Change(Kind.REMOVED, key))
        elif fields := tuple(_fields("", old[key], new[key])):
            found.append(Change(Kind.CHANGED, key, fields))
    return found


def _fields(path: str, before: Any, after: Any) -> Iterator[Field]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            below = f"{path}.{name}" if path else str(name)
            yield from _fields(below, before.get(name, ABSENT), after.get(name, ABSENT))
    elif before is ABSENT or after is ABSENT or _bytes(before) != _bytes(after):
        yield Field(path.removeprefix("spec."), _written(before), _written(after))


def _bytes(value: Any) -> bytes:
    """As the hash of a revision sees it: there 1 is not 1.0, and a version counts up."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _written(value: Any) -> str | None:
    if value is ABSENT:
        return None
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _shown(text: str | None) -> str:
    if text is None:
        return "not written"
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"

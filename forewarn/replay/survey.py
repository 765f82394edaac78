"""The first reading of a replay's input: what ticks need to know before the first line is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from forewarn.replay.entry import Entry, read_entry
from schemas.text import read_json

_FED_BY: Final = b"forewarn:"
CATALOGUE: Final = "sla.catalogue.v1"
CATALOGUE_PARTITION: Final = 0

Place = tuple[str, int]  # topic and partition
Feed = Callable[[int, bytes], None]
"""Takes a record of the catalogue's log: its offset and value."""


@dataclass(slots=True)
class Survey:
    """Facts about the whole input. Lines after `until`, where one is given, are not part of it."""

    until: int | None
    earliest_at: int | None = None
    last_at: int | None = None
    has_ticks: dict[Place, bool] = field(default_factory=dict)  # every partition that a fold reads
    is_in_order: bool = True  # every record was appended, at an instant not before that of the line above it
    has_bad_lines: bool = False
    feeds: set[tuple[str, str]] = field(default_factory=set)  # (topic of the cause, topic): what folds fed to folds
    _line_above_at: int = 0

    @property
    def end_at(self) -> int | None:
        """The instant of the last possible tick."""
        return self.last_at if self.until is None else self.until

    def note_time(self, at: int) -> None:
        """One more instant of the input."""
        if self.earliest_at is None or self.last_at is None:
            self.earliest_at = self.last_at = at
        elif at > self.last_at:
            self.last_at = at
        elif at < self.earliest_at:
            self.earliest_at = at

    def note(self, entry: Entry) -> None:
        """One more record that a fold reads."""
        at = entry.timestamp
        if not entry.is_appended or at < self._line_above_at:
            self.is_in_order = False
        self._line_above_at = at
        if at != self.last_at:
            self.note_time(at)
        place = (entry.topic, entry.partition)
        if not self.has_ticks.get(place):
            self.has_ticks[place] = is_tick(entry)
        cause = _cause_of(entry)
        if cause is not None:
            self.feeds.add((cause, entry.topic))


def survey(lines: Iterable[bytes], topics: frozenset[str], until: int | None, feed: Feed) -> Survey:
    """Read all lines once. `topics` are those that a fold reads; records of the catalogue go to `feed`."""
    found = Survey(until)
    next_revision = 0
    for raw in lines:
        entry = read_entry(raw)
        if entry is None:
            found.has_bad_lines = True
            continue
        is_within = until is None or entry.timestamp <= until
        if entry.topic in topics:
            if is_within:
                found.note(entry)
        elif entry.topic == CATALOGUE and entry.partition == CATALOGUE_PARTITION:
            next_revision = _fed(feed, entry, next_revision)
            if is_within:
                found.note_time(entry.timestamp)
    return found


def is_tick(entry: Entry) -> bool:
    """Whether a record moves time by itself."""
    value: Any = entry.value
    if type(value) is bytes:
        if b"tick" not in value and b"\\u" not in value:
            return False
        value = read_json(value)
    return isinstance(value, dict) and value.get("type") == "tick"


def _cause_of(entry: Entry) -> str | None:
    """The topic whose fold fed a record; None for what is no feed."""
    value: Any = entry.value
    if type(value) is bytes:
        value = read_json(value) if _FED_BY in value else None
    source = value.get("source") if isinstance(value, dict) else None
    if not isinstance(source, str) or not source.startswith(_FED_BY.decode()):
        return None
    return source.removeprefix(_FED_BY.decode()).partition("/")[0]


def _fed(feed: Feed, entry: Entry, next_revision: int) -> int:
    offset = next_revision if entry.offset is None else entry.offset
    value = entry.raw_value
    if value is not None:
        feed(offset, value)
    return offset + 1

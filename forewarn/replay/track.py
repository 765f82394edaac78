"""One partition in a replay: its fold, and the offsets that its records get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from forewarn.replay.entry import Entry
from sla.fold import TICK, Emission, Fold, Line


@dataclass(slots=True)
class Pace:
    """The time between synthesised ticks; the catalogue may change it on the way."""

    step_ms: int


class Track:
    """Applies records and ticks to one fold, in order, and numbers them.

    An offset of the input is kept as long as no synthesised tick has taken it; then the records move up, since the
    fold drops what stands at or below the last offset. What is said about such a record names the offset of the input.
    """

    def __init__(self, fold: Fold, pace: Pace) -> None:
        """A partition before its first record."""
        self.fold = fold
        self.pace = pace
        self._next_offset = 0
        self._given_offset = -1  # the highest of the input

    def apply(self, entry: Entry) -> Sequence[Emission]:
        """One record of the input. A log holds no offset twice: an offset that was read before is a repeat."""
        given = entry.offset
        timestamp = entry.timestamp
        if given is None:
            offset = self._next_offset
        else:
            if given <= self._given_offset:
                return ()
            self._given_offset = given
            offset = max(given, self._next_offset)
        self._next_offset = offset + 1
        append_at = timestamp if entry.is_appended else None
        emissions = self.fold.step(Line(offset, entry.key, entry.raw_value, timestamp, append_at, entry.headers))
        if given is None or given == offset:
            return emissions
        return [_with_offset(emission, offset, given) for emission in emissions]

    def tick(self, at: int) -> Sequence[Emission]:
        """A synthesised tick."""
        return self._add(None, TICK, at)

    def feed(self, key: bytes | None, value: bytes, at: int) -> Sequence[Emission]:
        """A record that another fold wrote."""
        return self._add(key, value, at)

    def _add(self, key: bytes | None, value: bytes, at: int) -> Sequence[Emission]:
        offset = self._next_offset
        self._next_offset = offset + 1
        return self.fold.step(Line(offset, key, value, at, at))


def _with_offset(emission: Emission, offset: int, given: int) -> Emission:
    """What is published about a record names it by the offset that the input gave it."""
    value: dict[str, Any] = dict(emission.value)
    source = value.get("source")
    if value.get("offset") == offset:  # a dead letter, a late record
        return emission._replace(value={**value, "offset": given})
    if isinstance(source, dict) and source.get("offset") == offset:  # the record of an alert
        return emission._replace(value={**value, "source": {**source, "offset": given}})
    return emission

"""A clock's time piece by piece, each with why it counts or does not; what counts adds up to what has elapsed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sla.intervals import clipped, without
from sla.working_time import WorkingTime


class Kind(StrEnum):
    """What became of a stretch of time."""

    COUNTED = "counted"
    CLOSED = "closed"  # the calendar says so: closed hours, a day off, a holiday
    EXCLUDED = "excluded"
    ENDED = "ended"  # resolved, then reopened
    PAUSED = "paused"


class Uncounted(NamedTuple):
    """Time that a clock does not count though its calendar is open, [start, end), and why."""

    start: int
    end: int
    kind: Kind
    why: str


class Piece(NamedTuple):
    """A stretch [start, end) that is all of one kind, and why; `why` is empty for what counts."""

    start: int
    end: int
    kind: Kind
    why: str

    @property
    def counted_ms(self) -> int:
        """How much of it counts."""
        return self.end - self.start if self.kind is Kind.COUNTED else 0


def reckoned(working_time: WorkingTime, start: int, end: int, uncounted: Sequence[Uncounted]) -> list[Piece]:
    """All of [start, end) in order, without a hole.

    Of reasons that overlap the calendar's comes first, then theirs in the order given.
    """
    pieces = [
        Piece(each.start, each.end, Kind.CLOSED, f"{each.reason.value}: {each.name}" if each.name else each.reason)
        for each in working_time.why_closed(start, end)
    ]
    left = working_time.open_between(start, end)
    for each in uncounted:
        pieces += [Piece(a, b, each.kind, each.why) for a, b in clipped(left, each.start, each.end)]
        left = without(left, [(each.start, each.end)] if each.start < each.end else [])
    pieces += [Piece(a, b, Kind.COUNTED, "") for a, b in left]
    return sorted(pieces)

"""One queue: the open clocks of an objective for one team and priority, and how fast they were stopped of late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from sla.forecast import DAYS_MAX
from sla.queue.outlook import QueueOutlook, look_ahead, scenarios_of
from sla.records import ClockChange, OpenClock
from sla.sealed import UnknownShape
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, floor_to

SHAPE: Final = 1
SAMPLES_LEAST: Final = 30
"""Fewer stopped clocks than this tell no pace: then the marks of each clock alone speak."""
OPEN_MAX: Final = 20_000
"""Clocks beyond this are left out, and the forecast says that it is partial."""
AGAIN_AFTER_MS: Final = 15 * MINUTE_MS
"""A forecast that moves is told again at most this often; one that begins or ends is told at once."""
KEPT_MS: Final = (DAYS_MAX + 1) * DAY_MS
STOPPED: Final = frozenset({"met", "breached"})
"""Outcomes that are somebody's work; a cancelled clock only leaves."""


class QueueName(NamedTuple):
    """Which queue; a ticket without a team or priority is in the queue of those without."""

    service: str
    objective: str
    team: str | None
    priority: str | None


class Told(NamedTuple):
    """What was said last: how many will be missed, and at which instant it was said."""

    missed: int
    at: int


@dataclass(slots=True)
class Queue:
    """State of one queue. `offset` is that of the last line applied to it."""

    name: QueueName
    offset: int = -1
    open: dict[str, int | None] = field(default_factory=dict)  # ticket → deadline; None while its clock is paused
    left_out_count: int = 0
    stopped_in: dict[int, int] = field(default_factory=dict)  # hour → clocks stopped in it
    first_stop_at: int | None = None
    sequence: int = 0
    told: Told | None = None
    sequences: dict[str, int] = field(default_factory=dict)  # of those who feed it

    @property
    def samples_count(self) -> int:
        """How many stopped clocks the pace rests on."""
        return sum(self.stopped_in.values())

    @property
    def paused_count(self) -> int:
        """Open clocks that stand still: nobody is expected to work on them."""
        return sum(deadline is None for deadline in self.open.values())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open and nothing is left to take back."""
        return not self.open and (self.told is None or self.told.missed == 0)

    def take(self, clock: OpenClock, now: int) -> None:
        """A clock of this queue began, changed or ended."""
        if clock.change is ClockChange.ENDED:
            if clock.ticket not in self.open:
                self.left_out_count = max(0, self.left_out_count - 1)
            self.leave(clock.ticket)
            if clock.outcome in STOPPED:
                self._count_stop(clock.at, now)
        elif clock.ticket in self.open or len(self.open) < OPEN_MAX:
            self.open[clock.ticket] = clock.deadline
        elif clock.change is ClockChange.STARTED:
            self.left_out_count += 1

    def leave(self, ticket: str) -> None:
        """The clock is no longer in this queue."""
        self.open.pop(ticket, None)

    def _count_stop(self, at: int, now: int) -> None:
        if at <= now - KEPT_MS:
            return
        hour = floor_to(at, HOUR_MS)
        self.stopped_in[hour] = self.stopped_in.get(hour, 0) + 1
        self.first_stop_at = at if self.first_stop_at is None else min(self.first_stop_at, at)

    def forget_before(self, at: int) -> None:
        """Drop the hours that no scenario reaches any more."""
        if self.first_stop_at is not None and self.first_stop_at < at:
            self.stopped_in = {hour: count for hour, count in self.stopped_in.items() if hour >= at}
            self.first_stop_at = min(self.stopped_in, default=None)

    def outlook(self, at: int) -> QueueOutlook | None:
        """How it will go; None where too little was seen to say."""
        self.forget_before(at - KEPT_MS)
        if self.first_stop_at is None or self.samples_count < SAMPLES_LEAST:
            return None
        scenarios = scenarios_of(at, self.stopped_in, self.first_stop_at)
        deadlines = sorted(deadline for deadline in self.open.values() if deadline is not None)
        return look_ahead(at, deadlines, scenarios) if scenarios else None

    def is_news(self, count: int, at: int) -> bool:
        """Whether this many missed clocks are to be told at an instant."""
        if self.told is None or self.told.missed == 0:
            return count > 0
        return count == 0 or (count != self.told.missed and at - self.told.at >= AGAIN_AFTER_MS)

    # -- state

    def to_json(self) -> dict[str, Any]:
        """The state that a restart needs."""
        return {
            "shape": SHAPE,
            "name": list(self.name),
            "open": self.open,
            "left_out": self.left_out_count,
            "stopped_in": [[hour, count] for hour, count in self.stopped_in.items()],
            "first_stop_at": self.first_stop_at,
            "sequence": self.sequence,
            "told": None if self.told is None else list(self.told),
            "sequences": self.sequences,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any], offset: int) -> Self:
        """Take back what `to_json` gave. Raises `UnknownShape` for what another version wrote."""
        if body["shape"] != SHAPE:
            raise UnknownShape(f"queue {body['name']}: shape {body['shape']}, this version reads {SHAPE}")
        return cls(
            QueueName(*body["name"]),
            offset,
            dict(body["open"]),
            body["left_out"],
            dict(body["stopped_in"]),
            body["first_stop_at"],
            body["sequence"],
            None if body["told"] is None else Told(*body["told"]),
            dict(body["sequences"]),
        )

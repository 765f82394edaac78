r"""One clock from its start to its end, and the arithmetic on it (semantics.md 3, working time).

counted = (open ∩ [counted_from, ∞)) \ (pauses ∪ gaps ∪ exclusions); elapsed(t) = carried + |counted ∩ […, t)|;
an instant at which so much has elapsed is the first of its kind. Nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum
from typing import NamedTuple

from sla.intervals import Interval
from sla.ticket_objective import TicketObjective
from sla.units import LOG_LATEST_AT
from sla.working_time import Counting


class FactKind(IntEnum):
    """What a clock event tells."""

    STARTED = 1
    RETARGETED = 2
    PAUSED = 3
    RESUMED = 4
    MET = 5
    CANCELLED = 6


class Fact(NamedTuple):
    """Something that happened to a clock."""

    kind: FactKind
    at: int


class Ending(StrEnum):
    """How a clock ended."""

    MET = "met"
    CANCELLED = "cancelled"  # a condition says so, or `when` no longer holds
    RESET = "reset"
    CLOSED = "closed"  # the ticket was closed unanswered
    RETIRED = "retired"  # the objective is no longer defined


class Run:
    """A clock. `pauses` and `gaps` are ended intervals of time that does not count."""

    __slots__ = (
        "attached_at", "carried_ms", "counted_from", "ended_at", "ending", "gaps", "is_continued", "paused_at",
        "pauses", "replaces",
    )  # fmt: skip

    def __init__(self, attached_at: int, counted_from: int, carried_ms: int = 0, replaces: str | None = None) -> None:
        """Begun by the event of `attached_at`, counting from an earlier instant perhaps, with time carried over."""
        self.attached_at = attached_at
        self.counted_from = counted_from
        self.carried_ms = carried_ms
        self.replaces = replaces  # the name of the objective whose clock it took over
        self.pauses: tuple[Interval, ...] = ()
        self.gaps: tuple[Interval, ...] = ()  # resolved, then reopened: they always move the deadline
        self.is_continued = False  # whether it is the clock before, of a ticket that was resolved and reopened
        self.paused_at: int | None = None
        self.ended_at: int | None = None
        self.ending: Ending | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    def copy(self) -> Run:
        """Another that may go its own way."""
        other = Run(self.attached_at, self.counted_from, self.carried_ms, self.replaces)
        other.pauses, other.gaps, other.paused_at = self.pauses, self.gaps, self.paused_at
        other.is_continued = self.is_continued
        other.ended_at, other.ending = self.ended_at, self.ending
        return other

    def pause(self, at: int) -> None:
        """Stand still from here on."""
        self.paused_at = at

    def resume(self, at: int) -> None:
        """Run again."""
        if self.paused_at is not None:
            self.pauses = (*self.pauses, (self.paused_at, at))
            self.paused_at = None

    def end(self, at: int, ending: Ending) -> None:
        """Stop for good; a pause ends with it, untold."""
        self.ended_at, self.ending = at, ending

    def facts(self) -> list[Fact]:
        """What is to be told of it, in order."""
        attached_at = self.attached_at
        found = [Fact(FactKind.RETARGETED if self.replaces is not None else FactKind.STARTED, attached_at)]
        paused, resumed = FactKind.PAUSED, FactKind.RESUMED
        for start, end in self.pauses:
            if start >= attached_at:  # those before are not its own: it took them over
                found += (Fact(paused, start), Fact(resumed, end))
        if self.paused_at is not None:
            found.append(Fact(FactKind.PAUSED, self.paused_at))
        if self.ended_at is not None:
            kind = FactKind.MET if self.ending is Ending.MET else FactKind.CANCELLED
            found.append(Fact(kind, self.ended_at))
        return found


class Dial:
    """A clock read by its objective and the exclusions of its service. The run is not to change while it is read."""

    __slots__ = ("_counting", "_elapsed_ms", "_objective", "_reached_at", "_run", "_still_since", "_uncounted")

    def __init__(self, objective: TicketObjective, run: Run, exclusions: Sequence[Interval]) -> None:
        self._objective = objective
        self._run = run
        is_moved = objective.pauses_move_deadline
        self._still_since = run.paused_at if is_moved else None
        self._uncounted: Sequence[Interval] = (*(run.pauses if is_moved else ()), *run.gaps, *exclusions)
        self._counting = objective.working_time.counting(run.counted_from, self._uncounted)
        self._reached_at: dict[int, int | None] = {}  # one event asks several times
        self._elapsed_ms: dict[int, int] = {}

    def is_paused(self, at: int) -> bool:
        """Whether it stands still at an instant."""
        run = self._run
        if run.paused_at is not None and run.paused_at <= at and (run.ended_at is None or at < run.ended_at):
            return True
        for start, end in run.pauses:  # noqa: SIM110 - a generator would cost more than what it asks
            if start <= at < end:
                return True
        return False

    def elapsed_ms(self, at: int) -> int:
        """How much working time it has counted up to an instant."""
        known = self._elapsed_ms.get(at)
        if known is None:
            still_since = self._still_since
            until = at if still_since is None or at <= still_since else still_since
            known = self._elapsed_ms[at] = self._run.carried_ms + self._counting.elapsed_ms(until)
        return known

    def when(self, elapsed_ms: int) -> int | None:
        """The first instant at which so much has elapsed; None if that is not to be while it stands still."""
        at, still_since = self._reached(elapsed_ms), self._still_since
        return None if at is None or (still_since is not None and at > still_since) else at

    def when_resumed_at(self, elapsed_ms: int, resumed_at: int) -> int | None:
        """The same, if it ran again from an instant on."""
        still_since = self._still_since
        if still_since is None or resumed_at <= still_since:
            return self._reached(elapsed_ms)
        lost = (*self._uncounted, (still_since, resumed_at))
        counting = self._objective.working_time.counting(self._run.counted_from, lost)
        return self._reached_by(counting, elapsed_ms)

    def _reached(self, elapsed_ms: int) -> int | None:
        """If no more pauses come."""
        known = self._reached_at
        if elapsed_ms not in known:
            known[elapsed_ms] = self._reached_by(self._counting, elapsed_ms)
        return known[elapsed_ms]

    def _reached_by(self, counting: Counting, elapsed_ms: int) -> int | None:
        at = counting.after(elapsed_ms - self._run.carried_ms)
        return at if at is not None and at <= LOG_LATEST_AT else None

    @property
    def deadline(self) -> int | None:
        """When the target will have elapsed."""
        return self.when(self._objective.target_ms)

    @property
    def missed_at(self) -> int | None:
        """The deadline of a clock that ended after it; None if it has not ended, or ended in time."""
        ended_at = self._run.ended_at
        if ended_at is None:
            return None
        deadline = self.deadline
        return deadline if deadline is not None and deadline < ended_at else None

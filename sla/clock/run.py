r"""One clock from its start to its end, and the arithmetic on it (semantics.md 3, working time).

counted = (open ∩ [counted_from, ∞)) \ (pauses ∪ gaps ∪ exclusions); elapsed(t) = carried + |counted ∩ […, t)|;
an instant at which so much has elapsed is the first of its kind. Nothing is rounded.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import IntEnum, StrEnum
from operator import itemgetter
from typing import Final, NamedTuple

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


_START: Final = itemgetter(0)


class Settled(NamedTuple):
    """What a clock came to by an instant, before which its pauses and gaps are not kept one by one any more."""

    until: int
    elapsed_ms: int
    pauses_count: int
    has_gaps: bool
    reached: tuple[tuple[int, int], ...]  # what is due of it, by elapsed time: when that was


class Run:
    """A clock. `pauses` and `gaps` are ended intervals of time that does not count, in order."""

    __slots__ = (
        "_counting", "_exclusions", "_lost_count", "agreed", "agreed_count", "attached_at", "carried_ms",
        "counted_from", "ended_at", "ending", "gaps", "is_continued", "paused_at", "pauses", "replaces", "settled",
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
        self.settled: Settled | None = None
        self._counting: Counting | None = None  # by `_exclusions`, with the first pauses, so many, taken out
        self._exclusions: Sequence[Interval] = ()
        self._lost_count = 0
        self.agreed: array[int] | None = None  # what was told of it and found true, its first facts, so many
        self.agreed_count = 0

    @property
    def since(self) -> int:
        """From when on its pauses and gaps are known one by one."""
        return self.counted_from if self.settled is None else self.settled.until

    @property
    def before_ms(self) -> int:
        """What had elapsed by then."""
        return self.carried_ms if self.settled is None else self.settled.elapsed_ms

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    def copy(self) -> Run:
        """Another that may go its own way."""
        other = Run(self.attached_at, self.counted_from, self.carried_ms, self.replaces)
        other.pauses, other.gaps, other.paused_at = self.pauses, self.gaps, self.paused_at
        other.is_continued, other.settled = self.is_continued, self.settled
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

    def settle(self, settled: Settled, own_count: int) -> None:
        """Keep no longer one by one what it took over, nor so many pauses of its own: all lie before that instant."""
        self.settled, self._counting, self.agreed = settled, None, None
        self.pauses, self.gaps = self.pauses[self.taken_count + own_count :], ()

    # -- what is to be told of it

    @property
    def begun(self) -> Fact:
        """The first that is to be told of it."""
        return Fact(FactKind.RETARGETED if self.replaces is not None else FactKind.STARTED, self.attached_at)

    @property
    def facts_count(self) -> int:
        """How many facts it has."""
        own = len(self.pauses) - self.taken_count
        return 1 + 2 * own + (self.paused_at is not None) + (self.ended_at is not None)

    @property
    def taken_count(self) -> int:
        """How many of its pauses are not its own: it took them over, from before it was attached."""
        return bisect_left(self.pauses, (self.attached_at,)) if self.pauses else 0

    def facts(self, start: int = 0) -> list[Fact]:
        """What is to be told of it, in order, from a place on; what happens next to an open clock only adds to it."""
        found = [] if start else [self.begun]
        taken_count = self.taken_count
        place = min(max(0, start - 1) // 2, len(self.pauses) - taken_count)
        for begin, end in self.pauses[taken_count + place :]:
            found += (Fact(FactKind.PAUSED, begin), Fact(FactKind.RESUMED, end))
        if self.paused_at is not None:
            found.append(Fact(FactKind.PAUSED, self.paused_at))
        if self.ended_at is not None:
            found.append(Fact(FactKind.MET if self.ending is Ending.MET else FactKind.CANCELLED, self.ended_at))
        return found[max(0, start - 1 - 2 * place) :]

    # -- what it counts

    def counting(self, objective: TicketObjective, exclusions: Sequence[Interval]) -> Counting:
        """What it counts by its objective; of what is asked for again only the pauses since are looked up."""
        pauses = self.pauses if objective.pauses_move_deadline else ()
        known = self._counting
        if known is None or (exclusions is not self._exclusions and exclusions != self._exclusions):
            known = objective.working_time.counting(self.since, (*pauses, *self.gaps, *exclusions))
            self._counting, self._exclusions = known, exclusions
        elif len(pauses) > self._lost_count:
            for pause in pauses[self._lost_count :]:
                known.lose(*pause)
        self._lost_count = len(pauses)
        return known

    def count_on(self, old: Run) -> None:
        """Of a clock by the same reckoning, with the same past so far: what was looked up of it is not anew."""
        count, gaps_count = old._lost_count, len(old.gaps)
        if old._counting is None or old.since != self.since or self.gaps[:gaps_count] != old.gaps:
            return
        if self.pauses[:count] == old.pauses[:count]:
            self._counting, self._exclusions, self._lost_count = old._counting.copy(), old._exclusions, count
            for gap in self.gaps[gaps_count:]:
                self._counting.lose(*gap)


class Dial:
    """A clock read by its objective and the exclusions of its service. The run is not to change while it is read."""

    __slots__ = ("_counting", "_elapsed_ms", "_objective", "_reached_at", "_run", "_still_since")

    def __init__(self, objective: TicketObjective, run: Run, exclusions: Sequence[Interval]) -> None:
        self._objective = objective
        self._run = run
        self._still_since = run.paused_at if objective.pauses_move_deadline else None
        self._counting = run.counting(objective, exclusions)
        self._reached_at: dict[int, int | None] = {}  # one event asks several times
        self._elapsed_ms: dict[int, int] = {}

    def is_paused(self, at: int) -> bool:
        """Whether it stands still at an instant."""
        run = self._run
        if run.paused_at is not None and run.paused_at <= at and (run.ended_at is None or at < run.ended_at):
            return True
        place = bisect_right(run.pauses, at, key=_START) if run.pauses else 0
        return place > 0 and at < run.pauses[place - 1][1]

    def elapsed_ms(self, at: int) -> int:
        """How much working time it has counted up to an instant."""
        known = self._elapsed_ms.get(at)
        if known is None:
            known = self._elapsed_ms[at] = self._elapsed(at)
        return known

    def _elapsed(self, at: int) -> int:
        settled, still_since = self._run.settled, self._still_since
        if settled is not None and at < settled.until:
            for reached_ms, reached_at in settled.reached:
                if reached_at == at:
                    return reached_ms
        until = at if still_since is None or at <= still_since else still_since
        return self._run.before_ms + self._counting.elapsed_ms(until)

    def when(self, elapsed_ms: int) -> int | None:
        """The first instant at which so much has elapsed; None if that is not to be while it stands still."""
        at, still_since = self._reached(elapsed_ms), self._still_since
        return None if at is None or (still_since is not None and at > still_since) else at

    def when_resumed_at(self, elapsed_ms: int, resumed_at: int) -> int | None:
        """The same, if it ran again from an instant on."""
        still_since = self._still_since
        if still_since is None or resumed_at <= still_since:
            return self._reached(elapsed_ms)
        counted_ms = self.elapsed_ms(still_since)
        if elapsed_ms <= counted_ms:
            return self._reached(elapsed_ms)
        lost_ms = self._run.before_ms + self._counting.elapsed_ms(resumed_at) - counted_ms
        return self._reached(elapsed_ms + lost_ms)  # what it lost it needs once more

    def _reached(self, elapsed_ms: int) -> int | None:
        """If no more pauses come."""
        known = self._reached_at
        if elapsed_ms not in known:
            known[elapsed_ms] = self._look_up(elapsed_ms)
        return known[elapsed_ms]

    def _look_up(self, elapsed_ms: int) -> int | None:
        settled = self._run.settled
        if settled is not None and elapsed_ms <= settled.elapsed_ms:
            if elapsed_ms <= self._run.carried_ms:
                return self._run.counted_from
            for reached_ms, reached_at in settled.reached:
                if reached_ms == elapsed_ms:
                    return reached_at
        at = self._counting.after(elapsed_ms - self._run.before_ms)
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

"""What one objective makes of a ticket's events: clocks that start, pause, resume and end (semantics.md 3).

For a clock that runs the first of these that holds decides: `stop` (or the reply it waits for), `cancel` or a `when`
that no longer holds, the ticket's closing, `reset` (when it begins to hold), `pause`, `resume`. A clock that ended does
not begin again at the same event, but for that of periodic updates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sla.clock.history import Change
from sla.clock.run import Dial, Ending, Run
from sla.clock.talk import Talk
from sla.conditions import NEVER
from sla.intervals import Interval
from sla.records import TicketEvent
from sla.ticket_objective import Metric, OnReopen, OnRetarget, TicketObjective

ExclusionsOf = Callable[[str], Sequence[Interval]]
"""A service → its time that does not count."""


@dataclass(slots=True)
class Scene:
    """A ticket at one event, after it."""

    at: int
    offset: int
    change: Change
    fields: Mapping[str, Any]
    talk: Talk
    exclusions: ExclusionsOf
    since: Mapping[str, int]  # where in the log objectives that were not there from the beginning came to be defined

    def was_told_by(self, objective: TicketObjective) -> bool:
        """Whether anybody was told of the clocks at this event as it came: not of imports, nor before the objective."""
        return not self.change.is_import and self.offset > self.since.get(objective.name, -1)


class Replaced(NamedTuple):
    """A clock that this event cancelled, of the same metric."""

    objective: TicketObjective
    run: Run


def stand(run: Run, objective: TicketObjective, fields: Mapping[str, Any], at: int) -> None:
    """Pause or resume."""
    if objective.pause.holds(fields):
        if run.paused_at is None:
            run.pause(at)
    elif run.paused_at is not None and (objective.resume is None or objective.resume.holds(fields)):
        run.resume(at)


class Course:
    """The clocks of one objective on one ticket, one after the other."""

    __slots__ = ("is_reset", "objective", "runs", "service")

    def __init__(self, service: str, objective: TicketObjective) -> None:
        self.service = service
        self.objective = objective
        self.runs: list[Run] = []
        self.is_reset = False  # whether `reset` held at the event before

    @property
    def run(self) -> Run | None:
        """The clock that has not ended."""
        runs = self.runs
        return runs[-1] if runs and runs[-1].ended_at is None else None

    def copy(self) -> Course:
        """Another that may go its own way."""
        other = Course(self.service, self.objective)
        other.runs = [run.copy() for run in self.runs]
        other.is_reset = self.is_reset
        return other

    # -- a clock that runs

    def advance(self, run: Run, scene: Scene) -> None:
        """What the event does to the clock that runs."""
        ending = self._ending(scene)
        resets = self.objective.reset is not NEVER and self._begins_to_reset(scene)
        if ending is not None:
            run.end(scene.at, ending)
            if self.objective.metric is Metric.PERIODIC_UPDATE and scene.talk.answered_at and self._is_wanted(scene):
                self._begin(Run(scene.at, scene.at), scene)
        elif resets:
            run.end(scene.at, Ending.RESET)
            self._begin(Run(scene.at, scene.at), scene)
        else:
            stand(run, self.objective, scene.fields, scene.at)

    def _ending(self, scene: Scene) -> Ending | None:
        objective, fields = self.objective, scene.fields
        if (objective.awaits_reply and scene.talk.answered_at is not None) or objective.stop.holds(fields):
            return Ending.MET
        if objective.cancel.holds(fields) or not objective.when.holds(fields):
            return Ending.CANCELLED
        if scene.change.event is not TicketEvent.CLOSED:
            return None
        return Ending.CLOSED if objective.awaits_reply else Ending.MET

    def _begins_to_reset(self, scene: Scene) -> bool:
        before, self.is_reset = self.is_reset, self.objective.reset.holds(scene.fields)
        return self.is_reset and not before

    # -- a clock that is to begin

    def may_begin(self, scene: Scene) -> bool:
        """Whether a clock attaches at this event: none does from a `closed` event on until the ticket is reopened."""
        if self.objective.reset is not NEVER:
            self._begins_to_reset(scene)
        if scene.talk.is_closed or not self._is_wanted(scene):
            return False
        return scene.talk.awaited_since(self.objective.metric, scene.at) is not None

    def _is_wanted(self, scene: Scene) -> bool:
        objective, fields = self.objective, scene.fields
        return objective.when.holds(fields) and not objective.stop.holds(fields) and not objective.cancel.holds(fields)

    def begin(self, scene: Scene, replaced: Replaced | None, look_back: LookBack) -> None:
        """Attach a clock; what it counts from may lie before the event, and then its own pauses since."""
        last = self.runs[-1] if self.runs else None
        if replaced is not None:
            run = self._taken_over(scene, replaced)
        elif last is not None and self._continues(last):
            run = _continued(last, scene.at)
            run.count_on(last)
            self._begin(run, scene)
            return
        else:
            since = scene.talk.awaited_since(self.objective.metric, scene.at)
            is_anew = since is None or (last is not None and last.ending is Ending.CLOSED)
            run = Run(scene.at, scene.at if since is None or is_anew else since)
        if run.counted_from < scene.at:
            look_back(self, run)
        if replaced is not None and _is_reckoned_alike(self.objective, replaced.objective):
            run.count_on(replaced.run)
        self._begin(run, scene)

    def _continues(self, last: Run) -> bool:
        if self.objective.on_reopen is not OnReopen.CONTINUE:
            return False
        if self.objective.awaits_reply:
            return self.objective.metric is Metric.FIRST_RESPONSE and last.ending is Ending.CLOSED
        return last.ending is Ending.MET

    def _taken_over(self, scene: Scene, replaced: Replaced) -> Run:
        objective, before, old = self.objective, replaced.objective, replaced.run
        name = before.name if scene.was_told_by(objective) else None
        if objective.on_retarget is OnRetarget.RESTART:
            return Run(scene.at, scene.at, replaces=name)
        if objective.on_retarget is OnRetarget.PROPORTIONAL:
            elapsed_ms = Dial(before, old, scene.exclusions(self.service)).elapsed_ms(scene.at)
            return Run(scene.at, scene.at, elapsed_ms * objective.target_ms // before.target_ms, name)
        run = Run(scene.at, old.counted_from, old.carried_ms, name)
        run.pauses, run.gaps = all_pauses(old, scene.at), old.gaps
        if old.settled is not None:
            run.settled = old.settled._replace(reached=())  # that was by the other's target
        return run

    def _begin(self, run: Run, scene: Scene) -> None:
        self.runs.append(run)
        if self.objective.pause.holds(scene.fields):
            run.pause(scene.at)  # right behind the pause that it took over, if that one goes on


LookBack = Callable[[Course, Run], None]
"""Gives a clock that counts from before the event at hand the pauses by its own conditions up to it, the last of which
ends at the event if it has not ended before. Where they are not known it keeps those that it took over."""


def _is_reckoned_alike(objective: TicketObjective, other: TicketObjective) -> bool:
    is_alike = objective.pauses_move_deadline is other.pauses_move_deadline
    return is_alike and objective.working_time is other.working_time


def all_pauses(run: Run, until: int) -> tuple[Interval, ...]:
    """The pauses of a clock up to an instant, at which the last ends if it has not ended before."""
    pauses = run.pauses
    while pauses and pauses[-1][0] >= until:
        pauses = pauses[:-1]
    if run.paused_at is None or run.paused_at >= until:
        return pauses
    return (*pauses, (run.paused_at, until))


def _continued(last: Run, at: int) -> Run:
    """The clock of a ticket that was resolved and is open again: what lies between does not count."""
    run = Run(at, last.counted_from, last.carried_ms)
    run.is_continued, run.settled = True, last.settled
    ended_at = at if last.ended_at is None else last.ended_at
    run.pauses, run.gaps = all_pauses(last, ended_at), last.gaps
    if ended_at < at:
        run.gaps = (*last.gaps, (ended_at, at))
    return run

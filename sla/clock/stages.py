"""What time alone makes true of a clock, one stage after the other: its marks, its breach, its repeats.

Stage k of n marks is the mark, stage n the breach (told after its grace), then come the repeats.
"""

from __future__ import annotations

from sla.catalogue import Severity
from sla.clock.run import Dial, Run
from sla.ticket_objective import Mark, TicketObjective
from sla.units import MILLION

_GRAVE_PPM = 900_000
_SERIOUS_PPM = 750_000


def mark_of(objective: TicketObjective, stage: int) -> Mark | None:
    """The mark or repeat of a stage; None for the breach."""
    count = len(objective.marks)
    if stage < count:
        return objective.marks[stage]
    return None if stage == count else objective.repeats[stage - count - 1]


def stage_of(objective: TicketObjective, text: str) -> int | None:
    """The stage of a mark or repeat, by how it is written; None where it is no longer defined."""
    count = len(objective.marks)
    places = (*enumerate(objective.marks), *enumerate(objective.repeats, count + 1))
    return next((stage for stage, mark in places if mark.text == text), None)


def due_at(objective: TicketObjective, run: Run, dial: Dial, stage: int) -> int | None:
    """When a stage is told; None if there is no such stage, or not while the clock stands still."""
    stages_ms = objective.stages_ms
    at = dial.when(stages_ms[stage]) if stage < len(stages_ms) else None
    if at is None:
        return None
    return at + objective.grace_ms if stage == len(objective.marks) else max(at, run.attached_at)


def is_dropped(run: Run, mark: Mark) -> bool:
    """Whether a mark lies at or before the clock's start."""
    return mark.elapsed_ms <= run.carried_ms


def severity_of(objective: TicketObjective, stage: int) -> Severity:
    """How urgent a mark is: its share of the target decides, and the last before the deadline is critical."""
    mark = mark_of(objective, stage)
    if (
        mark is None
        or stage >= len(objective.marks) - 1
        or mark.elapsed_ms * MILLION >= objective.target_ms * _GRAVE_PPM
    ):
        return Severity.CRITICAL
    is_serious = mark.elapsed_ms * MILLION >= objective.target_ms * _SERIOUS_PPM
    return Severity.WARNING if is_serious else Severity.INFO


def stage_at(objective: TicketObjective, run: Run, dial: Dial, until: int, start: int = 0) -> int:
    """How many stages are behind at an instant, `start` of them being known to be."""
    stage = start
    while (due := due_at(objective, run, dial, stage)) is not None and due <= until:
        stage += 1
    return stage


def is_at_risk(objective: TicketObjective, run: Run, stage: int) -> bool:
    """Whether one of the marks behind holds the state `at_risk`."""
    return any(
        severity_of(objective, place) is not Severity.INFO and not is_dropped(run, objective.marks[place])
        for place in range(min(stage, len(objective.marks)))
    )

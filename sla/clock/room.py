"""How many of a ticket's events are kept one by one: the fewer, the more each of them may say of all its clocks.

A ticket is one record of the table, which takes no more than 4 MiB; one that would not fit holds up its partition.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sla.ticket_objective import TicketObjective

EVENTS_MAX: Final = 1_000
LOST_MAX: Final = 64  # pauses of a clock, and stretches for which it had ended, that its base keeps one by one
KEPT_MAX: Final = 50_000  # steps of all events that are kept: some 30 bytes each
STEPS_MAX: Final = 3_000  # of one event


def too_many_steps(objectives: Iterable[TicketObjective]) -> str | None:
    """Why a ticket cannot have clocks of all of them, if it cannot."""
    steps_count = steps_of(objectives)
    if steps_count <= STEPS_MAX:
        return None
    detail = f"the objectives of the ticket would have {steps_count} steps, at most {STEPS_MAX}"
    return f"{detail}: start, marks, deadline, repeats and end of each"


class Room(NamedTuple):
    """What is kept of a ticket, and of each of its clocks."""

    events_max: int
    lost_max: int


def steps_of(objectives: Iterable[TicketObjective]) -> int:
    """The most that one event may make clocks go through: a start, an end, and each mark, deadline and repeat."""
    return sum(2 + len(each.stages_ms) for each in objectives)


MOST: Final = Room(EVENTS_MAX, LOST_MAX)


def room_of(objectives: Iterable[TicketObjective]) -> Room:
    """What there is room for under all objectives that a ticket has had a clock of."""
    steps_count = max(1, steps_of(objectives))
    return Room(min(EVENTS_MAX, max(1, KEPT_MAX // steps_count)), min(LOST_MAX, max(1, KEPT_MAX // steps_count // 3)))

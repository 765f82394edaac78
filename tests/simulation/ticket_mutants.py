"""Bugs planted in the fold of tickets; see `mutants.py`."""

from __future__ import annotations

from typing import Any
from unittest import mock

import sla.clock.correcting
from sla.clock.agenda import Agenda
from sla.clock.memory import Memory
from sla.clock.partition import Partition
from sla.clock.run import Run
from tests.simulation.planting import Mutant, after_loading, in_place_of
from tests.simulation.story import TICKETS_FROM


def _nothing_is_due(memory: Memory) -> None:
    memory.agenda = Agenda()


def _what_a_ticket_has_read_is_read_again(memory: Memory) -> None:
    for ticket in memory.tickets.values():
        ticket.offset = -1


def _what_was_told_is_told_anew(memory: Memory) -> None:
    for ticket in memory.tickets.values():
        for track in ticket.tracks:
            track.told = []


def _pauses_count(_right: Any) -> Any:
    def counting(self: Run, objective: Any, exclusions: Any) -> Any:
        return objective.working_time.counting(self.since, (*self.gaps, *exclusions))

    return counting


def _nothing(*_: Any) -> None:
    return


TICKET_MUTANTS = (
    Mutant("due clocks forgotten by a restart", after_loading(Partition, _nothing_is_due), seeds_from=TICKETS_FROM),
    Mutant(
        "a ticket's own offset ignored",
        after_loading(Partition, _what_a_ticket_has_read_is_read_again),
        seeds_from=TICKETS_FROM,
    ),
    Mutant(
        "clocks told anew after a restart",
        after_loading(Partition, _what_was_told_is_told_anew),
        seeds_from=TICKETS_FROM,
    ),
    Mutant("a pause counts", in_place_of(Run, "counting", _pauses_count), seeds_from=TICKETS_FROM),
    Mutant(
        "a correction lost",
        lambda: mock.patch.object(sla.clock.correcting, "_correction", _nothing),
        seeds_from=TICKETS_FROM,
    ),
)

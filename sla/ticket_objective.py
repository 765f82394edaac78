"""A promise about tickets as the fold of clocks sees it: which tickets, until when, in which working time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

from sla.conditions import NEVER, Condition
from sla.units import MILLION
from sla.working_time import ALWAYS, WorkingTime

ANY_SERVICE: Final = "*"

_REPEATS_PERCENT: Final = (125, 150, 200)


class Metric(StrEnum):
    """What a clock measures (semantics.md 3)."""

    RESOLUTION = "resolution"
    FIRST_RESPONSE = "first_response"
    NEXT_REPLY = "next_reply"
    PERIODIC_UPDATE = "periodic_update"
    REQUESTER_WAIT = "requester_wait"
    AGENT_WORK = "agent_work"
    CUSTOM = "custom"


REPLY_METRICS: Final = frozenset({Metric.FIRST_RESPONSE, Metric.NEXT_REPLY, Metric.PERIODIC_UPDATE})
"""Those that an agent's reply ends, and the ticket's closing cancels: closing is no answer."""


class OnReopen(StrEnum):
    """What the clock of a reopened ticket counts from."""

    CONTINUE = "continue"
    RESTART = "restart"


class OnRetarget(StrEnum):
    """What a clock that replaces another counts from."""

    RETROACTIVE = "retroactive"
    RESTART = "restart"
    PROPORTIONAL = "proportional"


class Mark(NamedTuple):
    """When to warn, or to say again that it is late: once so much working time has elapsed."""

    text: str  # as written: "75%", "15m"
    elapsed_ms: int


@dataclass(frozen=True)
class TicketObjective:
    """A target for the working time of each ticket that matches. `resume` is None where `pause` alone decides."""

    name: str
    service: str  # or ANY_SERVICE
    metric: Metric
    target_ms: int
    target_text: str  # as written: "4h"
    when: Condition
    stop: Condition = NEVER
    pause: Condition = NEVER
    resume: Condition | None = None
    cancel: Condition = NEVER
    reset: Condition = NEVER
    pauses_move_deadline: bool = True  # type: timer; else deadline
    calendar: str | None = None
    working_time: WorkingTime = ALWAYS
    on_reopen: OnReopen = OnReopen.CONTINUE
    on_retarget: OnRetarget = OnRetarget.RETROACTIVE
    marks: tuple[Mark, ...] = ()  # by elapsed time, each before the deadline or at it
    grace_ms: int = 0
    version: int = 1

    @cached_property
    def reads(self) -> frozenset[str]:
        """The fields that its conditions look at."""
        conditions = (self.when, self.stop, self.pause, self.resume or NEVER, self.cancel, self.reset)
        return frozenset().union(*(each.reads for each in conditions))

    @cached_property
    def repeats(self) -> tuple[Mark, ...]:
        """When a missed target is told again; never, where nothing is warned of."""
        if not self.marks:
            return ()
        return tuple(Mark(f"{p}%", -(-self.target_ms * p // 100)) for p in _REPEATS_PERCENT)

    @cached_property
    def stages_ms(self) -> tuple[int, ...]:
        """The working time after which each thing is due that time alone brings: marks, target, repeats."""
        return (*(each.elapsed_ms for each in self.marks), self.target_ms, *(each.elapsed_ms for each in self.repeats))

    @cached_property
    def awaits_reply(self) -> bool:
        """Whether an agent's reply ends it."""
        return self.metric in REPLY_METRICS


def marks_of(
    target_ms: int, shares_ppm: Iterable[tuple[int, str]], lefts_ms: Iterable[tuple[int, str]]
) -> tuple[Mark, ...]:
    """The marks of a target: shares of it, and times left before it, each with its text.

    One at or before the clock's start is dropped; of those that fall together the share is kept.
    """
    at: dict[int, str] = {target_ms - left_ms: text for left_ms, text in lefts_ms}
    for share_ppm, text in shares_ppm:
        at[-(-target_ms * share_ppm // MILLION)] = text
    return tuple(Mark(text, elapsed_ms) for elapsed_ms, text in sorted(at.items()) if elapsed_ms > 0)


@dataclass(frozen=True)
class TicketPromises:
    """Objectives by the service whose tickets they are about, each list by name."""

    objectives: tuple[TicketObjective, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """All that is promised."""
        return frozenset(each.name for each in self.objectives)

    @cached_property
    def _of(self) -> dict[str, tuple[TicketObjective, ...]]:
        ordered = sorted(self.objectives, key=lambda each: each.name)
        return {
            service: tuple(each for each in ordered if each.service in (service, ANY_SERVICE))
            for service in {ANY_SERVICE, *(each.service for each in ordered)}
        }

    def of(self, service: str) -> tuple[TicketObjective, ...]:
        """Those of a service and those of any."""
        return self._of.get(service, self._of[ANY_SERVICE])


def signal_of(objective: str) -> str:
    """The signal that a ticket objective's outcomes are counted on."""
    return f"tickets:{objective}"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes of a ticket objective's clocks: one good when met in time, one bad at its breach."""

    of: str
    kind: str = "tickets"

    @property
    def signal(self) -> str:
        """Where the fold of tickets counts them."""
        return signal_of(self.of)

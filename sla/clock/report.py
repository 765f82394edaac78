"""From a fact about a ticket's clock to what leaves: the event's data, in whole numbers and in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sla.catalogue import Catalogue, Severity
from sla.clock.course import Course
from sla.clock.framing import Frame
from sla.clock.run import Dial, Run
from sla.clock.track import Track
from sla.events import (
    HISTORIC_AFTER_MS,
    Confidence,
    EventData,
    ExclusionRef,
    Reason,
    SeverityText,
    StateText,
    TicketView,
    no_reason,
)
from sla.exclusions import InForce
from sla.records import Exclusion
from sla.silences import Silences
from sla.standing import Standing
from sla.units import rfc3339, spoken

_GONE: Final = Run(0, 0)
_SEVERITIES: Final[dict[Severity, SeverityText]] = {each: each.value for each in Severity}
_STATES: Final[dict[Standing, StateText]] = {each: each.value for each in Standing}
_CERTAIN: Final[Confidence] = {"level": "full", "coverage": 1.0}


@dataclass(slots=True)
class Moment:
    """Where the log stands: revision and silences in force, log time after the advance, the offset of the line."""

    catalogue: Catalogue
    silences: Silences
    now: int
    offset: int


Reading = tuple[int, int | None]
"""What has elapsed, and when the target will have if the clock runs from there on; None if it never will."""


class View:
    """One clock, looked at. `run` and `dial` are None where the clock has turned out never to have been."""

    __slots__ = ("_read_at", "_reading", "dial", "exclusions", "key", "objective", "run", "ticket", "track")

    def __init__(
        self, ticket: str, key: str, track: Track, course: Course, run: Run | None, exclusions: InForce
    ) -> None:
        self.ticket = ticket
        self.key = key  # the dedup key
        self.objective = course.objective
        self.track = track
        self.run = run
        self.dial = None if run is None else Dial(course.objective, run, exclusions.intervals)
        self.exclusions: tuple[Exclusion, ...] = exclusions.exclusions
        self._read_at: int | None = None
        self._reading: Reading = (0, None)

    @property
    def clock(self) -> Dial:
        """The clock of a view that has one."""
        assert self.dial is not None  # noqa: S101 - whoever asks has looked at a run
        return self.dial

    def reading(self, at: int) -> Reading:
        """The clock at an instant: the event of a fact and what is fed of it ask for the same one."""
        dial = self.dial
        if dial is not None and at != self._read_at:
            self._read_at = at
            self._reading = dial.elapsed_ms(at), dial.when_resumed_at(self.objective.target_ms, at)
        return self._reading


@dataclass(slots=True)
class Draft:
    """An event to publish: its name in the type, the rule that decided, and what only the instant knows."""

    name: str
    rule: str
    severity: Severity
    previous: Standing
    standing: Standing
    at: int
    mark: str | None = None
    is_historic: bool = False
    is_for_people: bool = True
    more: dict[str, Any] | None = None  # what its type adds to the data


def event_data(view: View, moment: Moment, frame: Frame, draft: Draft, sequence: int) -> EventData:
    """The data of one event."""
    track, flags = view.track, view.track.flags
    ticket = _ticket(view, frame.metric, draft.at)
    return {
        "dedup_key": view.key,
        "sequence": sequence,
        "episode": track.episode,
        "severity": _SEVERITIES[draft.severity],
        "state": _STATES[draft.standing],
        "previous_state": _STATES[draft.previous],
        "service": track.service,
        "signal": frame.signal,
        "instance": None,
        "objective": frame.objective,
        "agreements": frame.agreements,
        "owner": frame.owner,
        "opened_at": None if track.opened_at is None else rfc3339(track.opened_at),
        "evaluated_at": rfc3339(moment.now),
        "reason": _reason(draft.rule, draft.mark),
        "budget": None,
        "forecast": None,
        "confidence": _CERTAIN,
        "flags": {
            "acked_by": flags.acked_by,
            "acked_until": None if flags.acked_until is None else rfc3339(flags.acked_until),
            "silenced": flags.is_silenced,
            "suppressed_by": flags.suppressed_by,
            "no_data": False,
            "historic": draft.is_historic or moment.now - draft.at > HISTORIC_AFTER_MS,
            "final": True,
        },
        "ticket": ticket,
        "causes": [],
        "exclusions": _exclusions(view, moment.now) if view.exclusions else [],
        "advice": {"summary": _summary(draft, ticket), "actions": [], "runbook": frame.runbook},
    }


@lru_cache(maxsize=1024)
def _reason(rule: str, mark: str | None) -> Reason:
    reason = no_reason(rule)
    reason["mark"] = mark
    return reason


def _ticket(view: View, metric: str, at: int) -> TicketView:
    dial, run, target_ms = view.dial, view.run or _GONE, view.objective.target_ms
    elapsed_ms, due_at = view.reading(at)
    is_paused = dial is not None and dial.is_paused(at)
    due = None if due_at is None else rfc3339(due_at)
    return {
        "id": view.ticket,
        "metric": metric,
        "target_ms": target_ms,
        "elapsed_ms": elapsed_ms,
        "percent": 100 * elapsed_ms // target_ms,
        "deadline": None if is_paused else due,
        "paused": is_paused,
        "time_left_ms": target_ms - elapsed_ms,
        "deadline_if_resumed_now": due if is_paused else None,
        "ended_at": None if run.ended_at is None or run.ended_at > at else rfc3339(run.ended_at),
    }


def _exclusions(view: View, now: int) -> list[ExclusionRef]:
    run = view.run
    if run is None:
        return []
    end = now if run.ended_at is None else run.ended_at
    return [
        {
            "id": each.id,
            "from": rfc3339(each.from_at),
            "to": rfc3339(each.to_at),
            "category": each.category.value,
            "reason": each.reason,
            "widened_ms": 0,
        }
        for each in view.exclusions
        if each.from_at <= end and each.to_at > run.counted_from
    ]


def _summary(draft: Draft, ticket: TicketView) -> str:
    number = ticket["id"]
    if draft.name in ("recovery", "clock.met", "clock.cancelled"):
        return _ENDED.get(draft.rule, "The clock of ticket {} has ended.").format(number)
    if draft.name == "correction":
        return f"What was said of ticket {number} is no longer true: {draft.rule.replace('_', ' ')}."
    left = spoken(abs(ticket["time_left_ms"]))
    if ticket["time_left_ms"] <= 0:
        return (
            f"Ticket {number} has missed its target."
            if left == "under a minute"
            else (f"Ticket {number} is {left} of working time beyond its target.")
        )
    if ticket["paused"]:
        return f"The clock of ticket {number} is paused with {left} of working time left."
    due = f"; it is due at {ticket['deadline']}" if ticket["deadline"] else ""
    return f"Ticket {number} has {left} of working time left{due}."


_ENDED = {
    "met": "The target for ticket {} was met.",
    "met_late": "The target for ticket {} was reached too late.",
    "cancelled": "The clock of ticket {} no longer applies.",
    "reset": "The clock of ticket {} was reset.",
    "closed": "Ticket {} was closed before the clock was stopped.",
    "retired": "The objective is no longer defined.",
    "cleared": "Ticket {} is within its target again.",
}

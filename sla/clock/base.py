"""Folding the oldest events of a long ticket into its base, so that a million events take the room of a thousand.

What is folded cannot be looked at anew: clocks that ended before are settled for good, and of a clock that still runs
the pauses of old become time carried over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sla.clock.course import Course, ExclusionsOf, stand
from sla.clock.history import EVENTS_MAX, Event
from sla.clock.labels import labels_of
from sla.clock.run import Dial, Ending, Fact, FactKind, Run
from sla.clock.story import ObjectivesOf, Story, Terms
from sla.clock.talk import Talk

if TYPE_CHECKING:
    from sla.clock.ticket import TicketAtom

PAUSES_MAX: Final = 64
_RUN: Final = (
    "attached_at", "counted_from", "carried_ms", "replaces", "pauses", "gaps", "paused_at", "ended_at", "ending",
    "is_continued",
)  # fmt: skip


def folded(ticket: TicketAtom, oldest: Event, terms: Terms) -> Story:
    """The base with one more event in it."""
    base = ticket.base or Story()
    present = ticket.story
    if base.base_at is None and present is not None:
        base.own = {(course.service, course.objective.name): Run(0, 0) for course in present.all_courses}
    base.take(oldest, (), terms)
    _stand_own(base, oldest.at, terms.objectives)
    base.base_at = oldest.at
    if present is not None:
        present.base_at, present.base_fields, present.own = base.base_at, base.fields, base.own
    for course in base.all_courses:
        _settle_runs(ticket, course)
        if course.runs and len(course.runs[-1].pauses) > PAUSES_MAX:
            _settle_pauses(ticket, course, terms.exclusions)
    return base


def _stand_own(base: Story, at: int, objectives: ObjectivesOf) -> None:
    for (service, name), own in base.own.items():
        objective = next((each for each in objectives(service) if each.name == name), None)
        if objective is not None:
            stand(own, objective, base.fields, at)
            own.pauses = own.pauses[-EVENTS_MAX:]


def _settle_runs(ticket: TicketAtom, course: Course) -> None:
    """Of each objective the last clock alone is kept."""
    count = len(course.runs) - 1
    if count < 1:
        return
    del course.runs[:count]
    present = ticket.course_of(course.service, course.objective.name)
    if present is not None:
        del present.runs[:count]
    track = ticket.find_track(course.service, course.objective.name)
    if track is not None:
        del track.told[:count]


def _settle_pauses(ticket: TicketAtom, course: Course, exclusions: ExclusionsOf) -> None:
    run = course.runs[-1]
    settled, until = run.pauses, run.pauses[-1][1]
    carried_ms = Dial(course.objective, run, exclusions(course.service)).elapsed_ms(until)
    present = ticket.course_of(course.service, course.objective.name)
    for each in (run, *(present.runs[:1] if present is not None else ())):
        each.carried_ms, each.counted_from = carried_ms, until
        each.pauses, each.gaps = each.pauses[len(settled) :], ()
    track = ticket.find_track(course.service, course.objective.name)
    for told in track.told[:1] if track is not None else ():
        own = [pause for pause in settled if pause[0] >= run.attached_at]  # the others were taken over, and never told
        told.forget_all(Fact(FactKind.PAUSED, start) for start, _ in own)
        told.forget_all(Fact(FactKind.RESUMED, end) for _, end in own)


# -- the table


def base_to_json(base: Story) -> dict[str, Any]:
    """The base as a part of its ticket's table entry."""
    return {
        "at": base.base_at,
        "service": base.service,
        "fields": base.fields,
        "own": [[*key, own.pauses, own.paused_at] for key, own in base.own.items()],
        "talk": [getattr(base.talk, name) for name in Talk.__slots__],
        "courses": [
            [
                course.service,
                course.objective.name,
                course.is_reset,
                [[getattr(run, name) for name in _RUN] for run in course.runs],
            ]
            for course in base.all_courses
        ],
    }


def base_from_json(body: Mapping[str, Any], objectives: ObjectivesOf) -> Story:
    """The base under the objectives in force; what was kept of an objective that is no longer defined is dropped."""
    base = Story()
    base.base_at, base.service, base.fields = body["at"], body["service"], dict(body["fields"])
    base.labels = labels_of(base.fields)
    for name, value in zip(Talk.__slots__, body["talk"], strict=True):
        setattr(base.talk, name, value)
    for service, name, pauses, paused_at in body["own"]:
        own = base.own[service, name] = Run(0, 0)
        own.pauses, own.paused_at = tuple((start, end) for start, end in pauses), paused_at
    kept: dict[tuple[str, str], Course] = {}
    for service, name, is_reset, runs in body["courses"]:
        objective = next((each for each in objectives(service) if each.name == name), None)
        if objective is not None:
            course = kept[service, name] = Course(service, objective)
            course.is_reset = is_reset
            course.runs = [_run_from_json(run) for run in runs]
    for each in objectives(base.service):
        key = (base.service, each.name)
        base.courses.append(kept.pop(key) if key in kept else Course(base.service, each))
    base.left = list(kept.values())
    return base


def _run_from_json(values: list[Any]) -> Run:
    run = Run(0, 0)
    for name, value in zip(_RUN, values, strict=True):
        setattr(run, name, value)
    run.pauses = tuple((start, end) for start, end in run.pauses)
    run.gaps = tuple((start, end) for start, end in run.gaps)
    run.ending = None if run.ending is None else Ending(run.ending)
    return run

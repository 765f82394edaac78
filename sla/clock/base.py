"""Folding the oldest events of a long ticket into its base, so that a million events take the room of a thousand.

What is folded cannot be looked at anew: clocks that ended before are settled for good, and of a clock that still runs
the pauses of old become time carried over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sla.clock.course import Course, ExclusionsOf, stand
from sla.clock.history import Event
from sla.clock.labels import labels_of
from sla.clock.room import Room, room_of
from sla.clock.run import Dial, Ending, Fact, FactKind, Run, Settled
from sla.clock.story import ObjectivesOf, Story, Terms
from sla.clock.talk import FIELDS
from sla.ticket_objective import TicketObjective

if TYPE_CHECKING:
    from sla.clock.ticket import TicketAtom


def folded(ticket: TicketAtom, oldest: Event, terms: Terms, room: Room) -> Story:
    """The base with one more event in it; what it keeps one by one has `room`."""
    base = ticket.base or Story()
    present = ticket.story
    if base.base_at is None and present is not None:
        base.own = {(course.service, course.objective.name): Run(0, 0) for course in present.all_courses}
    base.take(oldest, None, terms)
    base.base_at = oldest.at
    if present is not None:
        present.base_at, present.base_fields, present.own = base.base_at, base.fields, base.own
    if _stand_own(base, present, oldest.at, terms.objectives, room):
        ticket.story = None
    for course in base.touched:
        _settle_runs(ticket, course)
        run = course.runs[-1] if course.runs else None
        if run is not None and len(run.pauses) + len(run.gaps) > room.lost_max:
            _settle_lost(ticket, course, run, terms.exclusions)
    return base


def _stand_own(base: Story, present: Story | None, at: int, objectives: ObjectivesOf, room: Room) -> bool:
    """What is paused by the conditions of each objective; whether less of the past is known than before."""
    is_less = False
    defined: dict[str, dict[str, TicketObjective]] = {}
    for (service, name), own in base.own.items():
        if service not in defined:
            defined[service] = {each.name: each for each in objectives(service)}
        objective = defined[service].get(name)
        before = own.pauses
        if objective is not None:
            stand(own, objective, base.fields, at)
        if own.pauses is not before and present is not None:
            present.fold((service, name), 1)
        if len(own.pauses) >= room.events_max + room.lost_max:
            forgotten, own.pauses = own.pauses[: -room.events_max], own.pauses[-room.events_max :]
            own.counted_from = forgotten[-1][1]
            is_less = True
    return is_less


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


def _settle_lost(ticket: TicketAtom, course: Course, run: Run, exclusions: ExclusionsOf) -> None:
    """What the clock has come to takes the place of its pauses, and of the stretches for which it had ended."""
    pauses, gaps, objective = run.pauses, run.gaps, course.objective
    until = max(each[-1][1] for each in (pauses, gaps) if each)
    dial = Dial(objective, run, exclusions(course.service))
    elapsed_ms, before = dial.elapsed_ms(until), run.settled
    reached = [] if before is None else [*before.reached]
    for stage_ms in objective.stages_ms:
        at = dial.when(stage_ms) if run.before_ms < stage_ms <= elapsed_ms else None
        if at is not None:
            reached.append((stage_ms, at))
    count = len(pauses) + (0 if before is None else before.pauses_count)
    has_gaps = bool(gaps) or (before is not None and before.has_gaps)
    settled = Settled(until, elapsed_ms, count, has_gaps, tuple(reached))
    own = pauses[run.taken_count :]
    run.settle(settled, len(own))
    present = ticket.course_of(course.service, objective.name)
    if _has_heirs(ticket, run, settled):
        ticket.story = None  # they have its past one by one still, and would not once the ticket was told anew
    elif present is not None:
        present.runs[0].settle(settled, len(own))
    track = ticket.find_track(course.service, objective.name)
    for told in track.told[:1] if track is not None else ():
        told.forget_all(Fact(FactKind.PAUSED, start) for start, _ in own)
        told.forget_all(Fact(FactKind.RESUMED, end) for _, end in own)


def _has_heirs(ticket: TicketAtom, run: Run, settled: Settled) -> bool:
    """Whether clocks took over from it that no longer could as they did, once the ticket is told anew."""
    present, base = ticket.story, ticket.base
    if present is None or base is None:
        return False
    for course in present.all_courses:
        own = base.own.get((course.service, course.objective.name))
        is_whole = not settled.has_gaps and own is not None and not own.counted_from
        if not is_whole and any(
            each.counted_from == run.counted_from < each.attached_at > run.attached_at and not each.is_continued
            for each in course.runs
        ):
            return True
    return False


# -- the table


def base_to_json(base: Story) -> dict[str, Any]:
    """The base as a part of its ticket's table entry."""
    return {
        "at": base.base_at,
        "service": base.service,
        "fields": base.fields,
        "own": [[*key, own.pauses, own.paused_at, own.counted_from] for key, own in base.own.items()],
        "talk": [getattr(base.talk, name) for name in FIELDS],
        "courses": [
            [
                course.service,
                course.objective.name,
                course.is_reset,
                [_run_to_json(run) for run in course.runs],
            ]
            for course in base.all_courses
        ],
    }


def base_from_json(body: Mapping[str, Any], objectives: ObjectivesOf) -> Story:
    """The base under the objectives in force; what was kept of an objective that is no longer defined is dropped."""
    base = Story()
    base.base_at, base.service, base.fields = body["at"], body["service"], dict(body["fields"])
    base.labels = labels_of(base.fields)
    for name, value in zip(FIELDS, body["talk"], strict=True):
        setattr(base.talk, name, value)
    for service, name, pauses, paused_at, *known_from in body["own"]:  # an older version wrote no more
        own = base.own[service, name] = Run(0, *known_from or (0,))
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
    base.room = room_of(course.objective for course in base.all_courses)
    return base


def _run_to_json(run: Run) -> list[Any]:
    settled = None if run.settled is None else [*run.settled]
    return [
        run.attached_at, run.counted_from, run.carried_ms, run.replaces, run.pauses, run.gaps,
        run.paused_at, run.ended_at, run.ending, run.is_continued, settled,
    ]  # fmt: skip


def _run_from_json(values: list[Any]) -> Run:
    attached_at, counted_from, carried_ms, replaces, pauses, gaps, *rest = values
    run = Run(attached_at, counted_from, carried_ms, replaces)
    run.pauses = tuple((start, end) for start, end in pauses)
    run.gaps = tuple((start, end) for start, end in gaps)
    run.paused_at, run.ended_at, ending, run.is_continued, *settled = rest
    run.ending = None if ending is None else Ending(ending)
    for found in settled:  # an older version did not write it
        if found is not None:
            until, before_ms, pauses_count, has_gaps, reached = found
            instants = tuple((elapsed_ms, at) for elapsed_ms, at in reached)
            run.settled = Settled(until, before_ms, pauses_count, has_gaps, instants)
    return run

"""Brings what was told of a ticket's clocks in line with what is true: what is new is told, what is false corrected."""

from __future__ import annotations

from sla.clock.correcting import LATE, align, correct, correct_lateness, new_told
from sla.clock.differences import differences
from sla.clock.report import View
from sla.clock.run import Ending, FactKind, Run
from sla.clock.stages import due_at, is_dropped, mark_of, stage_at
from sla.clock.track import SILENT, Told
from sla.clock.voice import ENDINGS, Voice
from sla.fold import Emission


def catch_up(
    voice: Voice, *, rule: str | None = None, is_past: bool = False, are_labels_new: bool = False
) -> list[Emission]:
    """Tell what is new after the newest event; `is_past` if time has already gone beyond its instant, or to it.

    With a `rule` (late_data, exclusion, definition) all is looked at anew and what is no longer true is corrected.
    """
    told, runs = voice.track.told, voice.course.runs
    untold_count: int | None = None
    if rule is None and told:
        untold_count = told[-1].untold_count(runs[len(told) - 1]) if len(told) <= len(runs) else None
        if untold_count is None:
            rule = LATE
    if rule is not None:
        align(voice, rule)
        told = voice.track.told
        first = 0
    else:
        first = max(0, len(told) - 1)  # the clocks before it have ended: what comes later does not change them
        if is_past and told and told[-1].stage > 0:
            rule = LATE  # what time alone made true at the event's instant or after it may not be so
        elif untold_count == 0 and len(told) == len(runs):
            # Nothing happened to the clock, so nothing is due at another time either.
            return voice.relabelled() if are_labels_new else []
    for place, run in enumerate(runs[first:], first):
        if place == len(told):
            told.append(new_told(voice, place))
        _settle(voice, run, told[place], rule)
    return voice.done(are_labels_new=are_labels_new)


def run_due(voice: Voice, at: int) -> list[Emission]:
    """At an instant at which something is due: an acknowledgement ends first."""
    voice.reflag(voice.track.flags.expire(at), at)
    run, told = voice.course.run, voice.track.told
    if run is not None and len(told) == len(voice.course.runs):
        _pass_stages(voice, voice.view(run), run, told[-1], at)
    return voice.done()


def end_import(voice: Voice) -> list[Emission]:
    """Tell what is still open, or correct what was told of the ticket before it was imported."""
    return catch_up(voice, rule=LATE) if voice.track.is_told else settle_silently(voice, is_import=True)


def settle_silently(voice: Voice, *, is_import: bool) -> list[Emission]:
    """Take all that has happened as told, but for what is still open: after an import, or for a new definition."""
    told, runs = voice.track.told, voice.course.runs
    del told[len(runs) :]
    for place, run in enumerate(runs):
        if place == len(told):
            told.append(new_told(voice, place))
        _accept(voice.view(run), run, told[place])
        if run.is_open:
            _show(voice, run, told[place], is_import=is_import)
    if voice.track.is_open and voice.course.run is None:
        voice.recover(voice.view(runs[-1]) if runs else voice.gone, "cancelled", voice.moment.now)
    return voice.done()


def _accept(view: View, run: Run, told: Told) -> None:
    """What is true of a clock counts as told; but not of one that is open and of which nothing was told."""
    if run.is_open and not told.is_heard:
        told.load([])
        return
    found = differences(told, run)
    for fact in (*found.wrong, *(old for old, _ in found.moved)):
        told.forget(fact)
    for fact in (*(new for _, new in found.moved), *found.new):
        told.add(fact, SILENT)
    told.arrange(run.facts())
    if not run.is_open:
        told.breach_at = view.clock.missed_at
        told.breach_sequence = told.breached_sequence = SILENT


def _show(voice: Voice, run: Run, told: Told, *, is_import: bool) -> None:
    """An open clock as it is now: what time alone has made true counts as told, but for a breach."""
    view = voice.view(run)
    told.stage = stage_at(view.objective, run, view.clock, voice.moment.now)
    is_missed = told.stage > len(view.objective.marks)
    if not is_missed:
        told.breach_at = None
    if not told.facts_count:
        voice.introduce(view, run, told)
    deadline = view.clock.deadline
    if is_missed and told.breach_at is None and deadline is not None:
        voice.breach(view, told, deadline, is_historic=is_import)


def retire(voice: Voice, at: int) -> list[Emission]:
    """The objective is no longer defined: its clock ends with it, and so does its episode."""
    run = voice.course.run
    if run is not None:
        run.end(at, Ending.RETIRED)
        view = voice.view(run)
        if voice.track.is_open:
            voice.recover(view, "retired", at)
        voice.clock(view, voice.still("clock.cancelled", "retired", at))
        voice.feed(view, at, "ended", "cancelled")
    for told in voice.track.told:
        told.load([])  # but not its outcome: it counts once, should the objective come back
    return voice.done()


def _settle(voice: Voice, run: Run, told: Told, rule: str | None) -> None:
    view = voice.view(run)
    missed_at = _missed_at(voice, view, run, told)
    was_missed = told.breach_at is not None
    is_in_order = rule is None or told.is_true_of(run)
    if rule is None:
        new = run.facts(told.facts_count)
    else:
        found = differences(told, run)
        correct(voice, view, run, told, found, missed_at, rule)
        new = found.new
    for fact in new:
        if fact.kind in ENDINGS and missed_at is not None and told.breach_at is None:
            voice.breach(view, told, missed_at)
        voice.tell(view, run, told, fact, is_late=missed_at is not None)
    if not is_in_order:
        told.arrange(run.facts())
    told.agree(run)
    if run.is_open:
        _pass_stages(voice, view, run, told, voice.moment.now)
    elif (missed_at is not None) != was_missed and not any(fact.kind in ENDINGS for fact in new):
        _tell_ending_anew(voice, view, run, told, missed_at, rule or LATE)


def _missed_at(voice: Voice, view: View, run: Run, told: Told) -> int | None:
    """The deadline that was missed; of a clock that runs only one that was told: time tells the others."""
    if not run.is_open:
        return view.clock.missed_at
    if told.breach_at is None:
        return None
    due = due_at(view.objective, run, view.clock, len(view.objective.marks))
    return view.clock.deadline if due is not None and due <= voice.moment.now else None


def _tell_ending_anew(voice: Voice, view: View, run: Run, told: Told, missed_at: int | None, rule: str) -> None:
    """A clock that had ended in time turns out to have ended late, or the other way round."""
    ending = run.facts(run.facts_count - 1)[0]
    if ending.kind is FactKind.MET:
        correct_lateness(voice, view, told, ending, rule, is_late=missed_at is not None)
    if missed_at is not None and told.breach_at is None:
        voice.breach(view, told, missed_at)
    if ending.kind is FactKind.MET:
        told.forget(ending)
        voice.tell(view, run, told, ending, is_late=missed_at is not None)
    elif voice.track.is_open:
        voice.recover(view, "cancelled", ending.at)


def _pass_stages(voice: Voice, view: View, run: Run, told: Told, until: int) -> None:
    """Marks, breach and repeats that an instant has reached; those reached together are one event."""
    objective, first, count = view.objective, told.stage, len(view.objective.marks)
    told.stage = stage_at(objective, run, view.clock, until, first)
    if told.stage == first:
        return
    if first <= count < told.stage and told.breach_at is None:
        deadline = view.clock.deadline
        if deadline is not None:
            voice.breach(view, told, deadline)
        return
    reached = [(stage, mark) for stage in range(first, told.stage) if (mark := mark_of(objective, stage)) is not None]
    reached = [(stage, mark) for stage, mark in reached if not is_dropped(run, mark)]
    if reached:
        stage, mark = reached[-1]
        at = due_at(objective, run, view.clock, stage)
        voice.warn(view, told, stage, mark.text, until if at is None else at)

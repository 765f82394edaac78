"""What was published of a ticket's clocks and is no longer true: each false event is named by a correction."""

from __future__ import annotations

from typing import Final

from sla.clock.differences import Differences
from sla.clock.report import Draft, View
from sla.clock.run import Fact, Run
from sla.clock.stages import due_at, is_at_risk, stage_at, stage_of
from sla.clock.track import SILENT, Told, Warned
from sla.clock.voice import ENDINGS, NAMES, Voice
from sla.dedup import event_id
from sla.events import ALERTS, CLOCKS
from sla.standing import Standing
from sla.units import rfc3339

LATE: Final = "late_data"


def new_told(voice: Voice, place: int) -> Told:
    """Nothing told of a clock yet; that of a reopened ticket that goes on has its marks and outcome behind it."""
    told = Told()
    if place and voice.course.runs[place].is_continued:
        before = voice.track.told[place - 1]
        told.stage = min(before.stage, len(voice.course.objective.marks))
        told.is_good_fed, told.is_bad_fed = before.is_good_fed, before.is_bad_fed
    return told


def align(voice: Voice, rule: str) -> None:
    """Give each clock what was told of it; what was told of clocks that never were is taken back."""
    track, runs = voice.track, voice.course.runs
    left = list(track.told)
    aligned: list[Told | None] = []
    for run in runs:
        begun = run.begun
        match = next((told for told in left if told.begun == begun), None)
        if match is not None:
            left.remove(match)
        aligned.append(match)
    for place, told in enumerate(aligned):
        if told is None and left:
            aligned[place] = left.pop(0)
    track.told = []
    for place, told in enumerate(aligned):
        track.told.append(new_told(voice, place) if told is None else told)
    for told in left:
        _take_back(voice, told, rule)


def correct(
    voice: Voice, view: View, run: Run, told: Told, found: Differences, missed_at: int | None, rule: str
) -> None:
    """Correct what was told of a clock."""
    if told.breach_at is not None and missed_at != told.breach_at:
        _correct_breach(voice, view, run, told, missed_at, rule)
    for fact in found.wrong:
        _correction(voice, view, rule, (NAMES[fact.kind], fact.at, told.sequence_of(fact)))
        told.forget(fact)
    for old, new in found.moved:
        sequence = told.sequence_of(old)
        _correction(voice, view, rule, (NAMES[old.kind], old.at, sequence), new.at)
        told.forget(old)
        told.add(new, sequence)
    _correct_warnings(voice, view, run, told, rule)


def _correct_breach(voice: Voice, view: View, run: Run, told: Told, missed_at: int | None, rule: str) -> None:
    track, now = voice.track, voice.moment.now
    if missed_at is not None or not track.is_open:
        _name_breach(voice, view, told, rule, missed_at)
        told.breach_at = missed_at
        return
    told.stage = min(told.stage, stage_at(view.objective, run, view.clock, now))
    holds = run.is_open and is_at_risk(view.objective, run, told.stage)
    previous, track.standing = track.standing, Standing.AT_RISK if holds else Standing.OK
    _name_breach(voice, view, told, rule, None, previous)
    told.breach_at = None
    if not holds:
        track.standing = previous  # its end, or that it is cleared, tells of the recovery
        if run.is_open:
            voice.recover(view, "cleared", now)


def _name_breach(
    voice: Voice, view: View, told: Told, rule: str, is_at: int | None = None, previous: Standing | None = None
) -> None:
    """A breach is told on two topics, and each of its events is named: who reads of clocks need not read alerts."""
    for name, sequence in (("breach", told.breach_sequence), ("clock.breached", told.breached_sequence)):
        _correction(voice, view, rule, (name, told.breach_at, sequence), is_at, previous)


def correct_lateness(voice: Voice, view: View, told: Told, met: Fact, rule: str, *, is_late: bool) -> None:
    """The end of a clock stands, but not what was told of it: that it came in time, or too late."""
    sequence = told.sequence_of(met)
    _correction(voice, view, rule, (NAMES[met.kind], met.at, sequence), met.at, was_late=not is_late)


def _correct_warnings(voice: Voice, view: View, run: Run, told: Told, rule: str) -> None:
    """Marks and repeats that were told: one that is ahead again is false, and told when it is reached."""
    until = voice.moment.now if run.ended_at is None else run.ended_at
    holding: list[Warned] = []
    for warned in told.warnings:
        stage = stage_of(view.objective, warned.mark)
        due = warned.at if stage is None else due_at(view.objective, run, view.clock, stage)
        at = due if due is not None and due <= until else None
        if at is not None:
            holding.append(warned._replace(at=at))
        if at != warned.at:
            _correction(voice, view, rule, ("early_warning", warned.at, warned.sequence), at)
    told.warnings = tuple(holding)
    if not run.is_open:
        return
    if told.breach_at is None:
        told.stage = min(told.stage, len(view.objective.marks))  # which may be fewer than there were
    told.stage = min(told.stage, stage_at(view.objective, run, view.clock, until))
    if voice.track.standing is Standing.AT_RISK and not is_at_risk(view.objective, run, told.stage):
        voice.recover(view, "cleared", until)


def _take_back(voice: Voice, told: Told, rule: str) -> None:
    """A clock that was told of has never been."""
    view, now, facts = voice.gone, voice.moment.now, told.facts
    for warned in told.warnings:
        _correction(voice, view, rule, ("early_warning", warned.at, warned.sequence))
    if told.breach_at is not None:
        _name_breach(voice, view, told, rule)
    for fact in facts:
        _correction(voice, view, rule, (NAMES[fact.kind], fact.at, told.sequence_of(fact)))
    if facts and facts[-1].kind not in ENDINGS:
        if voice.track.is_open and voice.course.run is None:
            voice.recover(view, "cancelled", now)
        voice.clock(view, voice.still("clock.cancelled", "cancelled", now))
        voice.feed(view, now, "ended", "cancelled")


def _correction(
    voice: Voice,
    view: View,
    rule: str,
    false: tuple[str, int | None, int],
    is_at: int | None = None,
    previous: Standing | None = None,
    *,
    was_late: bool | None = None,
) -> None:
    """Name the event that is false (its name, instant and sequence) and say what holds instead, if anything does.

    `was_late`: of a `clock.met` that is false in this alone.
    """
    name, was_at, sequence = false
    if sequence == SILENT:
        return
    standing = voice.track.standing
    topic = CLOCKS if name.startswith("clock.") else ALERTS
    deadline = None if view.dial is None else view.dial.deadline
    lateness = ({}, {}) if was_late is None else ({"late": was_late}, {"late": not was_late})
    more = {
        "supersedes": event_id(topic, voice.key, sequence, f"forewarn.{name}.v1"),
        "before": {"event": name, "at": _shown(was_at), "state": (previous or standing).value, **lateness[0]},
        "after": {
            "event": None if is_at is None else name,
            "at": _shown(is_at),
            "state": standing.value,
            "deadline": _shown(deadline),
            **lateness[1],
        },
    }
    draft = Draft("correction", rule, voice.severity, previous or standing, standing, voice.moment.now, more=more)
    draft.is_for_people = topic == ALERTS  # who is not told of a step needs no correction
    voice.alert(view, draft)


def _shown(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)

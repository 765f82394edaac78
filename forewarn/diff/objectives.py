"""What a change of an objective means, in sentences: for its budget, its counts and state, its warnings."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from forewarn.diff.memory import slice_ms_of, stream_of
from sla.catalogue import (
    BurnTier,
    CalendarPeriod,
    Mode,
    NoData,
    Objective,
    Occurrences,
    Rolling,
    Timeslices,
    Uptime,
    nominal_ms,
)
from sla.detect.measures import measure_key
from sla.tiers import factor_of
from sla.units import MILLION, MINUTE_MS, SECOND_MS, rounded, span_text, spoken

NOT_EVALUATED: Final = "it is checked, but this release does not evaluate it"


def of_added(objective: Objective) -> list[str]:
    """A promise that nobody watched before."""
    if not objective.evaluated:
        return [NOT_EVALUATED]
    said = [f"{_allowance(objective)} over {objective.window.text}"]
    if objective.tiers:
        said.append(f"burn tiers: {', '.join(f'{tier.name} ({_tier(tier, objective)})' for tier in objective.tiers)}")
    if objective.mode is Mode.SHADOW:
        said.append("in shadow: its events go to sla.alerts.shadow.v1, and nobody is told")
    return said


def of_changed(before: Objective, after: Objective) -> list[str]:
    """What differs between two definitions of one promise; empty where both mean the same."""
    if before.evaluated != after.evaluated:
        return of_added(after) if after.evaluated else [NOT_EVALUATED]
    if not after.evaluated:
        return []
    return [
        *_name(before, after),
        *_counting(before, after),
        *_target(before, after),
        *_window(before, after),
        *_tiers(before, after),
        *_other_warnings(before, after),
        *_data(before, after),
        *_mode(before, after),
    ]


def _name(before: Objective, after: Objective) -> Iterator[str]:
    if before.name != after.name:
        key = "" if stream_of(before) != stream_of(after) else "; its dedup key stays"
        yield f"it was {before.name}{key}"


def _counting(before: Objective, after: Objective) -> Iterator[str]:
    if stream_of(before) != stream_of(after):
        key = "" if before.service == after.service else "; its dedup key becomes another"
        yield f"it moves from {'/'.join(stream_of(before))} to {'/'.join(stream_of(after))}{key}"
    elif before.calendar != after.calendar:
        yield f"what counts is {_hours(after)} instead of {_hours(before)}, from then on"
    elif before.hours != after.hours:
        yield f"the hours of {after.calendar} change, from then on"
    elif measure_key(before) != measure_key(after):
        yield "records are counted in another way"
    if before.budgeting == after.budgeting:
        return
    if isinstance(after.budgeting, Occurrences):
        yield "events count instead of slices, those of the past too"
    elif slice_ms_of(before) == slice_ms_of(after):
        least = _percent(after.budgeting.target_ppm)
        yield f"a slice is good from {least} good events on; those that were judged keep their verdict"
    else:
        yield f"slices of {_span(after.budgeting.slice_ms)} are judged, from then on"


def _hours(objective: Objective) -> str:
    return "all time" if objective.calendar is None else f"the time of {objective.calendar}"


def _target(before: Objective, after: Objective) -> Iterator[str]:
    if before.target_ppm == after.target_ppm:
        return
    much = _times(MILLION - after.target_ppm, MILLION - before.target_ppm)
    yield f"{_allowance(after)}, {much} as much as before ({_share(before)})"
    soon = "breach" if after.target_ppm > before.target_ppm else "recovery"
    yield f"the whole window is judged by that at the next decision: a {soon} may follow at once"


def _times(after: int, before: int) -> str:
    if after * 2 == before:
        return "half"
    return "twice" if after == before * 2 else f"{rounded(after, before, 3):g} times"


def _window(before: Objective, after: Objective) -> Iterator[str]:
    if before.window == after.window:
        return
    zones = ""
    if isinstance(before.window, CalendarPeriod) and isinstance(after.window, CalendarPeriod):
        zones = f" ({after.window.timezone} instead of {before.window.timezone})"
    yield f"the budget is that of {after.window.text} instead of {before.window.text}{zones}"
    if nominal_ms(after.window) > nominal_ms(before.window):
        kept_ms = nominal_ms(before.window) + before.correct_for_ms
        yield f"what is older than {_span(kept_ms)} was perhaps not kept: the longer window may take time to fill"


def _tiers(before: Objective, after: Objective) -> Iterator[str]:
    old = {tier.name: _tier(tier, before) for tier in before.tiers}
    new = {tier.name: _tier(tier, after) for tier in after.tiers}
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield f"{name} no longer warns ({old[name]})"
        elif name not in old:
            yield f"{name} warns too: {new[name]}"
        elif old[name] != new[name]:
            yield f"{name} warns otherwise: {new[name]}, {old[name]} so far"


def _tier(tier: BurnTier, objective: Objective) -> str:
    factor = rounded(*factor_of(tier, nominal_ms(objective.window, objective.hours)), 2)
    windows = f"{_span(tier.long_ms)} and {_span(tier.short_ms)}"
    return f"{tier.severity.value} above {factor:g} times the pace, over {windows}"


def _other_warnings(before: Objective, after: Objective) -> Iterator[str]:
    if before.marks_ppm != after.marks_ppm:
        yield f"budget marks at {_marks(after)} instead of {_marks(before)}"
    if before.forecast != after.forecast:
        yield f"{_forecast(after)} instead of {_forecast(before)}"


def _marks(objective: Objective) -> str:
    return ", ".join(_percent(mark) for mark in objective.marks_ppm) or "no share"


def _forecast(objective: Objective) -> str:
    rule = objective.forecast
    if rule is None:
        return "no forecast warns"
    return f"a forecast warns of a breach within {_span(rule.within_ms)} from {_percent(rule.probability_ppm)} on"


def _data(before: Objective, after: Objective) -> Iterator[str]:
    if before.no_data != after.no_data:
        yield f"{_silence(after.no_data)} instead of: {_silence(before.no_data)}"
    if before.grace_ms != after.grace_ms:
        yield f"a record may be {_span(after.grace_ms)} late and is on time, {_span(before.grace_ms)} so far"
    if before.correct_for_ms != after.correct_for_ms:
        yield f"late records count for {_span(after.correct_for_ms)}, {_span(before.correct_for_ms)} so far"


def _silence(no_data: NoData | None) -> str:
    if no_data is None:
        return "silence is never told"
    return f"silence of {_span(no_data.after_ms)} is {no_data.treat.value}"


def _mode(before: Objective, after: Objective) -> Iterator[str]:
    if before.mode is after.mode:
        return
    if after.mode is Mode.SHADOW:
        yield "it goes into shadow: its events go to sla.alerts.shadow.v1, and nobody is told"
    else:
        yield "it goes live: its events go to sla.alerts.v1, and people are told"


# -- how much may fail


def _allowance(objective: Objective) -> str:
    """How much of the window may be bad, in the unit that is counted."""
    share = _share(objective)
    if isinstance(objective.budgeting, Timeslices):
        return f"{share} of the slices of {_span(objective.budgeting.slice_ms)} may be bad"
    if isinstance(objective.indicator, Uptime) and isinstance(objective.window, Rolling):
        down_ms = objective.window.window_ms * (MILLION - objective.target_ppm) // MILLION
        return f"{share} of the time may be down ({spoken(down_ms)} in {_span(objective.window.window_ms)})"
    if isinstance(objective.indicator, Uptime):
        return f"{share} of the time may be down"
    return f"{share} of the events may be bad"


def _share(objective: Objective) -> str:
    return _percent(MILLION - objective.target_ppm)


def _percent(ppm: int) -> str:
    return f"{(Decimal(ppm) / 10_000).normalize():f}%"


def _span(duration_ms: int) -> str:
    is_whole = duration_ms and duration_ms % MINUTE_MS == 0
    return span_text(duration_ms) if is_whole else f"{duration_ms / SECOND_MS:g}s"

"""The state machine of a promise (semantics.md 2): what a reading means, given what was said before.

Each function takes what is known at an instant, changes the track, and returns what must be said, in order.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sla.budget import Budget
from sla.burn import BurnRule
from sla.catalogue import CalendarPeriod, Occurrences, Severity, Uptime
from sla.detect.account import Reading
from sla.detect.timers import NEVER_AT
from sla.detect.track import Track
from sla.standing import Standing
from sla.units import MINUTE_MS

QUIET_MS: Final = 5 * MINUTE_MS
"""After a breach's recovery no tier or forecast opens an episode for so long."""
MOVE_LEAST_MS: Final = 15 * MINUTE_MS
GRAVE_MARK_PPM: Final = 900_000
FORECAST_CLEAR_PERCENT: Final = 80


class Draft(NamedTuple):
    """An event to publish: its name in the type, the rule that decided, and what only the moment knows."""

    name: str
    rule: str
    severity: Severity
    previous: Standing
    standing: Standing
    tier: BurnRule | None = None
    mark_ppm: int | None = None


def is_uneventful(track: Track, reading: Reading) -> bool:
    """Whether a decision would plainly say nothing and change nothing: the usual case, told apart cheaply."""
    budget = reading.budget
    if track.standing is not Standing.OK or budget is None or reading.firing is not None or track.marks_told:
        return False
    if track.forecast_fires or track.told_silent or track.silent_since is not None or budget.is_overspent:
        return False
    marks = track.objective.marks_ppm
    return not marks or not budget.has_reached(marks[0])


def decide(track: Track, reading: Reading, at: int) -> list[Draft]:
    """One decision: at most one transition, then the marks."""
    drafts: list[Draft] = []
    is_silent = track.speaks_of_silence and track.silent_since is not None
    if track.told_silent and not is_silent:
        track.told_silent = False
        if track.standing in {Standing.AT_RISK, Standing.BREACHED}:
            drafts.append(Draft("flags_changed", "data_again", track.highest, track.standing, track.standing))
    if is_silent and track.standing in {Standing.AT_RISK, Standing.BREACHED}:
        drafts += fall_silent(track, at)
    drafts += _turn(track, reading, at, is_silent=is_silent)
    if track.published_from == NEVER_AT and track.standing is not Standing.UNKNOWN:
        track.published_from = at
    if reading.budget is not None:
        drafts += _marks(track, reading.budget, is_breach=any(draft.name == "breach" for draft in drafts))
    return drafts


def _turn(track: Track, reading: Reading, at: int, *, is_silent: bool) -> list[Draft]:
    previous = track.standing
    is_overspent = reading.budget is not None and reading.budget.is_overspent
    if previous is Standing.BREACHED:
        return [] if is_overspent or is_silent or reading.budget is None else [_end_breach(track, at)]
    if is_overspent:
        return [_breach(track, at)]
    holds = reading.firing is not None or track.forecast_fires
    if previous is Standing.AT_RISK:
        # Where data was lost the state stays until there is data to judge it by.
        return _stay_at_risk(track, reading, at, holds=holds) if not is_silent else []
    if holds and at >= track.quiet_until:
        if not track.is_open:
            track.open(at)
        track.standing = Standing.AT_RISK
        return [_warn(track, reading, previous)]
    if is_silent:
        return fall_silent(track, at)
    return _hear(track) if previous is Standing.UNKNOWN and reading.budget is not None else []


def _end_breach(track: Track, at: int) -> Draft:
    track.quiet_until = at + QUIET_MS
    return _recover(track, "cleared", Standing.OK)


def _breach(track: Track, at: int) -> Draft:
    previous = track.standing
    if not track.is_open:
        track.open(at)
    track.standing = Standing.BREACHED
    track.is_final = not _may_recover_in_period(track)
    return Draft("breach", "budget_spent", track.raise_to(Severity.CRITICAL), previous, Standing.BREACHED)


def _hear(track: Track) -> list[Draft]:
    """Data, and no trouble in it: the first says nothing, what ends an episode does."""
    if track.is_open:
        return [_recover(track, "data_again", Standing.OK)]
    track.standing = Standing.OK
    return []


def _may_recover_in_period(track: Track) -> bool:
    """Only occurrences of a calendar period: more good traffic may still come before it ends."""
    objective = track.objective
    return (
        isinstance(objective.window, CalendarPeriod)
        and isinstance(objective.budgeting, Occurrences)
        and not isinstance(objective.indicator, Uptime)
    )


def _recover(track: Track, rule: str, standing: Standing) -> Draft:
    previous = track.standing
    track.standing = standing
    track.is_final = True
    track.told_silent = False
    severity = track.highest
    track.close()
    return Draft("recovery", rule, severity, previous, standing)


def _holder_severity(reading: Reading) -> Severity:
    return reading.firing.tier.severity if reading.firing is not None else Severity.WARNING


def _warn(track: Track, reading: Reading, previous: Standing) -> Draft:
    severity = track.raise_to(_holder_severity(reading))
    track.told_p50_at = track.outlook.quantile(50) if track.outlook else None
    rule = "burn_rate" if reading.firing is not None else "forecast"
    return Draft("early_warning", rule, severity, previous, Standing.AT_RISK, reading.firing)


def _stay_at_risk(track: Track, reading: Reading, at: int, *, holds: bool) -> list[Draft]:
    if not holds:
        return [_recover(track, "cleared", Standing.OK)]
    before = track.highest
    if track.raise_to(_holder_severity(reading)) != before:
        return [_warn(track, reading, Standing.AT_RISK)]
    expected_at = track.outlook.quantile(50) if track.outlook else None
    if expected_at is None:
        return []
    if track.told_p50_at is None:
        track.told_p50_at = expected_at
        return []
    tolerance_ms = max(max(0, track.told_p50_at - at) // 10, MOVE_LEAST_MS)
    if abs(expected_at - track.told_p50_at) <= tolerance_ms or at - track.told_move_at < MOVE_LEAST_MS:
        return []
    track.told_move_at = at
    return [_warn(track, reading, Standing.AT_RISK)]


def _marks(track: Track, budget: Budget, *, is_breach: bool) -> list[Draft]:
    """Budget marks: told once, armed anew 10 points below in a rolling window, once per calendar period else."""
    if not isinstance(track.objective.window, CalendarPeriod):
        track.marks_told = tuple(mark for mark in track.marks_told if not budget.is_below(mark))
    reached = tuple(m for m in track.objective.marks_ppm if m not in track.marks_told and budget.has_reached(m))
    if not reached:
        return []
    track.marks_told += reached
    if is_breach or track.standing is Standing.BREACHED:
        return []
    highest = max(reached)
    severity = track.raise_to(Severity.WARNING if highest >= GRAVE_MARK_PPM else Severity.INFO)
    return [Draft("early_warning", "budget_consumed", severity, track.standing, track.standing, mark_ppm=highest)]


def fall_silent(track: Track, at: int) -> list[Draft]:
    """No data from here on: its own state where all was well, a flag where it was not."""
    if not track.speaks_of_silence:
        return []
    previous = track.standing
    if previous is Standing.UNKNOWN:
        track.told_silent = True  # there was nothing else to be known
    if previous is Standing.OK:
        track.open(at)
        track.standing = Standing.UNKNOWN
        track.told_silent = True
        return [Draft("unknown", "no_data", track.raise_to(Severity.WARNING), previous, Standing.UNKNOWN)]
    if previous in {Standing.AT_RISK, Standing.BREACHED} and not track.told_silent:
        track.told_silent = True
        return [Draft("flags_changed", "no_data", track.highest, previous, previous)]
    return []


def begin_period(track: Track) -> list[Draft]:
    """A calendar period's first instant: the state starts anew, `unknown` carries over."""
    track.marks_told = ()
    track.outlook = None
    track.forecast_fires = False
    track.quiet_until = 0
    track.burning = ()
    track.is_final = True
    if track.standing in {Standing.AT_RISK, Standing.BREACHED}:
        return [_recover(track, "period", Standing.OK)]
    return []


def retire(track: Track) -> list[Draft]:
    """The objective is gone: an open episode ends with it."""
    return [_recover(track, "retired", Standing.UNKNOWN)] if track.is_open else []


def weigh_forecast(track: Track, *, bad_count: int, least_bad_count: int, at: int) -> None:
    """Fire or clear the forecast rule on the outlook just worked out."""
    rule, outlook = track.objective.forecast, track.outlook
    if rule is None or outlook is None:
        track.forecast_fires = False
        return
    share_ppm = outlook.share_ppm(track.objective.hours.after(at, rule.within_ms))
    if track.forecast_fires:
        track.forecast_fires = share_ppm * 100 >= rule.probability_ppm * FORECAST_CLEAR_PERCENT
    else:
        track.forecast_fires = share_ppm >= rule.probability_ppm and bad_count >= least_bad_count

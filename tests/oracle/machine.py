"""The states of one objective and the events of their changes (semantics.md 2), told from its account at an instant."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from urllib.parse import quote

from . import forecast
from .account import Account, Budget, Reading
from .definitions import DAY_MS, HOUR_MS, MINUTE_MS, SEVERITIES, Objective, Tier
from .surprise import tail_nearly
from .windows import spell

QUIET_MS = 5 * MINUTE_MS
MOVES_LEAST_MS = 15 * MINUTE_MS
LEAST_BAD_COUNT = 3
Event = dict[str, Any]
Sequencer = Callable[[str, str], int]  # topic and dedup key → the next sequence


def dedup_key(*parts: str) -> str:
    encoded = [quote(part, safe="-._~") for part in parts]
    key = "/".join(encoded)
    if len(key.encode()) > 255:
        key = "/".join([*encoded[:-1], hashlib.sha256(encoded[-1].encode()).hexdigest()[:32]])
    return key


def event_id(topic: str, key: str, sequence: int, event_type: str) -> str:
    return hashlib.sha256("\n".join([topic, key, str(sequence), event_type]).encode()).hexdigest()[:32]


def rounded(value: Fraction | float | None, places: int) -> float | None:
    if value is None:
        return None
    exact = Fraction(value)
    decimal = Decimal(exact.numerator) / Decimal(exact.denominator)
    return float(decimal.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def spelled_window(window_ms: int) -> str:
    for unit_ms, unit in ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m")):
        if window_ms % unit_ms == 0:
            return f"{window_ms // unit_ms}{unit}"
    return f"{window_ms // 1000}s"


def higher(one: str, other: str) -> str:
    return max(one, other, key=SEVERITIES.index)


class View(NamedTuple):
    """What is looked at, for which instant, and where the log stood when that was done."""

    account: Account
    at: int
    now: int


@dataclass
class Episode:
    number: int = 0
    opened_at: int | None = None
    is_open: bool = False
    severity: str = "info"


@dataclass
class Machine:
    """The little that cannot be recomputed: the state, the latches of tiers and marks, and the counters."""

    objective: Objective
    source: str
    next_sequence: Sequencer
    state: str = "unknown"
    no_data: bool = False
    episode: Episode = field(default_factory=Episode)
    quiet_until: int | None = None
    firing: set[str] = field(default_factory=set)
    told_marks: set[Fraction] = field(default_factory=set)
    breach_id: str | None = None  # of the newest one that was published
    breach_at: int | None = None
    known_from: int | None = None  # since when there was a verdict
    outlook: forecast.Outlook | None = None
    foresees: bool = False  # the rule `forecast` fires
    told_p50: int | None = None  # in this episode
    moved_at: int | None = None
    silent_slices: set[int] = field(default_factory=set)  # those that no data touched when they were judged

    @property
    def key(self) -> str:
        return dedup_key(self.objective.service, self.objective.name)

    @property
    def place(self) -> tuple[str, str]:
        """Its stream: service and signal."""
        return self.objective.service, self.objective.signal

    def watches_silence(self) -> bool:
        return self.objective.no_data_treat == "unknown"

    # -- what happens -------------------------------------------------------------------------------------------

    def lose_data(self, view: View) -> list[Event]:
        """The instant from which there is no data has come."""
        if self.no_data:
            return []
        self.no_data = True
        if self.state == "ok":
            self.open_episode(view.at)
            return [self.move("unknown", "unknown", {"rule": "no_data"}, "warning", view)]
        if self.state in ("at_risk", "breached"):
            return [self.tell("flags_changed", {"rule": "no_data"}, self.episode.severity, view)]
        return []

    def start_period(self, view: View) -> list[Event]:
        """A calendar period's first instant: the state starts anew, `unknown` carries over."""
        self.told_marks.clear()
        self.firing.clear()
        self.outlook, self.foresees = None, False
        self.quiet_until = None
        if self.state in ("at_risk", "breached"):
            return [self.recover({"rule": "period"}, view)]
        return []

    def undo(self, view: View, before: Account) -> list[Event]:
        """An exclusion has come: the newest breach is corrected if this undoes it, and recovers if it is open."""
        if self.breach_at is None:
            return []
        is_open = self.state == "breached"
        judged_at = view.at if is_open else self.breach_at
        spent = view.account.budget(judged_at).spent
        if not before.budget(judged_at).spent or spent or (spent is None and is_open):
            return []
        correction = self.tell("correction", {"rule": "exclusion"}, self.episode.severity, view)
        correction["value"]["data"]["supersedes"] = self.breach_id
        events = [correction]
        if is_open and not (self.no_data or self.is_lost(view, view.at)):
            self.quiet_until = view.at + QUIET_MS
            events.append(self.recover({"rule": "cleared"}, view))
        return events

    def decide(self, view: View, struck_until: int, *, is_minute: bool = False) -> list[Event]:
        """One decision, after all timers up to `struck_until`; the first of a minute looks ahead."""
        if not view.account.records:
            return []
        if is_minute:
            self.look_ahead(view)
        events = self.follow_data(view, struck_until)
        readings = [view.account.reading(tier, view.at) for tier in self.objective.tiers]
        self.latch(view.account, readings)
        budget = view.account.budget(view.at)
        if budget.spent:
            events += self.breach(budget, view)
        elif self.state == "breached":
            if budget.spent is False and not self.no_data:
                self.quiet_until = view.at + QUIET_MS
                events.append(self.recover({"rule": "cleared"}, view))
        else:
            events += self.weigh(readings, budget, view)
        if self.known_from is None and self.state != "unknown":
            self.known_from = view.at
        return events + self.mark(budget, view)

    # -- the parts of a decision --------------------------------------------------------------------------------

    def follow_data(self, view: View, struck_until: int) -> list[Event]:
        if self.is_lost(view, struck_until):
            return self.lose_data(view)
        if not self.no_data:
            return []
        self.no_data = False
        if self.state in ("at_risk", "breached"):
            return [self.tell("flags_changed", {"rule": "data_again"}, self.episode.severity, view)]
        return []

    def is_lost(self, view: View, struck_until: int) -> bool:
        begin = view.account.no_data_from()
        return self.watches_silence() and begin is not None and struck_until >= begin

    def latch(self, account: Account, readings: list[Reading]) -> None:
        for reading in readings:
            name = reading.tier.name
            if name in self.firing:
                if reading.clears:
                    self.firing.discard(name)
            elif reading.warm and reading.above and account.is_significant(reading):
                self.firing.add(name)

    def look_ahead(self, view: View) -> None:
        found = self.outlook = forecast.outlook(view.account, view.at)
        rule = self.objective.forecast
        if rule is None or found is None:
            self.foresees = False
            return
        within_ms, probability = rule
        share = found.share(view.account.hours.after(view.at, within_ms, []))
        bad_count = forecast.last_hour(view.account, view.at).bad
        if self.foresees:
            self.foresees = share >= probability * Fraction(8, 10)
        else:
            self.foresees = share >= probability and bad_count >= LEAST_BAD_COUNT

    def breach(self, budget: Budget, view: View) -> list[Event]:
        if self.state == "breached":
            return []
        self.open_episode(view.at)
        reason = {"rule": "budget_spent", "bad_count": budget.actual.bad, "total_count": budget.actual.total}
        event = self.move("breached", "breach", reason, "critical", view)
        self.breach_at, self.breach_id = view.at, event["value"]["id"]
        return [event]

    def weigh(self, readings: list[Reading], budget: Budget, view: View) -> list[Event]:  # noqa: PLR0911 - a table
        """Neither breached before nor now: unknown, ok and at_risk among themselves."""
        named = self.named(readings)
        if named is not None or self.foresees:
            if self.state == "at_risk":
                return self.stay_at_risk(named, view)
            if self.episode.is_open or self.quiet_until is None or view.at >= self.quiet_until:
                self.open_episode(view.at)
                return [self.warn(named, view)]
        if self.no_data:
            if self.state == "ok":  # a period began in silence
                self.open_episode(view.at)
                return [self.move("unknown", "unknown", {"rule": "no_data"}, "warning", view)]
            return []
        if self.state == "at_risk":
            return [self.recover({"rule": "cleared"}, view)]
        if self.state == "unknown" and budget.spent is not None:
            if self.episode.is_open:
                return [self.recover({"rule": "data_again"}, view)]
            self.state = "ok"
        return []

    def stay_at_risk(self, named: Reading | None, view: View) -> list[Event]:
        """It is told again if it is graver, or if the breach is expected at quite another time."""
        if SEVERITIES.index(severity_of(named)) > SEVERITIES.index(self.episode.severity):
            return [] if self.no_data else [self.warn(named, view)]
        expected = None if self.outlook is None else self.outlook.quantile(50)
        if self.no_data or expected is None:
            return []
        if self.told_p50 is None:
            self.told_p50 = expected
            return []
        most_ms = max(max(0, self.told_p50 - view.at) // 10, MOVES_LEAST_MS)
        is_soon = self.moved_at is not None and view.at - self.moved_at < MOVES_LEAST_MS
        if abs(expected - self.told_p50) <= most_ms or is_soon:
            return []
        self.moved_at = view.at
        return [self.warn(named, view)]

    def warn(self, named: Reading | None, view: View) -> Event:
        self.told_p50 = None if self.outlook is None else self.outlook.quantile(50)
        reason = forecast_reason(self.objective, view) if named is None else burn_reason(self.objective, named)
        return self.move("at_risk", "early_warning", reason, severity_of(named), view)

    def named(self, readings: list[Reading]) -> Reading | None:
        """The firing tier of the highest severity, then of the shortest long window."""
        firing = [reading for reading in readings if reading.tier.name in self.firing]
        return min(firing, key=lambda r: (-SEVERITIES.index(r.tier.severity), r.tier.long_ms), default=None)

    def mark(self, budget: Budget, view: View) -> list[Event]:
        allowed, consumed = budget.allowed_count, budget.actual.bad
        if allowed is None:
            return []
        if self.objective.window.rolling_ms is not None:
            rearmed = {mark for mark in self.told_marks if consumed <= (mark - Fraction(1, 10)) * allowed}
            self.told_marks -= rearmed
        if allowed <= 0:
            return []
        reached = {mark for mark in self.objective.marks if consumed >= mark * allowed} - self.told_marks
        self.told_marks |= reached
        if not reached or self.state == "breached":
            return []
        highest = max(reached)
        severity = "warning" if highest >= Fraction(9, 10) else "info"
        if self.episode.is_open:
            severity = higher(severity, self.episode.severity)
        reason = {"rule": "budget_consumed", "bad_count": consumed, "total_count": budget.actual.total}
        return [self.tell("early_warning", reason, severity, view)]

    # -- telling ------------------------------------------------------------------------------------------------

    def open_episode(self, at: int) -> None:
        if not self.episode.is_open:
            self.episode = Episode(self.episode.number + 1, at, is_open=True)

    def recover(self, reason: dict[str, Any], view: View) -> Event:
        event = self.move("ok", "recovery", reason, self.episode.severity, view)
        self.episode.is_open = False
        self.told_p50 = None
        return event

    def move(self, state: str, name: str, reason: dict[str, Any], severity: str, view: View) -> Event:
        self.episode.severity = higher(self.episode.severity, severity)
        previous, self.state = self.state, state
        return self.event(name, reason, self.episode.severity, previous, view)

    def tell(self, name: str, reason: dict[str, Any], severity: str, view: View) -> Event:
        return self.event(name, reason, severity, self.state, view)

    def event(self, name: str, reason: dict[str, Any], severity: str, previous: str, view: View) -> Event:
        objective, topic, key = self.objective, self.objective.topic, self.key
        event_type = f"forewarn.{name}.v1"
        sequence = self.next_sequence(topic, key)
        settled = objective.slice_ms is not None or objective.kind == "uptime"
        provisional = self.state == "breached" and objective.window.rolling_ms is None and not settled
        long_ms = tier_long_ms(objective.tiers, reason.get("tier"))
        value = {
            "specversion": "1.0",
            "id": event_id(topic, key, sequence, event_type),
            "source": self.source,
            "type": event_type,
            "subject": key,
            "time": spell(view.at),
            "data": {
                "dedup_key": key,
                "sequence": sequence,
                "episode": self.episode.number,
                "severity": severity,
                "state": self.state,
                "previous_state": previous,
                "service": objective.service,
                "signal": objective.signal,
                "objective": {"name": objective.name},
                "opened_at": spell(self.episode.opened_at),
                "evaluated_at": spell(view.now),
                "reason": reason,
                "budget": budget_data(view.account.budget(view.at)),
                "forecast": forecast.shown(self.outlook),
                "confidence": view.account.confidence(long_ms, view.at),
                "flags": {"no_data": self.no_data, "historic": view.now - view.at > HOUR_MS, "final": not provisional},
            },
        }
        return {"topic": topic, "key": key, "value": value}


def tier_long_ms(tiers: tuple[Tier, ...], name: str | None) -> int | None:
    return next((tier.long_ms for tier in tiers if tier.name == name), None)


def burn_reason(objective: Objective, reading: Reading) -> dict[str, Any]:
    tier, long = reading.tier, reading.long
    counted = objective.slice_ms is None and objective.kind != "uptime"
    chance = float(tier.factor * objective.tolerated)
    return {
        "rule": "burn_rate",
        "tier": tier.name,
        "factor": float(tier.factor),
        "long_window": spelled_window(tier.long_ms),
        "short_window": spelled_window(tier.short_ms),
        "burn_long": rounded(reading.burn_long, 2),
        "burn_short": rounded(reading.burn_short, 2),
        "bad_count": long.bad,
        "total_count": long.total,
        "p_value": rounded(tail_nearly(long.bad, long.total, chance), 4) if counted else None,
    }


def severity_of(named: Reading | None) -> str:
    """Of the tier that is named, or of the forecast."""
    return "warning" if named is None else named.tier.severity


def forecast_reason(objective: Objective, view: View) -> dict[str, Any]:
    hour = forecast.last_hour(view.account, view.at)
    burn = None if hour.total == 0 else Fraction(hour.bad, hour.total) / objective.tolerated
    return {
        "rule": "forecast",
        "long_window": "1h",
        "burn_long": rounded(burn, 2),
        "bad_count": hour.bad,
        "total_count": hour.total,
    }


def budget_data(budget: Budget) -> dict[str, Any]:
    allowed, consumed = budget.allowed_count, budget.actual.bad
    ratio = rounded(Fraction(allowed - consumed, allowed), 4) if allowed else None
    return {"allowed_count": allowed, "consumed_count": consumed, "remaining_ratio": ratio}

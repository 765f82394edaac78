"""What must be seen of each scenario, and whether it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sla.units import spoken


class Sighting(NamedTuple):
    """One alert: `early_warning` and so on, the state it tells of, its rule and the instant of the fact."""

    name: str
    state: str
    rule: str
    at: int


class Verdict(NamedTuple):
    """Whether the expectation was met, why, and the figures of the table at the end."""

    is_met: bool
    why: str
    warned_at: int | None = None
    breached_at: int | None = None

    @property
    def lead_ms(self) -> int | None:
        """How long before the breach the warning came."""
        if self.warned_at is None or self.breached_at is None:
            return None
        return self.breached_at - self.warned_at


@dataclass(frozen=True, slots=True)
class WarnedBeforeBreach:
    """Calm until something goes wrong, then a warning, and the breach not before so much time has passed."""

    wrong_from_ms: int
    lead_at_least_ms: int

    def judge(self, sightings: Sequence[Sighting], start_at: int) -> Verdict:
        """Met if warned after the trouble began and early enough before the breach."""
        warned_at, breached_at = _first_warning(sightings), _first(sightings, "breach")
        verdict = Verdict(False, "", warned_at, breached_at)
        if warned_at is None:
            return verdict._replace(why="no early warning was seen")
        if warned_at < start_at + self.wrong_from_ms:
            return verdict._replace(why="the warning came before anything was wrong")
        if breached_at is None or verdict.lead_ms is None:
            return verdict._replace(why="no breach was seen")
        if verdict.lead_ms < self.lead_at_least_ms:
            return verdict._replace(why=f"warned too late: {spoken(self.lead_at_least_ms)} were expected")
        return verdict._replace(is_met=True, why=f"warned {spoken(verdict.lead_ms)} ahead")


@dataclass(frozen=True, slots=True)
class SilenceNoticed:
    """Silence is its own event, soon after it began, and neither good nor bad."""

    silent_from_ms: int
    noticed_within_ms: int

    def judge(self, sightings: Sequence[Sighting], start_at: int) -> Verdict:
        """Met if the silence was told in time, and nothing else was made of it."""
        noticed_at, breached_at = _first(sightings, "unknown"), _first(sightings, "breach")
        verdict = Verdict(False, "", noticed_at, breached_at)
        if noticed_at is None:
            return verdict._replace(why="the silence was not noticed")
        after_ms = noticed_at - start_at - self.silent_from_ms
        if not 0 <= after_ms <= self.noticed_within_ms:
            return verdict._replace(why=f"noticed {spoken(abs(after_ms))} {'after' if after_ms > 0 else 'before'} it")
        if breached_at is not None or _first_warning(sightings) is not None:
            return verdict._replace(why="silence was taken for failure")
        return verdict._replace(is_met=True, why=f"silence noticed after {spoken(after_ms)}")


@dataclass(frozen=True, slots=True)
class NeverAlerts:
    """Nobody is disturbed."""

    def judge(self, sightings: Sequence[Sighting], start_at: int) -> Verdict:
        """Met if there is no alert at all; that a calendar period ends is none."""
        del start_at
        alerts = [sighting for sighting in sightings if sighting.name != "period_closed"]
        if alerts:
            seen = ", ".join(dict.fromkeys(f"{alert.name} ({alert.rule})" for alert in alerts))
            return Verdict(False, f"alerted: {seen}", _first_warning(sightings), _first(sightings, "breach"))
        return Verdict(True, "rightly nobody was disturbed")


Expectation = WarnedBeforeBreach | SilenceNoticed | NeverAlerts


def _first(sightings: Sequence[Sighting], name: str) -> int | None:
    return min((sighting.at for sighting in sightings if sighting.name == name), default=None)


def _first_warning(sightings: Sequence[Sighting]) -> int | None:
    # A mark of the budget is told as an early warning too, but does not say that the promise is at risk.
    warnings = (s.at for s in sightings if s.name == "early_warning" and s.state == "at_risk")
    return min(warnings, default=None)

"""What counts as having seen a scenario."""

from __future__ import annotations

import pytest

from forewarn.demo.expectations import Expectation, NeverAlerts, Sighting, SilenceNoticed, WarnedBeforeBreach

START = 1_000_000
MARK = Sighting("early_warning", "ok", "budget_consumed", START + 1)
EARLY = WarnedBeforeBreach(wrong_from_ms=100, lead_at_least_ms=60_000)
SILENCE = SilenceNoticed(silent_from_ms=100, noticed_within_ms=50)


def warned(after: int) -> Sighting:
    return Sighting("early_warning", "at_risk", "burn_rate", START + after)


def breached(after: int) -> Sighting:
    return Sighting("breach", "breached", "budget_spent", START + after)


def silent(after: int) -> Sighting:
    return Sighting("unknown", "unknown", "no_data", START + after)


@pytest.mark.parametrize(
    ("expectation", "sightings", "is_met", "why"),
    [
        (EARLY, [warned(200), breached(60_200)], True, "warned 1 min ahead"),
        (EARLY, [MARK, warned(200), breached(60_200)], True, "warned 1 min ahead"),
        (EARLY, [warned(200), warned(60_100), breached(60_200)], True, "warned 1 min ahead"),
        (EARLY, [warned(200), breached(60_199)], False, "warned too late: 1 min were expected"),
        (EARLY, [warned(99), breached(90_000)], False, "the warning came before anything was wrong"),
        (EARLY, [MARK, breached(90_000)], False, "no early warning was seen"),
        (EARLY, [warned(200)], False, "no breach was seen"),
        (EARLY, [], False, "no early warning was seen"),
        (SILENCE, [silent(150)], True, "silence noticed after under a minute"),
        (SILENCE, [silent(151)], False, "noticed under a minute after it"),
        (SILENCE, [silent(99)], False, "noticed under a minute before it"),
        (SILENCE, [silent(120), breached(130)], False, "silence was taken for failure"),
        (SILENCE, [silent(120), warned(130)], False, "silence was taken for failure"),
        (SILENCE, [], False, "the silence was not noticed"),
        (NeverAlerts(), [], True, "rightly nobody was disturbed"),
        (NeverAlerts(), [Sighting("period_closed", "ok", "period", START)], True, "rightly nobody was disturbed"),
        (NeverAlerts(), [MARK], False, "alerted: early_warning (budget_consumed)"),
        (NeverAlerts(), [warned(5), warned(6)], False, "alerted: early_warning (burn_rate)"),
    ],
)
def test_an_expectation_is_met_or_says_why_not(
    expectation: Expectation, sightings: list[Sighting], *, is_met: bool, why: str
) -> None:
    verdict = expectation.judge(sightings, START)
    assert (verdict.is_met, verdict.why) == (is_met, why)


def test_the_lead_is_from_the_first_warning_to_the_first_breach() -> None:
    verdict = EARLY.judge([breached(90_000), warned(300), warned(200), breached(80_000)], START)
    assert (verdict.warned_at, verdict.breached_at, verdict.lead_ms) == (START + 200, START + 80_000, 79_800)

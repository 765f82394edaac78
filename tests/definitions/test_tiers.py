from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.catalogue import BurnTier, Severity
from sla.tiers import (
    GOOGLE,
    LITERAL_MS,
    LONG_PER_SHORT,
    REFERENCE_MS,
    SHORT_LEAST_MS,
    Fit,
    factor_of,
    fit_of,
    google,
    scaled,
)
from sla.units import DAY_MS, HOUR_MS, MILLION, MINUTE_MS

PERIODS = st.integers(min_value=60, max_value=366 * 24 * 60).map(lambda minutes: minutes * MINUTE_MS)
TARGETS = st.integers(min_value=1, max_value=MILLION - 1)
TIERS = st.sampled_from(GOOGLE)


def factors(period_ms: int, target_ppm: int = 999_000) -> dict[str, float]:
    return {tier.name: float(Fraction(*factor_of(tier, period_ms))) for tier in google(period_ms, target_ppm).tiers}


def test_thirty_days_have_the_workbooks_factors() -> None:
    assert factors(30 * DAY_MS) == {"page_fast": 14.4, "page_slow": 6.0, "ticket_fast": 3.0, "ticket_slow": 1.0}


@pytest.mark.parametrize("days", [28, 29, 30, 31])
def test_periods_of_a_months_length_take_the_windows_as_they_are(days: int) -> None:
    assert google(days * DAY_MS, 999_000).tiers == GOOGLE


def test_a_week_has_scaled_windows_rounded_up() -> None:
    #             long        short         (in minutes)
    # page_fast   14 -> 60    1.2 -> 5      a long window of at least twelve short ones
    # page_slow   84          7
    # ticket_fast 336         28
    # ticket_slow 1008        84
    windows = {
        tier.name: (tier.long_ms // MINUTE_MS, tier.short_ms // MINUTE_MS) for tier in google(7 * DAY_MS, 999_000).tiers
    }
    assert windows == {"page_fast": (60, 5), "page_slow": (84, 7), "ticket_fast": (336, 28), "ticket_slow": (1008, 84)}
    assert factors(7 * DAY_MS) == {"page_fast": 3.36, "page_slow": 6.0, "ticket_fast": 3.0, "ticket_slow": 1.0}


def test_a_day_loses_the_tier_that_would_always_fire() -> None:
    derived = google(DAY_MS, 999_000)
    assert [(left.tier.name, left.reason) for left in derived.left_out] == [("page_fast", Fit.ALWAYS_FIRES)]
    assert len(derived.tiers) == 3


def test_a_loose_target_loses_the_tiers_that_a_total_outage_cannot_reach() -> None:
    # 1/(1 - 0.8) = 5: a total outage burns five times too fast.
    derived = google(30 * DAY_MS, 800_000)
    assert [left.tier.name for left in derived.left_out] == ["page_fast", "page_slow"]
    assert {left.reason for left in derived.left_out} == {Fit.NEVER_FIRES}


@given(TIERS, PERIODS)
def test_a_scaled_tier_has_whole_minutes_and_keeps_its_proportions(tier: BurnTier, period_ms: int) -> None:
    got = scaled(tier, period_ms)
    assert (got.name, got.severity, got.budget_ppm) == (tier.name, tier.severity, tier.budget_ppm)
    assert got.long_ms % MINUTE_MS == 0
    assert got.short_ms % MINUTE_MS == 0
    assert got.short_ms >= SHORT_LEAST_MS
    assert got.long_ms >= LONG_PER_SHORT * got.short_ms


@given(TIERS, PERIODS.filter(lambda period_ms: not LITERAL_MS[0] <= period_ms <= LITERAL_MS[1]))
def test_windows_are_rounded_up_by_less_than_a_minute_unless_a_least_one_holds(tier: BurnTier, period_ms: int) -> None:
    got = scaled(tier, period_ms)
    exact_short_ms = Fraction(tier.short_ms * period_ms, REFERENCE_MS)
    exact_long_ms = Fraction(tier.long_ms * period_ms, REFERENCE_MS)
    assert got.short_ms >= exact_short_ms
    assert got.long_ms >= exact_long_ms
    assert got.short_ms == SHORT_LEAST_MS or got.short_ms - exact_short_ms < MINUTE_MS
    assert got.long_ms == LONG_PER_SHORT * got.short_ms or got.long_ms - exact_long_ms < MINUTE_MS


@given(PERIODS, TARGETS)
def test_each_built_in_tier_is_either_used_or_left_out_with_its_reason(period_ms: int, target_ppm: int) -> None:
    derived = google(period_ms, target_ppm)
    names = [tier.name for tier in derived.tiers] + [left.tier.name for left in derived.left_out]
    assert sorted(names) == sorted(tier.name for tier in GOOGLE)
    assert Fit.FITS not in {left.reason for left in derived.left_out}


@given(PERIODS, TARGETS)
def test_a_used_tier_lies_between_nearly_one_and_a_total_outage(period_ms: int, target_ppm: int) -> None:
    outage = Fraction(MILLION, MILLION - target_ppm)
    for tier in google(period_ms, target_ppm).tiers:
        factor = Fraction(*factor_of(tier, period_ms))
        assert Fraction(9, 10) <= factor < outage
        assert factor == Fraction(tier.budget_ppm, MILLION) * Fraction(period_ms, tier.long_ms)


def test_the_limits_themselves_never_fire_and_do_not_always_fire() -> None:
    def tier(budget_ppm: int, long_ms: int) -> BurnTier:
        return BurnTier("own", Severity.CRITICAL, budget_ppm, long_ms, 5 * MINUTE_MS)

    period_ms = 30 * DAY_MS
    assert fit_of(tier(MILLION, 72 * HOUR_MS), period_ms, 900_000) is Fit.NEVER_FIRES  # 10 = 1/(1 - 0.9)
    assert fit_of(tier(999_999, 72 * HOUR_MS), period_ms, 900_000) is Fit.FITS
    assert fit_of(tier(30_000, 24 * HOUR_MS), period_ms, 900_000) is Fit.FITS  # 0.9
    assert fit_of(tier(29_999, 24 * HOUR_MS), period_ms, 900_000) is Fit.ALWAYS_FIRES

"""Burn tiers derived from a period and a target: exact fractions, and a reason for each left out (semantics.md 1).

A tier fires while both its windows burn faster than `factor = budget × period / long`. Percentages and windows are
stored, factors follow; nothing is rounded but the windows of scaled tiers, and those upwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from sla.catalogue import BurnTier, Severity
from sla.units import DAY_MS, HOUR_MS, MILLION, MINUTE_MS, ceil_to

# Google's SRE workbook, "Alerting on SLOs", chapter 6: written for 30 days.
GOOGLE: Final = (
    BurnTier("page_fast", Severity.CRITICAL, 20_000, 1 * HOUR_MS, 5 * MINUTE_MS),
    BurnTier("page_slow", Severity.CRITICAL, 50_000, 6 * HOUR_MS, 30 * MINUTE_MS),
    BurnTier("ticket_fast", Severity.WARNING, 100_000, 1 * DAY_MS, 2 * HOUR_MS),
    BurnTier("ticket_slow", Severity.WARNING, 100_000, 3 * DAY_MS, 6 * HOUR_MS),
)
REFERENCE_MS: Final = 30 * DAY_MS
LITERAL_MS: Final = (28 * DAY_MS, 31 * DAY_MS)  # periods that take the windows as they are, both ends included
SHORT_LEAST_MS: Final = 5 * MINUTE_MS
LONG_PER_SHORT: Final = 12


class Fraction(NamedTuple):
    """An exact ratio of two integers; the denominator is above zero."""

    numerator: int
    denominator: int


class Fit(StrEnum):
    """Whether a tier can do its work."""

    FITS = "fits"
    NEVER_FIRES = "never_fires"  # even with nothing but bad events the burn rate does not exceed the factor
    ALWAYS_FIRES = "always_fires"  # it fires while the objective is being kept, at a pace that ends within the budget


class LeftOut(NamedTuple):
    """A built-in tier that is not used, and why."""

    tier: BurnTier
    reason: Fit


class Derived(NamedTuple):
    """The built-in tiers for a period and a target, and those left out."""

    tiers: tuple[BurnTier, ...]
    left_out: tuple[LeftOut, ...]


def factor_of(tier: BurnTier, period_ms: int) -> Fraction:
    """The burn rate above which a tier fires: `budget_ppm × period_ms / (1,000,000 × long_ms)`."""
    return Fraction(tier.budget_ppm * period_ms, MILLION * tier.long_ms)


def fit_of(tier: BurnTier, period_ms: int, target_ppm: int) -> Fit:
    """Never fires from `1 / (1 − target)` on, the burn rate of a total outage; always fires below 0.9."""
    factor = factor_of(tier, period_ms)
    if factor.numerator * (MILLION - target_ppm) >= MILLION * factor.denominator:
        return Fit.NEVER_FIRES
    if 10 * factor.numerator < 9 * factor.denominator:
        return Fit.ALWAYS_FIRES
    return Fit.FITS


def scaled(tier: BurnTier, period_ms: int) -> BurnTier:
    """A tier of the 30-day table for another period: windows in proportion, rounded up to whole minutes."""
    if LITERAL_MS[0] <= period_ms <= LITERAL_MS[1]:
        return tier
    short_ms = max(SHORT_LEAST_MS, _in_proportion(tier.short_ms, period_ms))
    long_ms = max(LONG_PER_SHORT * short_ms, _in_proportion(tier.long_ms, period_ms))
    return BurnTier(tier.name, tier.severity, tier.budget_ppm, long_ms, short_ms)


def _in_proportion(window_ms: int, period_ms: int) -> int:
    exact_ms = -(-window_ms * period_ms // REFERENCE_MS)
    return ceil_to(exact_ms, MINUTE_MS)


@lru_cache(maxsize=4_096)
def google(period_ms: int, target_ppm: int) -> Derived:
    """The built-in tiers scaled to a nominal period, without those that could never or always fire.

    Most objectives of a catalogue share a period and a target, and so their tiers.
    """
    return _sorted_out((scaled(tier, period_ms) for tier in GOOGLE), period_ms, target_ppm)


def _sorted_out(tiers: Iterable[BurnTier], period_ms: int, target_ppm: int) -> Derived:
    judged = [(tier, fit_of(tier, period_ms, target_ppm)) for tier in tiers]
    return Derived(
        tuple(tier for tier, fit in judged if fit is Fit.FITS),
        tuple(LeftOut(tier, fit) for tier, fit in judged if fit is not Fit.FITS),
    )

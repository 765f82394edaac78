"""Burn rates: how fast the budget is spent, compared in whole numbers.

A burn rate is `(bad / total) / (1 − target)`; a tier's factor is `budget × period / long window` (Google, The Site
Reliability Workbook, ch. 5, multiwindow multi-burn-rate alerts). `burn > factor` is decided by cross-multiplying, so
that no rounding ever fires or clears a tier.
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

from sla.catalogue import RANK, BurnTier
from sla.units import MILLION, rounded

CLEAR_NUMERATOR = 9
CLEAR_DENOMINATOR = 10
"""A tier clears when its short window burns below 0.9 of its factor."""


class BurnRule:
    """A tier with its exact threshold: it burns when `bad × weight_bad > total × weight_total`."""

    __slots__ = ("factor_denominator", "factor_numerator", "probability", "tier", "weight_bad", "weight_total")

    def __init__(self, tier: BurnTier, target_ppm: int, period_ms: int) -> None:
        self.tier = tier
        self.factor_numerator = tier.budget_ppm * period_ms
        self.factor_denominator = MILLION * tier.long_ms
        weight_bad = MILLION * self.factor_denominator
        weight_total = (MILLION - target_ppm) * self.factor_numerator
        shared = gcd(weight_bad, weight_total)
        self.weight_bad = weight_bad // shared
        self.weight_total = weight_total // shared
        self.probability = self.weight_total / self.weight_bad

    def burns(self, bad: int, total: int) -> bool:
        """Whether this share of bad is strictly above the factor; an empty window does not burn."""
        return bad * self.weight_bad > total * self.weight_total

    def most_bad(self, total: int) -> int:
        """The most that does not burn."""
        return total * self.weight_total // self.weight_bad

    def has_cleared(self, bad: int, total: int) -> bool:
        """Whether the short window has data and burns below 0.9 of the factor."""
        return total > 0 and bad * self.weight_bad * CLEAR_DENOMINATOR < total * self.weight_total * CLEAR_NUMERATOR

    @property
    def factor(self) -> float:
        """For people: two places."""
        return rounded(self.factor_numerator, self.factor_denominator, 2)

    @property
    def order(self) -> tuple[int, int, str]:
        """Which of several tiers is named: highest severity, then shortest long window."""
        return (-RANK[self.tier.severity], self.tier.long_ms, self.tier.name)


@lru_cache(maxsize=10_000)
def burn_rules(tiers: tuple[BurnTier, ...], target_ppm: int, period_ms: int) -> tuple[BurnRule, ...]:
    """The tiers' rules in the order in which they are named; promises of the same numbers share them."""
    return tuple(sorted((BurnRule(tier, target_ppm, period_ms) for tier in tiers), key=lambda rule: rule.order))


def burn_rate(bad: int, total: int, target_ppm: int) -> float | None:
    """For people: two places, half up; None for an empty window."""
    return rounded(bad * MILLION, total * (MILLION - target_ppm), 2) if total else None

"""Could this be bad luck? The exact binomial tail, asked before a burn-rate tier fires.

P(X >= k) for X ~ Binomial(n, p), summed term by term from k upward: each term is the one before times
(n - i) / (i + 1) * p / (1 - p), which shrinks because k lies above the mean whenever the question is asked
(Feller, An Introduction to Probability Theory, vol. 1, VI.3). Floats live here only; the result is rounded.
"""

from __future__ import annotations

from math import erfc, exp, floor, lgamma, log, log1p, sqrt

from sla.catalogue import Severity

ALPHA = 0.05
PLACES = 4
LEAST_BAD_COUNT = {Severity.INFO: 1, Severity.WARNING: 1, Severity.CRITICAL: 3}
LEAST_DOWN_MS = 60_000
LEAST_BAD_SLICES_COUNT = 2

NORMAL_FROM_VARIANCE = 1e8
"""From here on the normal tail differs by less than 1e-5 (Berry-Esseen's leading term), and a sum term by term by more:
the terms are millions, and the logarithms of their factorials too long for a float."""

_NEGLIGIBLE = 1e-12


def upper_tail(bad_count: int, total_count: int, probability: float) -> float:
    """P(X >= bad_count), rounded half up to four places, so that every machine decides alike."""
    if bad_count <= 0:
        return 1.0
    if bad_count > total_count or probability <= 0.0:
        return 0.0
    if probability >= 1.0:
        return 1.0
    variance = total_count * probability * (1.0 - probability)
    if variance > NORMAL_FROM_VARIANCE:
        tail = erfc((bad_count - 0.5 - total_count * probability) / sqrt(2.0 * variance)) / 2.0
        return _rounded(tail)
    below = bad_count <= total_count * probability  # then the other tail is the shorter one
    tail = (
        1.0 - _sum_down(bad_count - 1, total_count, probability)
        if below
        else _sum_up(bad_count, total_count, probability)
    )
    return _rounded(tail)


def _rounded(tail: float) -> float:
    scale: int = 10**PLACES
    return floor(min(1.0, max(0.0, tail)) * scale + 0.5) / scale


def _mass(k: int, n: int, p: float) -> float:
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))


def _sum_up(k: int, n: int, p: float) -> float:
    odds = p / (1.0 - p)
    term = total = _mass(k, n, p)
    while k < n and term > _NEGLIGIBLE * total:
        term *= (n - k) / (k + 1) * odds
        total += term
        k += 1
    return total


def _sum_down(k: int, n: int, p: float) -> float:
    odds = (1.0 - p) / p
    term = total = _mass(k, n, p)
    while k > 0 and term > _NEGLIGIBLE * total:
        term *= k / (n - k + 1) * odds
        total += term
        k -= 1
    return total

"""How surprising a count of bad events is: the binomial tail."""

from __future__ import annotations

from fractions import Fraction
from math import comb, exp, lgamma, log

LEAST = -745  # the logarithm of the smallest float


def tail(bad: int, total: int, chance: Fraction) -> Fraction:
    """P(X >= bad) for X binomial, exactly."""
    good_weight = chance.denominator - chance.numerator
    below = sum(comb(total, k) * chance.numerator**k * good_weight ** (total - k) for k in range(bad))
    return 1 - Fraction(below, chance.denominator**total)


def tail_nearly(bad: int, total: int, chance: Fraction | float) -> float:
    """The same as a float, good to some nine digits: exact integers of this size would take minutes."""
    if bad <= 0:
        return 1.0
    log_p, log_q = log(chance), log(1 - chance)
    terms = []
    for k in range(bad, total + 1):
        term = lgamma(total + 1) - lgamma(k + 1) - lgamma(total - k + 1) + k * log_p + (total - k) * log_q
        if term > LEAST:
            terms.append(term)
        elif k > total * chance:
            break  # beyond the mean they only become smaller
    return min(1.0, sum(map(exp, terms)))


def tail_is_below(bad: int, total: int, chance: Fraction, limit: Fraction) -> bool:
    near = tail_nearly(bad, total, chance)
    if abs(near - float(limit)) > 1e-6:
        return near < float(limit)
    return tail(bad, total, chance) < limit

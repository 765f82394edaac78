"""Numbers as large as wire.md allows: they are counted, decided on and written like any other."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import orjson
import pytest

from sla.significance import upper_tail
from sla.units import MINUTE_MS, SECOND_MS

from .world import T0, World, objective

LARGEST = 2**53 - 1


def test_the_largest_count_in_the_first_second_of_a_month_can_be_written() -> None:
    world = World(objective(window={"rolling": "30d"}, warnings={}))
    world.counts(T0, LARGEST, LARGEST)
    world.tick(T0 + SECOND_MS)
    world.tick(T0 + MINUTE_MS)
    assert world.events(topic="sla.status.v1")
    assert all(orjson.dumps(each.value) for each in world.said)
    assert all(orjson.dumps(atom.body) for atom in world.fold.take_dirty())


@pytest.mark.parametrize("sigmas", [-2.0, 0.0, 1.5, 1.6448536, 2.5])
def test_the_tail_of_many_events_is_that_of_the_normal_curve_where_terms_are_too_many(sigmas: float) -> None:
    total, probability = 10**10, 0.0144
    mean, deviation = total * probability, (total * probability * (1 - probability)) ** 0.5
    summed = upper_tail(round(mean / 100 + sigmas * deviation / 10), total // 100, probability)
    assert upper_tail(round(mean + sigmas * deviation), total, probability) == pytest.approx(summed, abs=2e-4)


def test_the_tail_of_the_largest_counts_is_found_at_once() -> None:
    assert upper_tail(LARGEST // 2, LARGEST, 0.5) == 0.5
    assert upper_tail(LARGEST // 2 + LARGEST // 1000, LARGEST, 0.5) == 0.0


def test_the_tail_of_few_events_is_exact() -> None:
    p = Fraction(1, 10)
    exact = sum(comb(30, k) * p**k * (1 - p) ** (30 - k) for k in range(6, 31))
    assert upper_tail(6, 30, 0.1) == round(float(exact), 4)

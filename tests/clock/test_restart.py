"""The restart law for tickets: whatever reached the table, a restarted fold says what an uninterrupted one would."""

from __future__ import annotations

import random

import pytest

from tests.core.restart import as_consumed, interrupted, random_flushes, uninterrupted

from .histories import history


@pytest.mark.parametrize("seed", range(20))
def test_restarts_anywhere_and_flushes_that_arrived_in_part_change_nothing(seed: int) -> None:
    make, lines = history(seed)
    expected = as_consumed(uninterrupted(make, lines))
    dice = random.Random(seed)
    for count in (2, 12):
        flushes = random_flushes(dice, count, len(lines))
        assert as_consumed(interrupted(make, lines, flushes)) == expected, flushes

"""Milliseconds up and down, whatever the order in which states come."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from sla.detect.measures import UptimeMeasure
from sla.records import State
from sla.units import HOUR_MS

from .world import T0


class Heard(NamedTuple):
    """A state of `at`, heard when the last decision was at `settled`; both in milliseconds from T0."""

    at: int
    up: bool
    settled: int


MINUTES = st.integers(0, 300_000)
HEARD = st.lists(st.builds(Heard, MINUTES, st.booleans(), MINUTES), min_size=1, max_size=8, unique_by=lambda h: h.at)


@given(HEARD)
# 0         23        40   43
#           [down.....settled)   a newer state was known, and a late one comes in between
@example([Heard(43_000, up=True, settled=40_000), Heard(23_000, up=False, settled=40_000)])
@example(
    [
        Heard(14_000, up=False, settled=10_000),
        Heard(43_000, up=True, settled=40_000),
        Heard(29_000, up=True, settled=40_000),
    ]
)
def test_late_states_between_two_decisions_are_counted_once(heard: list[Heard]) -> None:
    measure = UptimeMeasure(None)
    settled = 0
    for at, up, settles in heard:
        settled = max(settled, settles)
        measure.settle(T0 + settled)
        measure.take(State("pay", "up", T0 + at, up))
    end = T0 + HOUR_MS
    measure.settle(end)
    states = sorted((T0 + at, up) for at, up, _ in heard)
    down = sum(b - a for (a, up), (b, _) in pairwise([*states, (end, True)]) if not up)
    rows = measure.ledger.rows()
    assert sum(row.bad for row in rows) == down
    assert sum(row.total for row in rows) == end - states[0][0]

"""An account that grows record by record, as the oracle keeps it, is the one that is made of all records at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .account import Account, Record
from .definitions import MINUTE_MS, objective
from .open_time import ALWAYS
from .test_oracle import T0, promise

UPTIME = {"type": "uptime", "signal": "ok"}
SAMPLES = {"type": "threshold", "signal": "ok", "op": "lte", "value": 1}
SILENT = {"after": "2m", "treat": "bad"}
NOW = T0 + 30 * MINUTE_MS
EXCLUDED = [(T0 + 5 * MINUTE_MS, T0 + 7 * MINUTE_MS)]

records = st.builds(
    Record,
    at=st.integers(T0, NOW),
    order=st.integers(0, 1_000),
    type=st.sampled_from(["counts", "sample", "state"]),
    good=st.integers(0, 5),
    bad=st.integers(0, 5),
    value=st.fractions(0, 2, max_denominator=4),
    up=st.booleans(),
)


def account(spec: dict[str, Any], found: list[Record]) -> Account:
    loaded = [Record(T0 - MINUTE_MS, 0, "history", good=5, bad=1)]
    seen_from = min(each.at for each in [*loaded, *found])
    one = objective(promise(**spec), ALWAYS)
    return Account(one, records=found, loaded=loaded, seen_from=seen_from, excluded=EXCLUDED, gaps=[], grace_ms=0)


def says(one: Account) -> list[Any]:
    judged = one.judged(NOW) if one.objective.slice_ms is not None else []
    return [one.seen_from, one.items, one.silences(NOW), one.held(NOW), judged, one.budget(NOW), one.coverage(T0, NOW)]


@pytest.mark.parametrize("indicator", [{}, {"indicator": UPTIME}, {"indicator": SAMPLES}])
@pytest.mark.parametrize("budgeting", [{}, {"budgeting": {"timeslices": "1m", "sliceTarget": "90%"}}])
@given(found=st.lists(records, min_size=1, max_size=12), asked_at=st.sets(st.integers(0, 12)))
def test_an_account_that_grows_is_the_one_made_of_all(
    indicator: dict[str, Any], budgeting: dict[str, Any], found: list[Record], asked_at: set[int]
) -> None:
    spec = {**indicator, **budgeting, "noData": SILENT}
    growing = account(spec, found[:1])
    for place, record in enumerate(found[1:]):
        if place in asked_at:
            says(growing)  # what was worked out before must not be what is said later
        growing.take(record)
    assert says(growing) == says(account(spec, found))

"""What is passed over because too little bad has come (`Account.is_calm`): nothing would have been said or changed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sla.catalogue import Catalogue
from sla.detect.account import Account
from sla.units import DAY_MS
from tests.core.test_lanes import COUNTS, Way, one_of_a_busy_log, record
from tests.core.world import T0, catalogue_of, objective

LENGTH = 4_000


def a_log(dice: random.Random, later: Catalogue) -> list[Any]:
    """A full window, then traffic that is good for a while and bad for a while."""
    past = {"type": "history", "service": "pay", "signal": "ok", "from": T0 - 31 * DAY_MS, "to": T0}
    records = [
        record(0, T0, {**COUNTS, "at": T0}, "pay"),
        record(1, T0, {**past, "good": 10**7, "bad": dice.choice([90, 900])}, "pay"),
    ]
    now, badness = T0, 0.0
    for offset in range(2, LENGTH):
        now += dice.choice([0, 10, 60, 400, 1_500]) if dice.random() < 0.998 else dice.choice([9_000, 70_000])
        if dice.random() < 0.01:
            badness = dice.choice([0.0, 0.01, 0.1, 0.5])
        if dice.random() < 0.9:
            counts = {"good": dice.randrange(30), "bad": int(dice.random() < badness)}
            records.append(record(offset, now, {**COUNTS, "at": now - dice.choice([0, 900]), **counts}, "pay"))
        else:
            records.append(one_of_a_busy_log(dice, offset, now, later))
    return records


def read(records: list[Any], base: Catalogue, later: Catalogue, seed: int) -> Way:
    dice = random.Random(seed)
    way, start = Way(base, [later], is_short=True), 0
    while start < len(records):
        end = start + dice.choice([7, 50, 200])
        way.read(records[start:end])
        if dice.random() < 0.1:
            dice.choice([way.flush, way.flush, way.restart])()
        start = end
    way.flush()
    return way


@pytest.mark.parametrize("seed", range(6))
def test_what_is_passed_over_would_have_said_and_changed_nothing(seed: int, core_patch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)
    targets = [*dice.sample(["80%", "95%", "99%", "99.5%"], 2), "99.99%"]
    windows: list[dict[str, Any]] = [{"rolling": each} for each in dice.sample(["1h", "1d", "7d", "30d"], 3)]
    windows[0] = dice.choice([windows[0], {"calendar": "day", "timezone": "UTC"}])
    marks: Any = dice.choice(["none", ["1%", "30%"], ["50%", "75%", "90%"]])
    warnings = {"burnRates": dice.choice(["google", "google", "none"]), "budgetConsumed": marks, "forecast": "none"}
    specs = [{"target": t, "window": w, "warnings": warnings} for t, w in zip(targets, windows, strict=True)]
    base = catalogue_of([objective(f"one-{n}", **spec) for n, spec in enumerate(specs)])
    later = catalogue_of([objective("one-0", **{**specs[0], "target": "98%"})], revision=7, version=7)
    records = a_log(dice, later)
    reads_count = 0
    honest_read = Account.read

    def counted(self: Account, *args: Any) -> Any:
        nonlocal reads_count
        reads_count += 1
        return honest_read(self, *args)

    core_patch.setattr(Account, "read", counted)
    resting = read(records, base, later, seed)
    rested_count, reads_count = reads_count, 0
    core_patch.setattr(Account, "is_calm", lambda *_: False)
    thorough = read(records, base, later, seed)
    assert resting.said == thorough.said
    assert resting.taken == thorough.taken
    assert any(each.topic == "sla.alerts.v1" for each in thorough.said)
    assert rested_count < reads_count

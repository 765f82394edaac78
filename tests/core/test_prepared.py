"""What a fold works out ahead (`sla.detect.prospect.prepare`): decisions are sooner for it, nothing else differs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sla.catalogue import Catalogue
from sla.detect import Detect, season
from sla.past import Past
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.core.histories import history
from tests.core.test_lanes import COUNTS, Way, line_of, record, side_by_side
from tests.core.test_owing import SPECS, Later, a_log, by_key, fleet
from tests.core.world import T0, catalogue_of, objective


class Warmed(Later):
    """As a worker that works ahead now and then, a little or all there is, with lines in between."""

    prepared_count = 0
    _ahead: Iterator[None] = iter(())

    def read(self, records: list[Any]) -> None:
        dice = random.Random(records[0].offset)
        place = 0
        while place < len(records):
            end = place + dice.choice([1, 5, 50])
            super().read(records[place:end])
            place = end
            if dice.random() < 0.1:
                self._ahead = self.fold.prepare()
            for _ in range(dice.choice([0, 1, 9])):
                self.prepared_count += next(self._ahead, False) is None


def read_alike(records: list[Any], base: Catalogue, later: Catalogue, seed: int) -> int:
    """The same log cold and warmed; how often something was worked out ahead."""
    dice = random.Random(seed)
    cold, warmed = Way(base, [later], is_short=True), Warmed(base, [later], is_short=True)
    side_by_side((cold, warmed), records, dice, sizes=[1, 7, 50, 200], flushed=0.05)
    assert by_key(warmed.said) == by_key(cold.said)
    assert warmed.taken == cold.taken
    return warmed.prepared_count


@pytest.mark.parametrize("is_odd", [False, True], ids=["plain", "odd"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_warmed_fold_says_the_same_as_a_cold_one(spec: dict[str, Any], *, is_odd: bool) -> None:
    dice = random.Random(repr(spec))
    changed = catalogue_of([objective("paid", target="98%", **spec)], revision=7, version=7)
    base = replace(fleet(**spec), decide_every_ms=dice.choice([100, 1_000]))
    assert read_alike(a_log(dice, changed, is_odd=is_odd), base, changed, dice.randrange(1_000))


@pytest.mark.parametrize("seed", range(12))
def test_the_logs_of_the_oracle_are_told_alike(seed: int) -> None:
    case = history(seed, 1_500)
    cold, warmed, dice = case.make(), case.make(), random.Random(seed)
    ahead: Iterator[None] = iter(())
    for line in case.lines:
        assert warmed.step(line) == cold.step(line)
        if dice.random() < 0.05:
            ahead = warmed.prepare()
        for _ in range(dice.choice([0, 0, 1])):
            next(ahead, None)
        if dice.random() < 0.01:
            assert warmed.take_dirty() == cold.take_dirty()


def in_a_minute(past_ms: int) -> tuple[Detect, int]:
    """A service with a past, that has had something bad since; the offset of the next line, half a minute later."""
    base = catalogue_of([objective("paid", window={"rolling": "7d"}, target="90%", warnings={})])
    fold, half = Way(base, [], is_short=False).fold, T0 + 30 * SECOND_MS
    past = {"type": "history", "from": T0 - past_ms, "to": T0, "good": 10**6}
    values = [({**COUNTS, "at": T0}, T0), ({**COUNTS, **past}, T0), ({**COUNTS, "at": half, "bad": 9}, half)]
    for offset, (value, at) in enumerate(values):
        fold.step(line_of(record(offset, at, value, "pay")))
    return fold, len(values)


def pasts_read(core_patch: pytest.MonkeyPatch) -> list[None]:
    """Grows with each look at all that a ledger holds."""
    found: list[None] = []

    class Counted(Past):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            found.append(None)

    core_patch.setattr(season, "Past", Counted)
    return found


def test_a_whole_minute_does_not_read_a_past_that_was_prepared(core_patch: pytest.MonkeyPatch) -> None:
    found = pasts_read(core_patch)
    (cold, offset), (warmed, _) = in_a_minute(8 * DAY_MS), in_a_minute(8 * DAY_MS)
    minute = line_of(record(offset, T0 + MINUTE_MS, {"type": "tick"}, None))
    assert len(list(warmed.prepare())) == 1
    assert not list(warmed.prepare())  # nothing is left to be done
    found.clear()
    said = warmed.step(minute)
    assert not found
    assert said == cold.step(minute)
    assert found


def test_nothing_is_prepared_where_no_forecast_will_ask(core_patch: pytest.MonkeyPatch) -> None:
    found = pasts_read(core_patch)
    for past_ms in (HOUR_MS // 2, DAY_MS):  # seen too shortly, or for too few days to learn from
        fold, _ = in_a_minute(past_ms)
        assert not list(fold.prepare())
    assert not found


def test_a_look_at_many_streams_is_no_long_turn() -> None:
    services = [f"service-{number}" for number in range(200)]
    base = catalogue_of([objective(each, service=each, warnings={}) for each in services])
    fold = Way(base, [], is_short=False).fold
    for offset, service in enumerate(services):
        fold.step(line_of(record(offset, T0, {**COUNTS, "service": service, "at": T0, "bad": 0}, service)))
    assert len(list(fold.prepare())) == 3

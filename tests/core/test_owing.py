"""What a whole minute owes (`sla.detect.owing`): told later, it is what would have been told at once."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from sla.catalogue import Catalogue
from sla.detect import Detect
from sla.detect.stream import Stream
from sla.fold import Emission
from sla.units import DAY_MS, MINUTE_MS, SECOND_MS
from tests.core.histories import history
from tests.core.test_lanes import COUNTS, Way, line_of, one_of_a_busy_log, record, side_by_side
from tests.core.world import T0, catalogue_of, objective

Told = dict[tuple[str, str | None], list[bytes]]

SERVICES = ("pay", "ship", "find")
STATUS = "sla.status.v1"


def by_key(said: Iterable[Emission]) -> Told:
    """What was said of each key on each topic, in order, to the byte."""
    found: Told = defaultdict(list)
    for each in said:
        found[each.topic, each.key].append(orjson.dumps(each.value))
    return found


class Later(Way):
    """The way of a worker: what is urgent at once, the rest in parts, and all of it before state is taken."""

    owed_count = 0

    def read(self, records: list[Any]) -> None:
        index, dice = 0, random.Random(len(self.said))
        while index < len(records):
            index = self.fold.skim(records, index)
            if index < len(records):
                self.said += self.fold.step_urgent(line_of(records[index]))
                index += 1
            self.owed_count += self.fold.owed_count
            if dice.random() < 0.02:
                self.said += self.fold.pay(dice.choice([1, 2]))

    def flush(self) -> None:
        self.said += self.fold.pay()
        super().flush()


def fleet(**spec: Any) -> Catalogue:
    """Two promises each for three services, of which one has a history that fills its windows."""
    promises = [
        objective(f"{service}-{number}", service=service, window={"rolling": window}, target=target, **spec)
        for service in SERVICES
        for number, (window, target) in enumerate((("1d", "99%"), ("7d", "95%")))
    ]
    return catalogue_of([*promises, objective("paid")])


def a_log(dice: random.Random, later: Catalogue, *, is_odd: bool) -> list[Any]:
    """A few minutes of traffic for all services before a whole hour and behind it, some of it bad."""
    start = T0 + 56 * MINUTE_MS
    past = {"type": "history", "signal": "ok", "from": start - 8 * DAY_MS, "to": start, "good": 10**6, "bad": 900}
    records = [record(0, start, {**COUNTS, "at": start}, "pay"), record(1, start, {**past, "service": "pay"}, "pay")]
    now, badness = start, 0.0
    for offset in range(2, 5_000):
        now += dice.choice([0, 10, 60, 400]) if dice.random() < 0.999 else 9_000
        if dice.random() < 0.003:
            badness = dice.choice([0.0, 0.01, 0.5])
        if is_odd and dice.random() < 0.02:
            records.append(one_of_a_busy_log(dice, offset, now, later))
            continue
        service = dice.choice(SERVICES)
        counts = {"good": dice.randrange(30), "bad": dice.choice([1, 1, 200]) if dice.random() < badness else 0}
        at = now - dice.choice([0, 0, 900])
        records.append(record(offset, now, {**COUNTS, "service": service, "at": at, **counts}, service))
    return records


def both(records: Sequence[Any], base: Catalogue, later: Catalogue, seed: int) -> tuple[Way, Later]:
    """The same log at once and later, with flushes and restarts at the same places."""
    dice = random.Random(seed)
    once, later_way = Way(base, [later], is_short=True), Later(base, [later], is_short=True)
    side_by_side((once, later_way), records, dice, sizes=[1, 7, 50, 200], flushed=0.05)
    return once, later_way


SPECS: list[dict[str, Any]] = [
    {"warnings": {}},
    {"warnings": {"forecast": "none"}, "noData": {"after": "90s", "treat": "unknown"}},
    {"warnings": {"forecast": {"within": "2h", "probability": "30%"}}, "grace": "5s", "correctFor": "5m"},
    {"warnings": {}, "budgeting": {"timeslices": "1m", "sliceTarget": "95%"}},
]


@pytest.mark.parametrize("is_odd", [False, True], ids=["plain", "odd"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_what_is_told_later_is_what_would_have_been_told_at_once(spec: dict[str, Any], *, is_odd: bool) -> None:
    dice = random.Random(repr(spec))
    changed = catalogue_of([objective("paid", target="98%", **spec)], revision=7, version=7)
    base = replace(fleet(**spec), decide_every_ms=dice.choice([100, 1_000]))
    once, later = both(a_log(dice, changed, is_odd=is_odd), base, changed, dice.randrange(1_000))
    assert by_key(later.said) == by_key(once.said)
    assert later.taken == once.taken
    assert any(each.topic == "sla.alerts.v1" for each in once.said)
    assert (later.owed_count > 0) is ("budgeting" not in spec)  # slices owe nothing


@pytest.mark.parametrize("seed", range(12))
def test_the_logs_of_the_oracle_are_told_alike(seed: int) -> None:
    case = history(seed, 1_500)
    once, later, dice = case.make(), case.make(), random.Random(seed)
    at_once: list[Emission] = []
    in_parts: list[Emission] = []
    for line in case.lines:
        at_once += once.step(line)
        in_parts += later.step_urgent(line)
        if dice.random() < 0.05:
            in_parts += later.pay(dice.choice([1, 3]))
        if dice.random() < 0.01:
            in_parts += later.pay()
            assert later.take_dirty() == once.take_dirty()
    assert by_key([*in_parts, *later.pay()]) == by_key(at_once)


QUIET = {"burnRates": "none", "budgetConsumed": "none", "forecast": "none"}


def before_a_minute(start: int = T0) -> tuple[Detect, int, int]:
    """Three services that are well, a tick each second up to a whole minute; the next offset, and that minute."""
    fold, past = Later(fleet(warnings=QUIET), [], is_short=False).fold, {"from": start - 8 * DAY_MS, "to": start}
    values: list[dict[str, Any]] = []
    for service in SERVICES:
        counts = {**COUNTS, "service": service, "good": 10**6, "bad": 0}
        values += [{**counts, "at": start}, {**counts, **past, "type": "history"}]
    lines = [record(offset, start, value, value["service"]) for offset, value in enumerate(values)]
    for second in range(1, 120):
        lines.append(record(len(lines), start + second * SECOND_MS, {"type": "tick"}, None))
    for line in lines:
        fold.step(line_of(line))
    return fold, len(lines), start + 2 * MINUTE_MS


def test_an_alert_of_a_whole_minute_does_not_wait_for_the_statuses_of_others() -> None:
    at_once, offset, minute = before_a_minute()
    urgent, _, _ = before_a_minute()
    broken = {**COUNTS, "service": "find", "at": minute - 500, "good": 0, "bad": 10**7}
    lines = [line_of(record(offset, minute - 500, broken, "find")), line_of(record(offset + 1, minute, {}, None))]
    topics = [each.topic for line in lines for each in at_once.step(line)]
    urgent_topics = [each.topic for line in lines for each in urgent.step_urgent(line)]
    assert urgent_topics.count("sla.alerts.v1") == topics.count("sla.alerts.v1") == 2
    assert urgent_topics.count(STATUS) == 2  # of the promises that broke: the same data as their breaches
    assert [each.topic for each in urgent.pay()] == [STATUS] * (topics.count(STATUS) - 2)
    assert topics.count(STATUS) > 2


def test_an_alert_of_a_whole_hour_does_not_wait_until_what_is_old_of_others_is_merged(
    core_patch: pytest.MonkeyPatch,
) -> None:
    urgent, offset, hour = before_a_minute(T0 + 58 * MINUTE_MS)
    merged: list[str] = []
    merge_old = Stream.merge_old

    def noted(stream: Stream, now: int) -> None:
        merged.append(stream.service)
        merge_old(stream, now)

    core_patch.setattr(Stream, "merge_old", noted)
    broken = {**COUNTS, "service": "find", "at": hour - 500, "good": 0, "bad": 10**7}
    said: list[Emission] = []
    for at, value, key in ((hour - 500, broken, "find"), (hour, {}, None)):
        said += urgent.step_urgent(line_of(record(offset, at, value, key)))
        offset += 1
    assert any(each.topic == "sla.alerts.v1" for each in said)
    assert merged == ["find"]  # what is said of it shows its buckets
    assert urgent.owed_count == 2
    urgent.pay()
    assert sorted(merged) == sorted(SERVICES)


def test_state_is_not_taken_while_something_is_owed() -> None:
    fold, offset, minute = before_a_minute()
    fold.step_urgent(line_of(record(offset, minute, {"type": "tick"}, None)))
    assert fold.owed_count == len(SERVICES)
    with pytest.raises(RuntimeError, match="owed"):
        fold.take_dirty()
    assert {each.topic for each in fold.pay()} == {STATUS}
    assert not fold.owed_count


def test_what_a_timer_says_of_a_promise_comes_before_its_status_of_the_same_line() -> None:
    day = objective(
        "paid",
        target="99.9%",
        window={"calendar": "day", "timezone": "UTC"},
        warnings={**QUIET, "budgetConsumed": "none"},
    )
    once, later = (Way(catalogue_of([day]), [], is_short=False).fold for _ in range(2))
    midnight = T0 + DAY_MS - T0 % DAY_MS
    counts = [
        (at, at, 9 if midnight - at < 2 * MINUTE_MS else 0) for at in range(midnight - 9 * MINUTE_MS, midnight, 500)
    ]
    # Its first line behind midnight tells of the new day, and counts into the old one: the debt of the minute is paid.
    counts += [(midnight + 1_100, midnight - 50, 0), (midnight + 1_200, midnight + 1_150, 0)]
    at_once: list[Emission] = []
    in_parts: list[Emission] = []
    for offset, (now, at, bad) in enumerate(counts):
        line = line_of(record(offset, now, {**COUNTS, "at": at, "good": 10, "bad": bad}, "pay"))
        at_once += once.step(line)
        in_parts += later.step_urgent(line)
    assert by_key([*in_parts, *later.pay()]) == by_key(at_once)
    rules = [each.value["data"]["reason"]["rule"] for each in at_once if each.topic == STATUS]
    assert rules[-2:] == ["period", "within_budget"]

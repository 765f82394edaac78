"""Numbers as large as wire.md allows: they are counted, decided on and written like any other."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import orjson
import pytest

from sla.budget import COUNT_MOST
from sla.significance import upper_tail
from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS

from .world import T0, Document, World, agreement, objective

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


NEW_YORK = {"calendar": "month", "timezone": "America/New_York"}
SLICES = objective(budgeting={"timeslices": "1m", "sliceTarget": "95%"}, window={**NEW_YORK, "timezone": "Asia/Tokyo"})
ALWAYS, FOR_EVER = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"


@pytest.mark.parametrize("promise", [objective(), SLICES], ids=["occurrences", "slices"])
@pytest.mark.parametrize(
    ("start", "end", "is_left_out"),
    [
        (ALWAYS, FOR_EVER, True),
        (ALWAYS, "2026-11-23T10:30:00Z", True),
        ("2026-11-23T10:00:00Z", FOR_EVER, True),
        (ALWAYS, "0002-01-01T00:00:00Z", False),
        ("9999-12-15T00:00:00Z", FOR_EVER, False),
    ],
)
def test_an_exclusion_may_begin_with_the_first_year_and_end_with_the_last(
    promise: Document, start: str, end: str, *, is_left_out: bool
) -> None:
    # Some write them for "always" and "for ever", and a record must never stop a partition.
    world = World(promise, agreement("gold", "paid", period=NEW_YORK, maintenanceAllowance="200d"), gap_ms=HOUR_MS)
    body = {"type": "exclusion", "service": "pay", "id": "CHG-1", "category": "planned", "from": start, "to": end}
    world.tell(T0 - SECOND_MS, body)
    world.minutes(0, 30, 10, 0)
    status = world.events(topic="sla.status.v1")[-1]["data"]
    assert status["reason"]["total_count"] == (0 if is_left_out else 290 if promise is not SLICES else 27)
    told = [(each["from"], each["to"], each["widened_ms"]) for each in status["exclusions"]]
    shown = (start.replace("00Z", "00.000Z"), end.replace("00Z", "00.000Z"), 0)
    assert told == ([shown] if is_left_out else [])


def test_a_history_of_two_thousand_years_fills_what_windows_can_reach() -> None:
    # A day brings 1,440 good and nothing bad; what lies before every window costs nothing.
    world = World(objective(window={"rolling": "1d"}, grace="0s"), gap_ms=HOUR_MS)
    days = 739_942  # from the first of January of the year 1
    stretch = {"from": ALWAYS, "to": "2026-11-23T00:00:00Z", "good": days * 1440, "bad": 0}
    world.tell(T0 - SECOND_MS, {"type": "history", "service": "pay", "signal": "ok", **stretch})
    world.minutes(0, 2, 1, 0)
    status = world.events(topic="sla.status.v1")[-1]["data"]
    assert status["reason"]["total_count"] == 14 * 60 - 5 + 1  # 10:05 of the day before to midnight, and the new one


BEYOND_COUNT = 3_000  # records of the largest counts, which together exceed what 64 bits hold


def written(world: World) -> None:
    """What was said and what a head and its segments hold can be written."""
    assert all(orjson.dumps(each.value) for each in world.said)
    assert all(orjson.dumps(atom.body) for atom in world.fold.take_dirty())


@pytest.mark.parametrize("promise", [objective(window={"rolling": "30d"}), SLICES], ids=["occurrences", "slices"])
def test_more_of_the_largest_counts_than_64_bits_hold_stop_no_partition(promise: Document) -> None:
    world = World(promise, gap_ms=HOUR_MS)
    for number in range(BEYOND_COUNT):
        world.counts(T0 + number, LARGEST, LARGEST)
    world.tick(T0 + MINUTE_MS)
    world.counts(T0 + MINUTE_MS + 1, LARGEST, LARGEST, happened_at=T0)
    written(world)
    for hour in range(1, 30):  # merged into coarser buckets, and packed
        world.counts(T0 + hour * HOUR_MS, LARGEST, LARGEST)
        world.tick(T0 + hour * HOUR_MS + SECOND_MS)
    written(world)


def test_what_exceeds_64_bits_leaves_a_window_as_it_was_counted() -> None:
    world = World(objective(window={"rolling": "1h"}), gap_ms=HOUR_MS)
    for number in range(BEYOND_COUNT):
        world.counts(T0 + number, LARGEST, 0)
    world.idle(1, 4)
    full = world.events(topic="sla.status.v1")[-1]["data"]["reason"]
    assert full["total_count"] == COUNT_MOST
    world.idle(4, 75)
    gone = world.events(topic="sla.status.v1")[-1]["data"]["reason"]
    assert gone["total_count"] == 0

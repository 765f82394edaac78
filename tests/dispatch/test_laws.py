"""Laws: no notice lost, none told twice, quiet hours honoured, a storm is a handful, restarts change nothing."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.stakeholder import Escalation, Hours, RateLimit
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339
from tests.system.interrupted import Interrupted, alone

from .world import T0, World, at, daytime, stakeholder

FULL: dict[str, Any] = {
    "hours": Hours("office"),
    "digest_ms": 30 * MINUTE_MS,
    "group_wait_ms": 30 * SECOND_MS,
    "repeat_ms": 4 * HOUR_MS,
    "rate_limit": RateLimit(6, HOUR_MS),
    "horizon_ms": DAY_MS,
    "escalate": (Escalation("lead", unacked_ms=15 * MINUTE_MS), Escalation("lead", left_ppm=250_000)),
}
RECORD_BYTES_MAX = 4_000_000  # a little below what the producer takes: an atom is one record of the changelog
FORECAST_MS = 6 * HOUR_MS


def a_life(world: World, dice: random.Random, events_count: int, *, silence_share: float = 0.5) -> None:
    """Troubles come, worsen and go at any time of some days, with commands between them."""
    instant = T0
    open_keys: dict[str, str] = {}
    for _ in range(events_count):
        instant += dice.choice([0, 1_000, 40_000, 20 * MINUTE_MS, 3 * HOUR_MS])
        if dice.random() >= silence_share:
            world.tick_to(instant, step_ms=MINUTE_MS * 5)
        key = f"{dice.choice(['pay', 'shop', 'mail'])}/{dice.choice('abc')}"
        what = dice.random()
        if what < 0.1:
            world.order("ack", instant, dedup_key=key, until=rfc3339(instant + HOUR_MS))
        elif what < 0.15:
            world.order("silence", instant, matchers={"service": ["mail"]}, until=rfc3339(instant + 2 * HOUR_MS))
        elif key in open_keys and what < 0.6:
            world.event("recovery", instant, key, open_keys.pop(key))
        else:
            severity = dice.choice(["warning", "critical"])
            open_keys[key] = max(severity, open_keys.get(key, "a"), key=lambda each: each == "critical")
            ahead = rfc3339(instant + FORECAST_MS)
            forecast = {"breach_at": dict.fromkeys(("p10", "p50", "p90"), ahead), "p_breach_in_window": 0.9}
            world.event(dice.choice(["early_warning", "breach"]), instant, key, severity, forecast=forecast)
    world.tick_to(instant + 2 * DAY_MS, step_ms=10 * MINUTE_MS)


def told_and_not(world: World) -> tuple[Counter[str], set[str]]:
    """How often each event was told as news, and those that were not told, with a reason."""
    told: Counter[str] = Counter()
    for send in world.sends():
        if send["stakeholder"] == "ann" and send["kind"] != "repeat":
            told.update({item["event_id"] for item in send["items"] if item["cause"] == "notice"})
    final = {each["event_id"] for each in world.deliveries() if each["outcome"] in {"dropped", "silenced"}}
    return told, final


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_no_notice_is_lost_and_none_is_told_twice(seed: int) -> None:
    world = World(stakeholder(**FULL), stakeholder("lead"))
    a_life(world, random.Random(seed), 40)
    told, final = told_and_not(world)
    for number in range(1, world.events_count + 1):
        event_id = f"{number:032x}"
        assert told[event_id] or event_id in final, f"event {number} is lost"
        assert told[event_id] <= 1, f"event {number} is told {told[event_id]} times"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati"]))
def test_quiet_hours_are_honoured_in_every_zone(seed: int, zone: str) -> None:
    hours = daytime(zone)
    world = World(stakeholder(**FULL), stakeholder("lead"), hours=hours)
    a_life(world, random.Random(seed), 30, silence_share=0)
    for instant, each in world.said:
        if each.topic == "sla.outbox.v1" and each.key == "ann":
            # A timer's message is decided at its own instant, and published with the next line.
            assert hours.is_open(instant) or hours.is_open(instant - 10 * MINUTE_MS), (instant, each.value["subject"])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_an_end_is_told_if_the_trouble_was_told_and_else_it_is_not(seed: int) -> None:
    world = World(stakeholder(**FULL), stakeholder("lead"))
    a_life(world, random.Random(seed), 40)
    heard = {item["event_id"] for send in world.sends() if send["stakeholder"] == "ann" for item in send["items"]}
    open_troubles: dict[str, list[str]] = {}
    for event_id, name, key in world.events:
        if name != "recovery":
            open_troubles.setdefault(key, []).append(event_id)
            continue
        was_told = any(each in heard for each in open_troubles.pop(key, []))
        assert (event_id in heard) is was_told, f"the end of {key}, {event_id}"


@pytest.mark.parametrize("severity", ["warning", "critical"])
@pytest.mark.parametrize("services_count", [1, 10_000])
def test_a_storm_of_ten_thousand_breaches_is_a_handful_of_messages(services_count: int, severity: str) -> None:
    world = World(stakeholder(**{**FULL, "hours": None, "escalate": ()}))
    for number in range(10_000):
        world.event("breach", at("10:00") + number // 100, f"s{number % services_count}/o{number}", severity)
    (waiting, _) = world.fold.take_dirty()
    world.tick_to(at("11:00"))
    (told, _) = world.fold.take_dirty()
    assert max(len(orjson.dumps(atom.body)) for atom in (waiting, told)) < RECORD_BYTES_MAX
    assert 1 <= len(world.sends()) <= 5
    assert sum(send["events_count"] for send in world.sends()) == 10_000


@pytest.mark.parametrize("seed", range(8))
def test_wherever_it_is_killed_it_says_the_same(seed: int) -> None:
    world = World(stakeholder(**FULL), stakeholder("lead"))
    dice = random.Random(seed)
    a_life(world, dice, 40)
    expected = alone(world.new_fold, world.lines)
    assert expected
    assert Interrupted(world.new_fold, world.lines, dice).run(8) == list(dict.fromkeys(expected))

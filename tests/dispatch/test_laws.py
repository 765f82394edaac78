"""Laws: no notice lost, none told twice, quiet hours honoured, a storm is a handful, restarts change nothing."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifiers.alertmanager import alert_of
from notifiers.protocol import Message, Words
from schemas.feeds import decode_send
from sla.dedup import objective_key
from sla.dispatch import Send
from sla.fold import Line
from sla.stakeholder import Channel, Escalation, Hours, RateLimit
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339
from sla.working_time import Shift, Timetable, WorkingTime
from tests.system.interrupted import Interrupted, alone

from .world import T0, World, at, stakeholder

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
CAUSED_SHARE = 0.4
STORM_COUNT = 500
ON_CALL_TOOLS = (Channel("alertmanager", "${ALERTS}"), Channel("pagerduty", "${PAGER}"))
MESSAGES_MAX = 8  # to people, in half a day of a storm: the storm, two repeats, what was acknowledged, what ended


def a_life(
    world: World, dice: random.Random, events_count: int, *, silence_share: float = 0.5, begin: int = T0
) -> None:
    """Troubles come, worsen and go at any time of some days, with commands between them."""
    instant = begin
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
            cause = {"type": "dependency", "id": f"{dice.choice(['pay', 'shop', 'mail'])}/a"}
            more = {"forecast": forecast, "causes": [cause] if dice.random() < CAUSED_SHARE else []}
            world.event(dice.choice(["early_warning", "breach"]), instant, key, severity, **more)
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


SHIFTS = {"day": Shift(8 * 60, 18 * 60), "small hours": Shift(60, 4 * 60), "around midnight": Shift(22 * 60, 30 * 60)}


def is_within(shift: Shift, zone: str, instant: int) -> bool:
    """What a clock on the wall says, without the calendar that decides."""
    local = datetime.fromtimestamp(instant / 1000, ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    return any(shift.from_minute <= each < shift.to_minute for each in (minute, minute + 24 * 60))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(sorted(available_timezones())),
    st.sampled_from(sorted(SHIFTS)),
    st.sampled_from(["2026-01-31", "2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"]),
)
@example(1, "Europe/Berlin", "small hours", "2026-03-28").via("the clocks go forward")
@example(1, "Europe/Berlin", "small hours", "2026-10-24").via("and back")
@example(2, "Australia/Lord_Howe", "small hours", "2026-04-04").via("by half an hour")
@example(3, "America/New_York", "around midnight", "2026-03-07").via("far from Greenwich")
def test_quiet_hours_are_honoured_in_every_zone_on_the_days_when_clocks_change(
    seed: int, zone: str, shift: str, day: str
) -> None:
    hours = WorkingTime(Timetable(zone, ((SHIFTS[shift],),) * 7))
    world = World(stakeholder(**FULL), stakeholder("lead"), hours=hours)
    begin = int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1000)
    a_life(world, random.Random(seed), 20, silence_share=0, begin=begin)
    for instant, each in world.said:
        if each.topic == "sla.outbox.v1" and each.key == "ann":
            # A timer's message is decided at its own instant, and published with the next line.
            told_at = (instant, instant - 10 * MINUTE_MS)
            assert any(is_within(SHIFTS[shift], zone, at) for at in told_at), (instant, each.value["subject"])
    told, final = told_and_not(world)
    assert all(told[f"{number:032x}"] or f"{number:032x}" in final for number in range(1, world.events_count + 1))


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
    channels = (Channel("console"), ON_CALL_TOOLS[0])
    world = World(stakeholder(**{**FULL, "hours": None, "escalate": (), "channels": channels}))
    for number in range(10_000):
        world.event("breach", at("10:00") + number // 100, f"s{number % services_count}/o{number}", severity)
    (waiting, _) = world.fold.take_dirty()
    world.tick_to(at("11:00"))
    (told, _) = world.fold.take_dirty()
    assert max(len(orjson.dumps(atom.body)) for atom in (waiting, told)) < RECORD_BYTES_MAX
    to_people = [send for send in world.sends() if send["kind"] != "machine"]
    assert 1 <= len(to_people) <= 5
    assert sum(send["events_count"] for send in to_people) == 10_000


def storm_event(world: World, name: str, instant: int, number: int) -> str:
    """A breach or its end, as `detect` says it of a service that is measured by instance; its dedup key."""
    instance = f"eu {number}"
    key = objective_key("pay", f"o{number % 10}", instance)
    world.event(name, instant, key, "critical", instance=instance, opened_at=rfc3339(at("10:00") + number))
    return key


def alerts_of(world: World, action: str) -> dict[str, list[Send]]:
    """What on-call tools are told, by the kind of the tool."""
    found: dict[str, list[Send]] = {}
    for place, value in enumerate(world.sends("machine")):
        send = decode_send(Line(place, value["stakeholder"].encode(), orjson.dumps(value), 0, 0), 0)
        assert isinstance(send, Send)
        if send.action == action:
            found.setdefault(send.channel.kind, []).append(send)
    return found


def named(sends: list[Send]) -> list[Any]:
    """By what Alertmanager knows each alert again, and since when it stands."""
    alerts = [alert_of(Message(send, Words("", "")), 0) for send in sends]
    return sorted((sorted(alert["labels"].items()), alert["startsAt"]) for alert in alerts)


def test_a_storm_is_repeated_and_ended_one_by_one_in_on_call_tools_and_a_handful_for_people() -> None:
    channels = (Channel("console"), *ON_CALL_TOOLS)
    world = World(stakeholder(**{**FULL, "hours": None, "escalate": (), "channels": channels}))
    keys = [storm_event(world, "breach", at("10:00") + number, number) for number in range(STORM_COUNT)]
    stored = world.fold.take_dirty()
    world.fold = world.new_fold()
    world.fold.load(stored)
    world.tick_to(at("18:30"), step_ms=10 * MINUTE_MS)
    triggers = alerts_of(world, "trigger")
    assert len(triggers["pagerduty"]) == STORM_COUNT
    begun, repeated = triggers["alertmanager"][:STORM_COUNT], triggers["alertmanager"][STORM_COUNT:]
    assert named(repeated) == sorted(named(begun) * 2)
    for key in keys:
        world.order("ack", at("18:40"), dedup_key=key)
    for number in range(STORM_COUNT):
        storm_event(world, "recovery", at("18:50") + number, number)
    world.tick_to(at("19:30"))
    for action in ("acknowledge", "resolve"):
        ended = alerts_of(world, action)
        assert named(ended["alertmanager"]) == named(begun)
        assert sorted(send.dedup_key for send in ended["pagerduty"]) == sorted(keys)
    assert len(world.sends()) - len(world.sends("machine")) <= MESSAGES_MAX


def test_a_silenced_storm_that_still_holds_when_the_silence_ends_is_opened_in_on_call_tools() -> None:
    world = World(stakeholder(channels=ON_CALL_TOOLS))
    world.order("silence", at("09:00"), matchers={"service": ["pay"]}, until=rfc3339(at("11:00")))
    keys = [storm_event(world, "breach", at("10:00") + number, number) for number in range(STORM_COUNT)]
    assert alerts_of(world, "trigger") == {}
    world.tick_to(at("11:10"))
    opened = alerts_of(world, "trigger")
    assert {kind: sorted(send.dedup_key for send in sends) for kind, sends in opened.items()} == {
        "alertmanager": sorted(keys),
        "pagerduty": sorted(keys),
    }


@pytest.mark.parametrize("seed", range(8))
def test_wherever_it_is_killed_it_says_the_same(seed: int) -> None:
    world = World(stakeholder(**FULL), stakeholder("lead"))
    dice = random.Random(seed)
    a_life(world, dice, 40)
    expected = alone(world.new_fold, world.lines)
    assert expected
    assert Interrupted(world.new_fold, world.lines, dice).run(8) == list(dict.fromkeys(expected))

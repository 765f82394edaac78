"""Flags of a ticket's clock: who has taken its trouble on, and whether people are told of it."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.feeds import decode_notice
from sla.dedup import ticket_key
from sla.fold import Emission
from sla.orders import Ack
from sla.units import rfc3339
from tests.core.orders import changes, flags_of, order, outcomes
from tests.core.world import agreement, catalogue_of, line_of, marker, through_json

from .world import World, at, clock_of, promise

KEY = "pay/fix/ticket:T1"


def at_risk(*, breached: bool = False, ticket: str = "T1", **spec: Any) -> World:
    """`T1` is at risk from 13:00 on, or breached from 14:00 on."""
    world = World(promise(warnAt=["75%"], **spec), agreement("acme-gold", "fix"))
    world.event("10:00", "created", ticket=ticket, priority="P1", state="new")
    world.tick("14:10" if breached else "13:10")
    return world


def obey(
    world: World, when: str, kind: str, name: str = "c1", ticket: str | None = "T1", **fields: Any
) -> list[Emission]:
    about = {} if ticket is None else {"ticket": ticket, "dedup_key": KEY}
    return world.tell(at(when), order(kind, at(when), name, **{**about, **fields}), ticket)


def flags(world: World) -> list[tuple[str, dict[str, Any]]]:
    return changes(world.events(name="flags_changed"))


@pytest.mark.parametrize("breached", [False, True])
def test_an_ack_is_a_flag_of_the_episode_a_feed_for_all_who_were_told_and_on_record(*, breached: bool) -> None:
    world = at_risk(breached=breached)
    said = obey(world, "14:20" if breached else "13:20", "ack", reason="on it")
    assert flags(world) == [("acked", {"acked_by": "bob"})]
    assert outcomes(said) == [("command_accepted", "")]
    (fed,) = [each for each in said if each.topic == "sla.notices.v1"]
    heard = decode_notice(line_of(0, at("14:30"), fed.value, None), at("14:30"))
    assert isinstance(heard, Ack)
    assert (fed.key, fed.everywhere, heard.dedup_key, heard.reason) == (None, True, KEY, "on it")
    (status,) = [dict(each.value) for each in said if each.topic == "sla.status.v1"]
    assert flags_of(status) == {"acked_by": "bob"}
    state = "breached" if breached else "at_risk"
    assert (status["data"]["state"], status["data"]["previous_state"], status["data"]["episode"]) == (state, state, 1)


def test_every_event_of_the_episode_bears_the_flags_until_it_ends_with_them() -> None:
    world = at_risk()
    obey(world, "13:20", "ack")
    world.event("13:30", state="pending")
    world.event("13:40", state="open")
    world.tick("14:20")
    world.event("14:30", state="resolved")
    told = [
        (each.value["type"].removeprefix("forewarn.").removesuffix(".v1"), flags_of(each.value).get("acked_by"))
        for each in world.said
        if each.topic in {"sla.alerts.v1", "sla.clocks.v1"}
    ]
    assert told == [
        ("clock.started", None), ("early_warning", None), ("flags_changed", "bob"), ("clock.paused", "bob"),
        ("clock.resumed", "bob"), ("breach", "bob"), ("clock.breached", "bob"), ("recovery", None), ("clock.met", None),
    ]  # fmt: skip
    assert outcomes(obey(world, "14:40", "ack", "again")) == [("command_refused", "its episode 1 is closed")]


def test_an_ack_ends_at_its_own_instant_and_may_be_taken_back() -> None:
    # 13:20 a until 13:30    13:40 b    13:50 unack    14:00 breach
    world = at_risk()
    obey(world, "13:20", "ack", "a", until=rfc3339(at("13:30")))
    world.tick("13:35")
    obey(world, "13:40", "ack", "b")
    said = obey(world, "13:50", "unack", "c")
    assert flags(world) == [
        ("acked", {"acked_by": "bob", "acked_until": rfc3339(at("13:30"))}), ("ack_ended", {}),
        ("acked", {"acked_by": "bob"}), ("unacked", {}),
    ]  # fmt: skip
    assert world.events(name="flags_changed")[1]["time"] == rfc3339(at("13:30"))
    assert [each.value["type"] for each in said if each.topic == "sla.notices.v1"] == ["unack"]
    world.tick("14:01")
    assert world.alerts()[-1] == "14:00 breach deadline"


def test_an_ack_of_a_paused_clock_ends_too() -> None:
    world = at_risk()
    world.event("13:20", state="pending")
    obey(world, "13:30", "ack", until=rfc3339(at("15:00")))
    world.tick("16:00")
    assert world.alerts()[1:] == ["13:30 flags_changed acked", "15:00 flags_changed ack_ended"]


UNKNOWN = "no clock of this ticket has this dedup key"


@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        ("ack", {"ticket": "T2"}, UNKNOWN),
        ("ack", {"dedup_key": "pay/other/ticket:T1"}, UNKNOWN),
        ("ack", {"until": rfc3339(at("13:20"))}, "it expired before it was heard"),
        ("unack", {}, "nobody has acknowledged it"),
    ],
)
def test_an_order_that_comes_to_nothing_is_refused_on_record(kind: str, fields: dict[str, Any], why: str) -> None:
    world = at_risk()
    assert outcomes(obey(world, "13:20", kind, **fields)) == [("command_refused", why)]
    assert flags(world) == []


def test_an_ack_before_any_episode_is_refused() -> None:
    world = World(promise())
    world.created("10:00")
    assert outcomes(obey(world, "10:10", "ack")) == [("command_refused", "it has no episode yet")]


def test_the_same_command_twice_changes_nothing() -> None:
    world = at_risk()
    obey(world, "13:20", "ack", "same")
    assert obey(world, "13:30", "ack", "same") == []
    assert world.tell(at("13:40"), order("ack", at("13:20"), "older", dedup_key=KEY, ticket="T1"), "T1") == []
    assert len(flags(world)) == 1


@pytest.mark.parametrize(
    ("given", "done", "rules"),
    [
        (["ack a", "unack u", "ack a"], [1, 1, 0], ["acked", "unacked"]),
        (["ack a", "unack u", "ack b"], [1, 1, 1], ["acked", "unacked", "acked"]),
        (["ack a", "unack u", "ack b", "unack u"], [1, 1, 1, 0], ["acked", "unacked", "acked"]),
    ],
)
def test_a_command_that_comes_again_changes_nothing_and_a_new_one_does_what_it_says(
    given: list[str], done: list[int], rules: list[str]
) -> None:
    """`done` counts what each puts on record; that it was heard survives a restart."""
    world = at_risk()
    said = []
    for place, command in enumerate(given):
        kind, name = command.split()
        said.append(obey(world, f"13:{20 + place}", kind, name))
        atoms = through_json(world.fold.take_dirty())
        world.fold = clock_of(world.catalogue)
        world.fold.load(atoms)
    assert [len(outcomes(each)) for each in said] == done
    assert [rule for rule, _ in flags(world)] == rules


def test_a_ticket_whose_id_is_too_long_for_its_key_is_taken_on_by_its_id() -> None:
    ticket = "ü" * 100
    world = at_risk(ticket=ticket)
    obey(world, "13:20", "ack", ticket=ticket, dedup_key=ticket_key("pay", "fix", ticket))
    assert flags(world) == [("acked", {"acked_by": "bob"})]


@pytest.mark.parametrize(
    ("matchers", "covers"),
    [
        ({"service": ["pay"]}, True),
        ({"customer": ["acme"]}, True),
        ({"dedup_key": [KEY]}, True),
        ({"event": ["early_warning"]}, True),
        ({"event": ["breach"]}, False),
        ({"service": ["ship"]}, False),
        ({"stakeholder": ["ann"]}, False),
    ],
)
def test_a_silence_is_a_flag_of_what_it_covers_until_it_ends(matchers: dict[str, list[str]], *, covers: bool) -> None:
    world = at_risk()
    until = rfc3339(at("13:40"))
    obey(world, "13:20", "silence", ticket=None, matchers=matchers, until=until)
    world.tick("13:50")
    assert flags(world) == ([("silenced", {"silenced": True}), ("unsilenced", {})] if covers else [])
    assert [event["time"] for event in world.events(name="flags_changed")[1:]] == [until] * covers


def test_what_opens_under_a_silence_is_silenced_from_its_first_event_until_the_silence_is_taken_back() -> None:
    world = World(promise(warnAt=["75%"]))
    world.created("10:00")
    obey(world, "11:00", "silence", "s", ticket=None, matchers={"service": ["pay"]}, until=rfc3339(at("20:00")))
    world.tick("14:10")
    assert [(e["type"], flags_of(e)) for e in world.events()] == [
        ("forewarn.early_warning.v1", {"silenced": True}), ("forewarn.breach.v1", {"silenced": True}),
    ]  # fmt: skip
    obey(world, "14:20", "unsilence", "u", ticket=None, silence="s")
    assert flags(world) == [("unsilenced", {})]


def test_a_silence_and_an_ack_that_end_at_the_instant_of_a_breach_end_before_it() -> None:
    world = at_risk()
    obey(world, "13:20", "silence", "s", ticket=None, matchers={"service": ["pay"]}, until=rfc3339(at("14:00")))
    obey(world, "13:30", "ack", "a", until=rfc3339(at("14:00")))
    world.tick("14:10")
    assert world.alerts()[-3:] == [
        "14:00 flags_changed unsilenced",
        "14:00 flags_changed ack_ended",
        "14:00 breach deadline",
    ]
    assert flags_of(world.events(name="breach")[0]) == {}


def test_an_objective_that_is_retired_takes_its_flags_with_it() -> None:
    revision = catalogue_of([promise("other")], 1, 1)
    world = at_risk()
    world.fold = clock_of(world.catalogue, [revision])
    world.lines, world.said = [], []
    world.created("10:00")
    world.tick("13:10")
    obey(world, "13:20", "ack", until=rfc3339(at("13:40")))
    for emission in world.fold.step(line_of(len(world.lines), at("13:30"), marker(revision))):
        world.said.append(emission)
    (recovery,) = world.events(name="recovery")
    assert (recovery["data"]["reason"]["rule"], flags_of(recovery)) == ("retired", {})
    assert [rule for rule, _ in flags(world)] == ["acked"]

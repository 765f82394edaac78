"""Silences: what they cover, what passes them, and what is told at their end."""

from __future__ import annotations

import pytest

from sla.stakeholder import Hours
from sla.units import SECOND_MS, rfc3339

from .world import World, at, stakeholder

OFFICE = Hours("office")


def test_a_silence_holds_back_and_at_its_end_what_still_holds_is_told_once() -> None:
    world = World(stakeholder())
    world.order("silence", at("10:00"), matchers={"service": ["pay"]}, until=rfc3339(at("11:00")))
    world.event("breach", at("10:10"), "pay/a")
    world.event("early_warning", at("10:15"), "pay/b")
    world.event("breach", at("10:20"), "other/c")
    world.event("recovery", at("10:30"), "pay/b")
    world.tick_to(at("11:30"))
    assert world.story() == ["10:20:00 notice [warning] Breach: c (other)", "11:00:00 notice [warning] Breach: a (pay)"]
    assert world.unsent() == ["10:10:00 silenced", "10:15:00 silenced", "10:30:00 dropped"]


def test_who_was_told_hears_of_an_ack_and_a_correction_whatever_is_silent_since() -> None:
    world = World(stakeholder("ann"), stakeholder("bea"))
    world.event("breach", at("10:00"), who="ann")
    world.order("silence", at("10:10"), matchers={"service": ["pay"]}, until=rfc3339(at("20:00")))
    world.event("breach", at("10:10"), who="bea")
    world.order("ack", at("10:20"), dedup_key="pay/a")
    for who in ("ann", "bea"):
        world.event("correction", at("10:30"), who=who)
    world.order("unack", at("10:40"), dedup_key="pay/a")
    assert [(send["stakeholder"], send["subject"].partition(":")[0]) for send in world.sends()] == [
        ("ann", "[warning] Breach"),
        ("ann", "Acknowledged by bob"),
        ("ann", "Correction"),
        ("ann", "No longer acknowledged"),
    ]
    assert [(each["stakeholder"], each["outcome"]) for each in world.deliveries()] == [
        ("bea", "silenced"),
        ("bea", "dropped"),
    ]


@pytest.mark.parametrize(
    ("matchers", "told"),
    [
        ({"service": ["pay"]}, ["shop/b"]),
        ({"objective": ["a", "z"]}, ["shop/b"]),
        ({"dedup_key": ["pay/a"]}, ["shop/b"]),
        ({"severity": ["warning"]}, ["shop/b"]),
        ({"event": ["breach"]}, ["shop/b"]),
        ({"agreement": ["gold"]}, ["shop/b"]),
        ({"customer": ["acme"]}, ["shop/b"]),
        ({"stakeholder": ["ann"]}, []),
        ({"stakeholder": ["bea"]}, ["pay/a", "shop/b"]),
        ({"service": ["pay"], "severity": ["critical"]}, ["pay/a", "shop/b"]),
        ({"service": ["pay", "shop"], "severity": ["warning", "critical"]}, []),
    ],
    ids=str,
)
def test_a_silence_covers_what_matches_each_field_by_one_of_its_values(
    matchers: dict[str, list[str]], told: list[str]
) -> None:
    world = World(stakeholder())
    world.order("silence", at("09:00"), matchers=matchers, until=rfc3339(at("12:00")))
    gold = {"name": "gold", "type": "sla", "customer": "acme", "credit_at_risk": None}
    world.event("breach", at("10:00"), "pay/a", agreements=[gold])
    world.event("early_warning", at("10:00"), "shop/b", "critical")
    assert [send["dedup_key"] for send in world.sends()] == told


def test_a_silence_may_end_early() -> None:
    world = World(stakeholder())
    world.order("silence", at("10:00"), matchers={"severity": ["warning"]}, until=rfc3339(at("20:00")))
    world.event("breach", at("10:10"))
    world.order("unsilence", at("10:20"), silence="silence--1")
    assert len(world.story()) == 1


def test_a_silence_that_was_ended_does_not_begin_again_by_its_repeat() -> None:
    world = World(stakeholder())
    fields = {"matchers": {"service": ["pay"]}, "until": rfc3339(at("12:00"))}
    (begun,) = world.order("silence", at("09:00"), command_id="s", **fields)
    assert (begun.value["type"], begun.value["id"], begun.value["about"]) == ("command_accepted", "s", "s")
    world.order("unsilence", at("09:10"), command_id="u", silence="s")
    assert world.order("silence", at("09:20"), command_id="s", **fields) == []
    world.event("breach", at("09:30"))
    assert len(world.sends()) == 1


def test_a_silence_that_is_not_known_cannot_be_ended() -> None:
    world = World(stakeholder())
    (record,) = [each.value for each in world.order("unsilence", at("10:00"), silence="s9")]
    assert (record["type"], record["detail"]) == ("command_refused", "no such silence is in force")


def test_a_silence_that_begins_while_an_end_waits_for_its_group_does_not_swallow_it() -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    world.event("breach", at("10:00"))
    world.tick_to(at("10:01"))
    world.event("recovery", at("10:02:00"))
    world.event("early_warning", at("10:02:10"))
    world.order("silence", at("10:02:20"), matchers={"service": ["pay"]}, until=rfc3339(at("12:00")))
    world.tick_to(at("10:03"))
    assert [item["event"] for item in world.sends()[1]["items"]] == ["recovery"]
    assert world.unsent() == ["10:02:30 silenced"]


def test_the_end_of_what_a_digest_tells_does_not_make_a_later_trouble_told() -> None:
    # 06:00 a fires   07:00 clears   07:30 fires again, silenced before the digest at 08:00   08:30 clears
    world = World(stakeholder(hours=OFFICE))
    world.event("breach", at("06:00"))
    world.event("recovery", at("07:00"))
    world.event("breach", at("07:30"))
    world.order("silence", at("07:40"), matchers={"service": ["pay"]}, until=rfc3339(at("12:00")))
    world.tick_to(at("08:01"))
    world.event("recovery", at("08:30"))
    (digest,) = world.sends()
    assert [item["event"] for item in digest["items"]] == ["breach", "recovery"]
    assert world.unsent()[-2:] == ["08:00:00 silenced", "08:30:00 dropped"]

"""A day in pictures: what is told when."""

from __future__ import annotations

import pytest

from sla.stakeholder import Channel, Escalation, Hours, Outside, RateLimit
from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339

from .world import World, at, forecast, stakeholder

OFFICE = Hours("office")


def test_quiet_hours_hold_and_at_their_end_one_digest_says_what_fired_cleared_and_holds() -> None:
    # 06:00 a fires   06:10 b fires   06:30 a clears   | 08:00 digest
    world = World(stakeholder(hours=OFFICE))
    world.event("breach", at("06:00"), "pay/a")
    world.event("breach", at("06:10"), "pay/b")
    world.event("recovery", at("06:30"), "pay/a")
    world.tick_to(at("08:05"))
    assert world.story() == ["08:00:00 digest Digest: 2 fired, 1 cleared, 1 still open"]
    assert world.unsent() == ["06:00:00 held", "06:10:00 held", "06:30:00 folded"]
    (digest,) = world.sends()
    assert digest["text"].split("\n") == [
        "Fired:",
        "- [warning] Breach: a (pay), 2026-11-23T06:00:00.000Z",
        "- [warning] Breach: b (pay), 2026-11-23T06:10:00.000Z",
        "Cleared:",
        "- Recovery: a (pay), 2026-11-23T06:30:00.000Z",
        "Still open:",
        "- [warning] Breach: b (pay), since 2026-11-23T06:10:00.000Z",
    ]


def test_what_is_critical_passes_quiet_hours_where_that_is_wanted_and_so_does_its_recovery() -> None:
    world = World(stakeholder(hours=OFFICE, critical_bypasses_hours=True))
    world.event("breach", at("03:00"), severity="critical")
    world.event("recovery", at("03:20"), severity="critical")
    world.event("breach", at("03:30"), "pay/b")
    assert [line[:15] for line in world.story()] == ["03:00:00 notice", "03:20:00 notice"]
    assert world.unsent() == ["03:30:00 held"]


def test_hours_may_drop_and_what_was_dropped_has_no_recovery() -> None:
    world = World(stakeholder(hours=Hours("office", Outside.DROP)))
    world.event("breach", at("06:00"))
    world.event("recovery", at("09:00"))
    world.tick_to(at("09:01"))
    assert world.story() == []
    assert world.unsent() == ["06:00:00 dropped", "09:00:00 dropped"]


def test_hours_may_deliver() -> None:
    world = World(stakeholder(hours=Hours("office", Outside.DELIVER)))
    world.event("breach", at("06:00"))
    assert len(world.story()) == 1


def test_beyond_the_limit_all_goes_into_one_digest_but_what_is_critical_and_recoveries() -> None:
    world = World(stakeholder(rate_limit=RateLimit(2, HOUR_MS), digest_ms=30 * MINUTE_MS))
    for minute, name in enumerate("abcd"):
        world.event("early_warning", at(f"10:0{minute}"), f"{name}/o")
    world.event("breach", at("10:05"), "e/o", "critical")
    world.event("recovery", at("10:06"), "a/o")
    world.tick_to(at("11:00"))
    assert [line.split(" ", 2)[:2] for line in world.story()] == [
        ["10:00:00", "notice"],
        ["10:01:00", "notice"],
        ["10:05:00", "notice"],
        ["10:06:00", "notice"],
        ["10:32:00", "digest"],
    ]
    assert world.unsent() == ["10:02:00 folded", "10:03:00 folded"]


def test_what_holds_is_repeated_until_it_ends_or_somebody_takes_it_on() -> None:
    world = World(stakeholder(repeat_ms=HOUR_MS))
    world.event("breach", at("10:00"))
    world.event("breach", at("10:00"), "pay/b")
    world.tick_to(at("11:20"))
    world.event("recovery", at("11:30"), "pay/b")
    world.tick_to(at("12:10"))
    world.order("ack", at("12:15"), dedup_key="pay/a", reason="on it", until=rfc3339(at("14:30")))
    world.tick_to(at("15:30"))
    assert world.story() == [
        "10:00:00 notice [warning] Breach: a (pay)",
        "10:00:00 notice [warning] Breach: b (pay)",
        "11:00:00 repeat Still open: 2, the worst [warning] Breach: a (pay)",
        "11:30:00 notice Recovery: b (pay)",
        "12:00:00 repeat Still: [warning] Breach: a (pay)",
        "12:15:00 notice Acknowledged by bob: [warning] Breach: a (pay)",
        "14:30:00 notice [warning] Breach: a (pay)",
        "15:00:00 repeat Still: [warning] Breach: a (pay)",
    ]


def test_a_digest_says_by_its_subject_that_it_holds_more_than_troubles() -> None:
    world = World(stakeholder(hours=OFFICE))
    world.event("period_closed", at("00:10"), "gold/pay/a/2026-10-01")
    world.tick_to(at("08:01"))
    assert world.story() == ["08:00:00 digest Digest: 0 fired, 0 cleared, 0 still open, 1 more"]


def test_a_recovery_and_a_correction_are_told_to_those_who_were_told_and_to_nobody_else() -> None:
    world = World(stakeholder("ann"), stakeholder("bea"))
    world.event("breach", at("10:00"), who="ann")
    for name in ("recovery", "correction"):
        world.event(name, at("10:10"), who="ann")
        world.event(name, at("10:10"), who="bea")
    assert [send["stakeholder"] for send in world.sends()] == ["ann", "ann", "ann"]
    assert [(each["stakeholder"], each["outcome"]) for each in world.deliveries()] == [("bea", "dropped")] * 2


def test_who_does_not_acknowledge_in_time_has_the_lead_told_who_also_hears_the_end() -> None:
    lead = stakeholder("lead")
    world = World(stakeholder(escalate=(Escalation("lead", unacked_ms=15 * MINUTE_MS),)), lead)
    world.event("breach", at("10:00"))
    world.tick_to(at("10:20"))
    world.event("recovery", at("10:30"))
    notices = [each.value for _, each in world.said if each.topic == "sla.notices.v1"]
    assert [(each["stakeholder"], each["event"]["type"]) for each in notices] == [
        ("lead", "forewarn.breach.v1"),
        ("lead", "forewarn.recovery.v1"),
    ]
    assert notices[0]["escalated"] == {"by": "ann", "why": "nobody has acknowledged it for 15 min"}
    for notice in notices:
        world.put(dict(notice), at("10:31"), "lead")
    assert [send["stakeholder"] for send in world.sends()] == ["ann", "ann", "lead", "lead"]


@pytest.mark.parametrize("ends", [False, True])
def test_of_those_who_escalate_to_each_other_each_hears_once_what_became_of_it(*, ends: bool) -> None:
    later = 15 * MINUTE_MS
    world = World(
        stakeholder("ann", escalate=(Escalation("bea", unacked_ms=later), Escalation("cal", unacked_ms=later))),
        stakeholder("bea", escalate=(Escalation("ann", unacked_ms=later), Escalation("cal", unacked_ms=later))),
        stakeholder("cal", escalate=(Escalation("ann", unacked_ms=later),)),
    )
    passed_on = 0

    def pass_on(instant: int) -> None:
        nonlocal passed_on
        while notices := [dict(each.value) for _, each in world.said if each.topic == "sla.notices.v1"][passed_on:]:
            passed_on += len(notices)
            assert passed_on < 50, "it goes round"
            for notice in notices:
                world.put(notice, instant, notice["stakeholder"])

    world.event("breach", at("10:00"))
    for minute in range(1, 59):
        world.tick_to(at(f"10:{minute:02d}"), step_ms=MINUTE_MS)
        pass_on(at(f"10:{minute:02d}"))
    story = ["correction", "recovery", "correction"] if ends else ["correction", "correction"]
    for place, name in enumerate(story):
        world.event(name, at(f"11:0{place}"), sequence=place + 2)
        pass_on(at(f"11:0{place}"))
    for who in ("ann", "bea", "cal"):
        told = [item["event"] for send in world.sends() if send["stakeholder"] == who for item in send["items"]]
        assert [name for name in told if name != "breach"] == story


def test_an_ack_keeps_it_from_the_lead() -> None:
    world = World(stakeholder(escalate=(Escalation("lead", unacked_ms=15 * MINUTE_MS),)), stakeholder("lead"))
    world.event("breach", at("10:00"))
    world.order("ack", at("10:05"), dedup_key="pay/a")
    world.tick_to(at("10:30"))
    assert not [each for _, each in world.said if each.topic == "sla.notices.v1"]


def test_too_little_time_left_is_escalated_when_it_comes_to_that() -> None:
    world = World(stakeholder(escalate=(Escalation("lead", left_ppm=250_000),)), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    world.tick_to(at("12:59"))
    assert not [each for _, each in world.said if each.topic == "sla.notices.v1"]
    world.tick_to(at("13:00"))
    assert [instant for instant, each in world.said if each.topic == "sla.notices.v1"] == [at("13:00")]


def test_on_call_tools_get_each_fact_at_once_and_an_expectation_never_pages() -> None:
    pager = (Channel("console"), Channel("pagerduty", "${KEY}"))
    world = World(stakeholder(channels=pager, hours=OFFICE, group_wait_ms=30 * SECOND_MS))
    world.event("breach", at("03:00"), severity="critical")
    world.event("recovery", at("03:10"), severity="critical")
    wish = [{"name": "w", "type": "expectation", "customer": None, "credit_at_risk": None}]
    world.event("breach", at("03:20"), "pay/b", "critical", agreements=wish)
    assert [(send["channel"]["kind"], send["action"]) for send in world.sends()] == [
        ("pagerduty", "trigger"),
        ("pagerduty", "resolve"),
    ]


def test_who_has_no_channel_is_not_told_and_that_is_on_record() -> None:
    """Nobody of this name is defined, and the notice brings no channel either."""
    world = World()
    world.event("breach", at("10:00"))
    assert (world.sends(), world.unsent()) == ([], ["10:00:00 dropped"])
    assert world.deliveries()[0]["detail"] == "has no channel to be told by"

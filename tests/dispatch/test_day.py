"""A day in pictures: what is told when."""

from __future__ import annotations

from itertools import permutations

import pytest

from sla.stakeholder import Channel, Escalation, Hours, Outside, RateLimit
from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS, rfc3339

from .world import World, at, stakeholder

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


def test_objectives_of_one_service_are_one_message_and_nothing_waits_longer_than_the_first() -> None:
    # 10:00:00 a   10:00:20 b   | 10:00:30 both
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    world.event("breach", at("10:00:00"), "pay/a")
    world.event("breach", at("10:00:20"), "pay/b", "critical")
    world.tick_to(at("10:02"))
    assert world.story() == ["10:00:30 group [critical] 2 events of pay: [critical] Breach: b (pay)"]
    assert [item["dedup_key"] for item in world.sends()[0]["items"]] == ["pay/a", "pay/b"]


def test_what_stands_on_a_service_in_trouble_is_told_with_it() -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    cause = {"type": "dependency", "id": "ledger/x", "at": rfc3339(at("10:00")), "summary": None}
    world.event("breach", at("10:00:00"), "pay/a", causes=[cause])
    world.event("breach", at("10:00:10"), "ledger/x")
    world.tick_to(at("10:01"))
    (line,) = world.story()
    assert line == "10:00:30 group [warning] 2 events of ledger: [warning] Breach: a (pay)"


def depends_on(key: str) -> list[dict[str, object]]:
    return [{"type": "dependency", "id": key, "at": rfc3339(at("10:00")), "summary": None}]


CHAIN = {"ledger/x": [], "pay/a": depends_on("ledger/x"), "shop/s": depends_on("pay/a"), "mail/m": depends_on("shop/s")}


@pytest.mark.parametrize("order", list(permutations(CHAIN)))
def test_all_that_came_down_a_chain_of_causes_is_one_message_whatever_came_first(order: tuple[str, ...]) -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    for place, key in enumerate(order):
        world.event("breach", at(f"10:00:0{place}"), key, causes=CHAIN[key])
    world.event("breach", at("10:00:09"), "pay/b")  # of a service in the chain, by another of its promises
    world.event("recovery", at("10:00:20"), order[0])
    world.tick_to(at("10:02"))
    (message,) = world.sends()
    told = [item["dedup_key"] for item in message["items"]]
    assert (sorted(told), told[-1]) == (sorted([*order, "pay/b", order[0]]), order[0])
    assert world.said[-1][0] == at("10:00:30")
    assert world.unsent() == []


def test_a_chain_outlives_a_restart() -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    for place, key in enumerate(("shop/s", "pay/a")):
        world.event("breach", at(f"10:00:0{place}"), key, causes=CHAIN[key])
    atoms = world.fold.take_dirty()
    world.fold = world.new_fold()
    world.fold.load(atoms)
    world.event("breach", at("10:00:05"), "ledger/x")
    world.tick_to(at("10:01"))
    assert [len(send["items"]) for send in world.sends()] == [3]


def test_what_ends_while_its_group_waits_is_told_as_both_whatever_its_end_names_as_its_cause() -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    world.event("breach", at("10:00:00"), causes=depends_on("ledger/x"))
    world.event("recovery", at("10:00:10"))
    world.tick_to(at("10:01"))
    assert [item["event"] for item in world.sends()[0]["items"]] == ["breach", "recovery"]


def test_what_ends_while_its_group_waits_is_told_as_both() -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    world.event("breach", at("10:00:00"))
    world.event("recovery", at("10:00:10"))
    world.tick_to(at("10:01"))
    assert [item["event"] for item in world.sends()[0]["items"]] == ["breach", "recovery"]


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


def test_a_silence_may_end_early() -> None:
    world = World(stakeholder())
    world.order("silence", at("10:00"), matchers={"severity": ["warning"]}, until=rfc3339(at("20:00")))
    world.event("breach", at("10:10"))
    world.order("unsilence", at("10:20"), silence="silence--1")
    assert len(world.story()) == 1


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


def test_an_ack_keeps_it_from_the_lead() -> None:
    world = World(stakeholder(escalate=(Escalation("lead", unacked_ms=15 * MINUTE_MS),)), stakeholder("lead"))
    world.event("breach", at("10:00"))
    world.order("ack", at("10:05"), dedup_key="pay/a")
    world.tick_to(at("10:30"))
    assert not [each for _, each in world.said if each.topic == "sla.notices.v1"]


def forecast(text: str) -> dict[str, object]:
    return {"breach_at": dict.fromkeys(("p10", "p50", "p90"), rfc3339(at(text))), "p_breach_in_window": 0.9}


def test_too_little_time_left_is_escalated_when_it_comes_to_that() -> None:
    world = World(stakeholder(escalate=(Escalation("lead", left_ppm=250_000),)), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    world.tick_to(at("12:59"))
    assert not [each for _, each in world.said if each.topic == "sla.notices.v1"]
    world.tick_to(at("13:00"))
    assert [instant for instant, each in world.said if each.topic == "sla.notices.v1"] == [at("13:00")]


def test_a_breach_ahead_asks_for_a_plan_whose_answer_is_on_record() -> None:
    world = World(stakeholder(horizon_ms=24 * HOUR_MS, fallback="lead"), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    (question,) = world.sends()[0]["planning"]
    assert (question["answer_by"], question["dedup_key"]) == (rfc3339(at("12:00")), "pay/a")
    said = world.order(
        "reply", at("10:30"), key="ann", stakeholder="ann", dedup_key="pay/a", answer="mitigate", text="ok"
    )
    (reply,) = [each.value for each in said]
    assert (reply["type"], reply["data"]["answer"], reply["data"]["by"]) == (
        "forewarn.planning_reply.v1",
        "mitigate",
        "bob",
    )
    (refusal,) = world.order("reply", at("10:31"), key="ann", stakeholder="ann", dedup_key="pay/a", answer="accept")
    assert refusal.value["type"] == "command_refused"
    world.tick_to(at("12:10"))
    assert not [each for _, each in world.said if each.topic == "sla.notices.v1"]


def test_no_answer_in_time_is_on_record_and_goes_to_the_fallback() -> None:
    world = World(stakeholder(horizon_ms=24 * HOUR_MS, fallback="lead"), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    world.tick_to(at("12:00"))
    reply, notice = [each for instant, each in world.said if instant == at("12:00")]
    assert (reply.topic, reply.value["data"]["answer"]) == ("sla.records.v1", None)
    assert (notice.key, notice.value["escalated"]["why"]) == ("lead", "ann has not said what to do about it")


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


# -- planning

WITHIN_A_DAY = {"horizon_ms": 24 * HOUR_MS, "fallback": "lead"}


def questions(world: World) -> list[tuple[str, str]]:
    """When each was asked, and by when it is to be answered."""
    return [(each["asked_at"][11:16], each["answer_by"][11:16]) for send in world.sends() for each in send["planning"]]


def test_a_question_says_what_is_expected_between_when_how_sure_what_is_at_stake_and_what_can_be_done() -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    between = {"p10": rfc3339(at("13:00")), "p50": rfc3339(at("14:00")), "p90": rfc3339(at("17:00"))}
    gold = {"name": "acme-gold", "type": "sla", "customer": "acme", "credit_at_risk": "1200.00 EUR"}
    world.event(
        "early_warning",
        at("10:00"),
        forecast={"breach_at": between, "p_breach_in_window": 0.97},
        agreements=[gold],
        advice={"actions": ["Look at the change deploy-8812."]},
    )
    (question,) = world.sends()[0]["planning"]
    assert question["question"] == (
        "Expected: a is missed between 2026-11-23T13:00:00.000Z and 2026-11-23T17:00:00.000Z, most likely at "
        "2026-11-23T14:00:00.000Z (probability 97%). "
        "At stake: acme-gold (sla, for acme, 1200.00 EUR at risk). "
        "What can be done: Look at the change deploy-8812. "
        "Please decide by 2026-11-23T12:00:00.000Z for pay/a: accept it, mitigate it, renegotiate the promise, or say "
        "that you need more time (forewarn reply)."
    )


def test_a_breach_expected_beyond_the_horizon_is_asked_about_when_it_comes_within_it() -> None:
    # 10:00 warned of 14:00   | 11:00 the horizon of 3 h reaches it
    world = World(stakeholder(horizon_ms=3 * HOUR_MS))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    world.tick_to(at("12:00"))
    assert questions(world) == [("11:00", "12:30")]
    assert world.story()[1] == "11:00:00 notice Please plan: [warning] Early warning: a (pay)"


def test_what_has_ended_or_happened_or_moved_away_by_then_is_not_asked_about() -> None:
    ended, broken, moved = (World(stakeholder(horizon_ms=3 * HOUR_MS)) for _ in range(3))
    for world in (ended, broken, moved):
        world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    ended.event("recovery", at("10:30"))
    broken.event("breach", at("10:30"), severity="critical")
    moved.event("early_warning", at("10:30"), forecast=forecast("18:00"))
    for world in (ended, broken, moved):
        world.tick_to(at("13:00"))
        assert questions(world) == []


def test_a_question_outlives_a_restart() -> None:
    world = World(stakeholder(horizon_ms=3 * HOUR_MS))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    atoms = world.fold.take_dirty()
    world.fold = world.new_fold()
    world.fold.load(atoms)
    world.tick_to(at("11:30"))
    assert questions(world) == [("11:00", "12:30")]


def test_beyond_what_one_stakeholder_can_plan_for_at_a_time_a_question_is_dropped_on_record() -> None:
    world = World(stakeholder(horizon_ms=24 * HOUR_MS, group_wait_ms=30 * SECOND_MS))
    for number in range(70):
        world.event("early_warning", at("10:00"), f"s{number}/o", forecast=forecast("14:00"))
    world.tick_to(at("10:01"))
    (storm,) = world.sends()
    asked = {question["dedup_key"] for question in storm["planning"]}
    not_asked = {each["dedup_key"] for each in world.deliveries() if "a question to plan" in each["detail"]}
    assert len(asked) > 40
    assert asked.isdisjoint(not_asked)
    assert len(asked | not_asked) == 70


def test_an_expectation_is_told_and_nothing_is_asked() -> None:
    world = World(stakeholder(**WITHIN_A_DAY))
    wish = [{"name": "w", "type": "expectation", "customer": None, "credit_at_risk": None}]
    world.event("early_warning", at("10:00"), agreements=wish, forecast=forecast("14:00"))
    assert (len(world.story()), questions(world)) == (1, [])


def answer(world: World, text: str, name: str, said: str, **more: object) -> list[dict[str, object]]:
    fields = {"stakeholder": "ann", "dedup_key": "pay/a", "answer": said, **more}
    found = world.order("reply", at(text), key="ann", command_id=name, **fields)
    return [dict(each.value) for each in found if each.topic == "sla.records.v1"]


def test_more_time_moves_the_question_and_the_escalation_with_it() -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    (record,) = answer(world, "11:00", "r1", "more_time", until=rfc3339(at("13:00")))
    assert record["data"]["until"] == rfc3339(at("13:00"))  # type: ignore[index]
    world.tick_to(at("13:00"))
    escalated = [instant for instant, each in world.said if each.topic == "sla.notices.v1"]
    assert escalated == [at("13:00")]


def test_the_same_answer_twice_is_one_answer_and_another_is_refused() -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    assert [each["type"] for each in answer(world, "10:30", "r1", "accept")] == ["forewarn.planning_reply.v1"]
    assert answer(world, "10:31", "r1", "accept") == []
    (record,) = answer(world, "10:32", "r2", "mitigate")
    assert (record["type"], record["detail"]) == ("command_refused", "ann is asked nothing about this")


@pytest.mark.parametrize(
    ("given", "done"),
    [
        (["a more_time", "a more_time"], ["planning_reply", ""]),
        (["a more_time", "b more_time", "a more_time"], ["planning_reply", "planning_reply", ""]),
        (["a more_time", "b accept", "a more_time"], ["planning_reply", "planning_reply", ""]),
        (["a accept", "b mitigate", "b mitigate"], ["planning_reply", "command_refused", ""]),
    ],
)
def test_an_answer_that_comes_again_is_none_whatever_came_in_between(given: list[str], done: list[str]) -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    said = [answer(world, f"10:3{place}", *each.split()) for place, each in enumerate(given)]
    types = ["".join(str(record["type"]) for record in records) for records in said]
    assert [each.removeprefix("forewarn.").removesuffix(".v1") for each in types] == done


def test_an_answer_to_an_earlier_question_is_not_taken_for_one_to_the_question_of_now() -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    first = world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    world.event("recovery", at("10:10"))
    second = world.event("early_warning", at("10:20"), forecast=forecast("14:20"))
    (record,) = answer(world, "10:30", "a", "accept", event_id=first)
    why = "it answers an earlier question: another has been asked since"
    assert (record["type"], record["detail"]) == ("command_refused", why)
    (record,) = answer(world, "10:31", "b", "accept", event_id=second)
    assert record["type"] == "forewarn.planning_reply.v1"


def test_a_silence_that_was_ended_does_not_begin_again_by_its_repeat() -> None:
    world = World(stakeholder())
    fields = {"matchers": {"service": ["pay"]}, "until": rfc3339(at("12:00"))}
    (begun,) = world.order("silence", at("09:00"), command_id="s", **fields)
    assert (begun.value["type"], begun.value["id"], begun.value["about"]) == ("command_accepted", "s", "s")
    world.order("unsilence", at("09:10"), command_id="u", silence="s")
    assert world.order("silence", at("09:20"), command_id="s", **fields) == []
    world.event("breach", at("09:30"))
    assert len(world.sends()) == 1


def test_who_was_not_asked_cannot_answer() -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    for who, why in (("lead", "lead is asked nothing about this"), ("eve", "eve is no stakeholder")):
        fields = {"stakeholder": who, "dedup_key": "pay/a", "answer": "accept"}
        (record,) = [each.value for each in world.order("reply", at("10:30"), key=who, **fields)]
        assert (record["type"], record["detail"]) == ("command_refused", why)


def test_a_silence_that_is_not_known_cannot_be_ended() -> None:
    world = World(stakeholder())
    (record,) = [each.value for each in world.order("unsilence", at("10:00"), silence="s9")]
    assert (record["type"], record["detail"]) == ("command_refused", "no such silence is in force")


def test_a_service_whose_name_is_encoded_in_keys_is_the_cause_of_what_stands_on_it() -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    cause = {"type": "dependency", "id": "general%20ledger/x", "at": rfc3339(at("10:00")), "summary": None}
    world.event("breach", at("10:00:00"), "pay/a", causes=[cause])
    world.event("breach", at("10:00:10"), "general%20ledger/x", service="general ledger")
    world.tick_to(at("10:01"))
    (line,) = world.story()
    assert line.startswith("10:00:30 group [warning] 2 events of general ledger: ")


def announced(world: World, text: str, from_text: str, to_text: str) -> None:
    told = {"id": "CHG-7", "from": rfc3339(at(from_text)), "to": rfc3339(at(to_text))}
    world.event("maintenance", at(text), "pay/a/maintenance%3ACHG-7", maintenance=told)


def test_maintenance_that_will_cost_budget_is_asked_about_once_and_ends_by_itself() -> None:
    # 10:00 announced for 14:00 to 16:00; the horizon does not matter
    world = World(stakeholder(horizon_ms=HOUR_MS, repeat_ms=HOUR_MS, fallback="lead"), stakeholder("lead"))
    announced(world, "10:00", "14:00", "16:00")
    announced(world, "10:05", "14:00", "16:00")
    assert questions(world) == [("10:00", "12:00")]
    assert world.sends()[0]["planning"][0]["question"].startswith(
        "Expected: maintenance CHG-7 from 2026-11-23T14:00:00.000Z to 2026-11-23T16:00:00.000Z; a part of it counts "
        "against a. Please decide by"
    )
    world.tick_to(at("17:00"))
    assert len(world.sends()) == 1  # nothing is repeated
    escalated = [each.key for _, each in world.said if each.topic == "sla.notices.v1"]
    assert escalated == ["lead"]  # nobody answered
    assert world.fold.take_dirty()[0].body["troubles"] == []


def test_an_answer_about_maintenance_is_on_record_and_it_pages_nobody() -> None:
    pager = (Channel("console"), Channel("pagerduty", "${KEY}"))
    world = World(stakeholder(channels=pager, **WITHIN_A_DAY), stakeholder("lead"))
    announced(world, "10:00", "14:00", "16:00")
    assert [send["channel"]["kind"] for send in world.sends()] == ["console"]
    fields = {"stakeholder": "ann", "dedup_key": "pay/a/maintenance%3ACHG-7", "answer": "accept"}
    (record,) = [each.value for each in world.order("reply", at("10:30"), key="ann", **fields)]
    assert (record["type"], record["data"]["answer"]) == ("forewarn.planning_reply.v1", "accept")


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


def test_who_has_no_channel_is_not_told_and_that_is_on_record() -> None:
    """Nobody of this name is defined, and the notice brings no channel either."""
    world = World()
    world.event("breach", at("10:00"))
    assert (world.sends(), world.unsent()) == ([], ["10:00:00 dropped"])
    assert world.deliveries()[0]["detail"] == "has no channel to be told by"

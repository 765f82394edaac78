"""Planning: who is asked what and by when, and what becomes of an answer or of none."""

from __future__ import annotations

import pytest

from sla.stakeholder import Channel
from sla.units import HOUR_MS, SECOND_MS, rfc3339

from .world import World, at, forecast, stakeholder


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


def test_what_all_scenarios_expect_at_one_instant_is_not_said_to_lie_between() -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    (question,) = world.sends()[0]["planning"]
    said = "Expected: a is missed most likely at 2026-11-23T14:00:00.000Z (probability 90%)."
    assert question["question"].startswith(said)


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


def test_who_was_not_asked_cannot_answer() -> None:
    world = World(stakeholder(**WITHIN_A_DAY), stakeholder("lead"))
    world.event("early_warning", at("10:00"), forecast=forecast("14:00"))
    for who, why in (("lead", "lead is asked nothing about this"), ("eve", "eve is no stakeholder")):
        fields = {"stakeholder": who, "dedup_key": "pay/a", "answer": "accept"}
        (record,) = [each.value for each in world.order("reply", at("10:30"), key=who, **fields)]
        assert (record["type"], record["detail"]) == ("command_refused", why)


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

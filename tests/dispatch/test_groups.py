"""What is told together: objectives of one service, and what came down a chain of causes."""

from __future__ import annotations

from itertools import permutations

import pytest

from sla.units import SECOND_MS, rfc3339

from .world import World, at, stakeholder


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


def test_a_service_whose_name_is_encoded_in_keys_is_the_cause_of_what_stands_on_it() -> None:
    world = World(stakeholder(group_wait_ms=30 * SECOND_MS))
    cause = {"type": "dependency", "id": "general%20ledger/x", "at": rfc3339(at("10:00")), "summary": None}
    world.event("breach", at("10:00:00"), "pay/a", causes=[cause])
    world.event("breach", at("10:00:10"), "general%20ledger/x", service="general ledger")
    world.tick_to(at("10:01"))
    (line,) = world.story()
    assert line.startswith("10:00:30 group [warning] 2 events of general ledger: ")

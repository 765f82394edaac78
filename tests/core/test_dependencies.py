"""Trouble of a critical dependency is a cause of what follows, and holds its dependants under it while it lasts."""

from __future__ import annotations

from typing import Any

import pytest

from sla.units import MINUTE_MS, rfc3339

from .world import T0, Document, World, document, objective


def services() -> list[Document]:
    """`shop` cannot do without `pay`; `mail` can."""
    return [
        document("Service", "pay", owner="pay-team"),
        document("Service", "shop", owner="shop-team", dependsOn=[{"name": "pay", "critical": True}]),
        document("Service", "mail", owner="mail-team", dependsOn=[{"name": "pay"}]),
    ]


def of_shop() -> Document:
    return objective("sold", service="shop")


def world() -> World:
    """An hour of good traffic of both lies behind."""
    made = World(objective(), of_shop(), *services()).well()
    hour = {"from": rfc3339(T0 - 60 * MINUTE_MS), "to": rfc3339(T0), "good": 600, "bad": 0}
    made.tell(T0 - 500, {"type": "history", "service": "shop", "signal": "ok", **hour}, "shop")
    return made


def trouble(made: World, minute: int, state: str = "breached", key: str = "pay/paid") -> None:
    at = T0 + minute * MINUTE_MS
    body = {"type": "dependency", "service": "shop", "dependency": "pay", "dedup_key": key, "state": state}
    feed = {"source": "forewarn:sla.telemetry.v1/9", "sequence": at}
    made.tell(at, {**body, "at": rfc3339(at), **feed}, "shop")


def shop_breaks(made: World, minute: int) -> dict[str, Any]:
    """From this minute on all is bad; breached 7 minutes later."""
    for each in range(minute, minute + 9):
        at = T0 + each * MINUTE_MS
        made.tell(at, {"type": "counts", "service": "shop", "signal": "ok", "at": at, "good": 0, "bad": 10}, "shop")
        made.tick(at + MINUTE_MS // 2)
    (breach,) = [each for each in made.events("breach") if each["data"]["service"] == "shop"]
    data: dict[str, Any] = breach["data"]
    return data


def test_each_turn_of_a_promise_is_fed_to_the_services_that_cannot_do_without_it() -> None:
    made = world()
    made.minutes(0, 8, 0, 10)
    made.minutes(8, 90, 100, 0)
    fed = [each for each in made.said if each.topic == "sla.telemetry.v1"]
    assert [(each.key, each.value["dedup_key"], each.value["state"]) for each in fed] == [
        ("shop", "pay/paid", "breached"),
        ("shop", "pay/paid", "ok"),
    ]
    assert all(each.value["source"] == "forewarn:sla.telemetry.v1/0" for each in fed)


@pytest.mark.parametrize(("told_at", "is_cause"), [(0, True), (-9, True), (-10, False), (8, False)])
def test_it_is_a_cause_if_it_began_within_15_min_before_the_onset(told_at: int, *, is_cause: bool) -> None:
    # the onset is 10:06
    made = world()
    if told_at < 7:
        trouble(made, told_at)
    data = shop_breaks(made, 0)
    if told_at >= 7:
        trouble(made, told_at + 2)
    expected = [("dependency", "pay/paid", "pay is breached")] if is_cause else []
    assert [(each["type"], each["id"], each["summary"]) for each in data["causes"]] == expected
    assert data["flags"]["suppressed_by"] == ("pay/paid" if is_cause else None)


def test_the_suppression_ends_with_the_trouble_it_came_from() -> None:
    made = world()
    trouble(made, 0)
    shop_breaks(made, 1)
    trouble(made, 12, "ok")
    (change,) = made.events("flags_changed")
    assert change["data"]["reason"]["rule"] == "unsuppressed"
    assert change["data"]["flags"]["suppressed_by"] is None
    assert [each["id"] for each in change["data"]["causes"]] == ["pay/paid"]


def test_what_was_told_before_a_restart_is_still_a_cause() -> None:
    made = world()
    trouble(made, 0)
    atoms = made.fold.take_dirty()
    again = World(objective(), of_shop(), *services())
    again.fold.load(atoms)
    again.offset = made.offset
    assert [each["id"] for each in shop_breaks(again, 1)["causes"]] == ["pay/paid"]


def test_a_record_that_does_not_say_what_it_should_concerns_nobody() -> None:
    made = world()
    made.tell(T0, {"type": "dependency", "service": "shop"}, "shop")
    assert shop_breaks(made, 1)["causes"] == []
    assert not [each for each in made.said if each.topic == "sla.dlq.v1"]

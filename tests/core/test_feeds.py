"""What one partition writes for another: each record has its place, whoever computes it."""

from __future__ import annotations

import pytest

from sla import feeds
from sla.feeds import PLACES, FeedOverflowError
from sla.units import MINUTE_MS

from .world import T0, World, objective, stakeholder


def broken_twice() -> World:
    """Two signals of one service, beyond their budgets of 60 (10 a minute, 90 %) at 10:07, each told to two people."""
    other = {"type": "ratio", "signal": "again"}
    world = World(
        objective("z-first"),
        objective("a-second", indicator=other),
        stakeholder("ann", services=["pay"]),
        stakeholder("bob", services=["pay"]),
    )
    for minute in range(7):
        world.counts(T0 + minute * MINUTE_MS, 0, 10)
        world.counts(T0 + minute * MINUTE_MS, 0, 10, signal="again")
    return world


def test_a_feed_is_numbered_by_offset_and_place_in_the_order_in_which_it_leaves() -> None:
    world = broken_twice()
    notices = [dict(each.value) for each in world.tick(T0 + 7 * MINUTE_MS) if each.topic == "sla.notices.v1"]
    assert [(each["stakeholder"], each["event"]["data"]["objective"]["name"]) for each in notices] == [
        ("ann", "a-second"),  # sorts before z-first, though its signal was heard second
        ("bob", "a-second"),
        ("ann", "z-first"),
        ("bob", "z-first"),
    ]
    assert [each["sequence"] for each in notices] == [world.offset * PLACES + place for place in range(4)]
    assert {each["source"] for each in notices} == {"forewarn:sla.telemetry.v1/0"}


def test_more_feeds_than_places_end_the_worker_and_never_wrap(core_patch: pytest.MonkeyPatch) -> None:
    world = broken_twice()
    core_patch.setattr(feeds, "PLACES", 3)
    with pytest.raises(FeedOverflowError):
        world.tick(T0 + 7 * MINUTE_MS)

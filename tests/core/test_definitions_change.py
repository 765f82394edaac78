"""What a new revision does to promises in force: what stays, what ends, and what never starts anew."""

from __future__ import annotations

from typing import Any

from sla.detect.codec import stream_of
from sla.units import MINUTE_MS

from .world import T0, World, agreement, catalogue_of, marker, objective, renamed

OTHER = objective("other")


def breached_then(*revisions: list[dict[str, Any]], before: list[dict[str, Any]] | None = None) -> World:
    """10 bad a minute from 10:00, breached at 10:07; each revision follows a minute after the one before, at 10:09."""
    catalogues = [catalogue_of(documents, 10 + n, 2 + n) for n, documents in enumerate(revisions)]
    world = World(*(before or [objective(), OTHER]), revisions=catalogues)
    world.minutes(0, 9, 0, 10)
    for n, catalogue in enumerate(catalogues):
        world.tell(T0 + (9 + n) * MINUTE_MS, marker(catalogue), None)
        world.minutes(9 + n, 10 + n, 0, 10)
    return world


def of_key(world: World, key: str) -> list[tuple[str, str, int, int]]:
    return [
        (e["type"].split(".")[1], e["data"]["reason"]["rule"], e["data"]["sequence"], e["data"]["episode"])
        for e in world.events()
        if e["data"]["dedup_key"] == key
    ]


def test_a_removed_objective_ends_its_episode_and_says_no_more() -> None:
    world = breached_then([OTHER])
    assert of_key(world, "pay/paid") == [("breach", "budget_spent", 1, 1), ("recovery", "retired", 2, 1)]
    assert of_key(world, "pay/other") == [("breach", "budget_spent", 1, 1)]


def test_an_objective_that_comes_back_goes_on_counting_its_events_and_episodes() -> None:
    world = breached_then([OTHER], [objective(), OTHER])
    assert of_key(world, "pay/paid")[1:] == [("recovery", "retired", 2, 1), ("breach", "budget_spent", 3, 2)]


def test_a_renamed_objective_keeps_its_key_its_state_and_its_window() -> None:
    world = breached_then([renamed("paid", objective("settled")), OTHER])
    assert of_key(world, "pay/paid") == [("breach", "budget_spent", 1, 1)]
    world.minutes(10, 140, 100, 0)
    (_, recovery) = [e for e in world.events() if e["data"]["dedup_key"] == "pay/paid"]
    assert recovery["data"]["objective"]["name"] == "settled"
    assert (recovery["data"]["sequence"], recovery["data"]["episode"]) == (2, 1)


def test_a_renamed_objective_has_its_first_key_after_a_restart_too() -> None:
    documents = [renamed("paid", objective("settled")), OTHER]
    (head,) = [a for a in breached_then(documents).fold.take_dirty() if a.key.startswith("stream/")]
    again = stream_of(head, catalogue_of(documents, 10, 2), [])
    assert {name: track.key for name, track in again.tracks.items()} == {"settled": "pay/paid", "other": "pay/other"}


def test_an_objective_moved_to_another_signal_ends_there_and_goes_on_counting_here() -> None:
    again = {"type": "ratio", "signal": "again"}
    moved = catalogue_of([objective(indicator=again), objective("other", indicator=again)], 10, 2)
    first = [objective(), objective("other", indicator=again)]
    world = World(*first, revisions=[moved])
    for minute in range(9):
        # `again` is heard first, so that its stream is the first to follow
        world.counts(T0 + minute * MINUTE_MS, 10, 0, signal="again")
        world.counts(T0 + minute * MINUTE_MS, 0, 10)
    world.tell(T0 + 9 * MINUTE_MS, marker(moved), None)
    for minute in range(9, 40):
        world.counts(T0 + minute * MINUTE_MS, 0, 10, signal="again")
    assert of_key(world, "pay/paid") == [
        ("breach", "budget_spent", 1, 1),
        ("recovery", "retired", 2, 1),
        ("breach", "budget_spent", 3, 2),
    ]


def test_an_episode_of_a_promise_that_goes_into_shadow_ends_where_it_was_told() -> None:
    world = breached_then([objective(mode="shadow"), OTHER], [objective(), OTHER])
    assert of_key(world, "pay/paid") == [
        ("breach", "budget_spent", 1, 1),
        ("recovery", "retired", 2, 1),
        ("breach", "budget_spent", 3, 3),
    ]
    shadow = world.events(topic="sla.alerts.shadow.v1")
    assert [(e["type"].split(".")[1], e["data"]["sequence"], e["data"]["episode"]) for e in shadow] == [
        ("breach", 1, 2),
        ("recovery", 2, 2),
    ]


def test_an_agreement_that_comes_back_does_not_close_the_periods_in_which_it_was_gone() -> None:
    deal = agreement("gold", "paid", period={"calendar": "day", "timezone": "UTC"})
    first = [objective(), OTHER, deal]
    revisions = [catalogue_of([OTHER], 10, 2), catalogue_of(first, 11, 3)]
    world = World(*first, revisions=revisions)
    world.minutes(0, 3, 10, 0)
    day = 24 * 60
    world.tell(T0 + 4 * MINUTE_MS, marker(revisions[0]), None)
    world.idle(5, 7)
    world.tick(T0 + 3 * day * MINUTE_MS)
    world.tell(T0 + 3 * day * MINUTE_MS, marker(revisions[1]), None)
    world.minutes(3 * day + 1, 3 * day + 3, 10, 0)
    world.tick(T0 + 4 * day * MINUTE_MS)
    closed = [event["data"]["period"]["from"][:10] for event in world.events("period_closed")]
    assert closed == ["2026-11-26"]


def test_a_revision_that_is_not_newer_changes_nothing_and_an_unknown_one_is_a_dead_letter() -> None:
    later = catalogue_of([OTHER], 10, 2)
    world = World(objective(), OTHER, revisions=[later])
    world.counts(T0, 10, 0)
    unknown = world.tell(T0 + 1, {"type": "catalogue", "revision": 9, "sha256": "0" * 64}, None)
    assert [each.value["reason"] for each in unknown] == ["unknown_revision"]
    assert world.fold.revision == 0
    world.tell(T0 + 2, marker(later), None)
    assert world.tell(T0 + 3, {"type": "catalogue", "revision": 9, "sha256": "0" * 64}, None) == []
    assert world.fold.revision == 10

"""Silence is measured in the time that counts: what was no data follows the exclusions and the records known now."""

from __future__ import annotations

from typing import Any

from sla.units import MINUTE_MS, SECOND_MS

from .world import T0, World, objective

UP = {"type": "uptime", "signal": "up"}
SILENT: dict[str, Any] = {"noData": {"after": "5m", "treat": "unknown"}}


def at(minute: float) -> int:
    return T0 + int(minute * MINUTE_MS)


def budget(world: World) -> dict[str, int]:
    found: dict[str, int] = world.events(topic="sla.status.v1")[-1]["data"]["budget"]
    return found


def state(world: World, minute: float, *, up: bool, told_at: float | None = None) -> None:
    body = {"type": "state", "service": "pay", "signal": "up", "at": at(minute), "up": up}
    world.tell(at(minute if told_at is None else told_at), body)


def test_a_past_silence_begins_later_once_part_of_it_is_excluded() -> None:
    world = World(objective(**SILENT))
    world.minutes(0, 5, 10, 0)  # the newest at 10:04; no data from 10:09 to 10:30
    world.idle(5, 30)
    world.minutes(30, 32, 10, 0)
    world.tick(at(32))
    # 70 were seen in 9 and 2 minutes of the hour; a tenth of what a whole hour brings is allowed.
    assert budget(world)["allowed_count"] == 70 * 60 // 11 // 10
    world.exclusion(at(32), "CHG-1", at(5), at(10))
    world.tick(at(33))
    # Counted are now 10:00 to 10:05, 10:10 to 10:14, where four more minutes pass until it is silence, and 3 after.
    assert budget(world)["allowed_count"] == 70 * 60 // 12 // 10
    world.exclusion(at(33), "CHG-1", at(5), at(10), status="revoked")
    world.tick(at(34))
    assert budget(world)["allowed_count"] == 70 * 60 // 13 // 10


def test_an_exclusion_that_covers_the_present_silence_ends_it() -> None:
    world = World(objective(**SILENT))
    world.minutes(0, 1, 10, 0)
    world.idle(1, 10)
    assert world.story() == [("10:05", "unknown", "no_data")]
    world.exclusion(at(10), "CHG-1", at(1), at(20))
    world.tick(at(11))
    assert world.story()[1:] == [("10:11", "recovery", "data_again")]
    world.idle(12, 25)  # the minute before and four minutes after make five
    assert world.story()[2:] == [("10:24", "unknown", "no_data")]


def test_a_silence_that_a_revoked_exclusion_had_hidden_is_told_by_the_next_decision() -> None:
    world = World(objective(**SILENT))
    world.minutes(0, 1, 10, 0)
    world.exclusion(at(1), "CHG-1", at(1), at(60))
    world.idle(2, 20)
    assert world.story() == []
    world.exclusion(at(20), "CHG-1", at(1), at(60), status="revoked")
    world.tick(at(20) + 30 * SECOND_MS)
    assert world.story() == [("10:20:30", "unknown", "no_data")]
    assert world.events()[0]["data"]["flags"]["no_data"] is True


def test_a_breach_in_which_data_was_lost_behind_a_revoked_exclusion_is_flagged() -> None:
    world = World(objective(**SILENT))
    world.minutes(0, 8, 0, 10)
    assert world.story() == [("10:06:30", "breach", "budget_spent")]
    world.exclusion(at(8), "CHG-1", at(9), at(60))
    world.idle(9, 20)
    world.exclusion(at(20), "CHG-1", at(9), at(60), status="revoked")
    world.tick(at(21))
    world.tick(at(22))
    assert world.story()[1:] == [("10:21", "flags_changed", "no_data")]


def test_a_late_record_shortens_the_silence_it_lies_in() -> None:
    world = World(objective(**SILENT, grace="30m"))
    world.minutes(0, 5, 10, 0)
    world.idle(5, 30)
    world.minutes(30, 31, 10, 0)
    world.counts(at(31), 10, 0, happened_at=at(20))
    world.tick(at(32))
    # 10:00 to 10:09, 10:20 to 10:25 and 10:30 to 10:32 were watched.
    assert budget(world)["allowed_count"] == 70 * 60 // 16 // 10


def test_a_record_that_is_itself_old_moves_the_silence_and_does_not_end_it() -> None:
    world = World(objective(**SILENT, grace="30m"))
    world.minutes(0, 1, 10, 0)
    world.idle(1, 20)
    world.counts(at(20), 10, 0, happened_at=at(10))
    world.tick(at(21))
    assert world.story() == [("10:05", "unknown", "no_data")]
    assert budget(world)["allowed_count"] == 20 * 60 // 10 // 10  # 10:00 to 10:05 and 10:10 to 10:15


def test_uptime_is_known_for_longer_where_an_exclusion_stops_the_clock_of_silence() -> None:
    world = World(objective(indicator=UP, **SILENT))
    state(world, 0, up=True)
    world.idle(1, 30)
    state(world, 30, up=True)
    world.tick(at(31))
    reason = world.events(topic="sla.status.v1")[-1]["data"]["reason"]
    assert reason["total_count"] == 6 * MINUTE_MS
    world.exclusion(at(31), "CHG-1", at(2), at(20))
    world.tick(at(32))
    # Two minutes before the exclusion, three after it, two since the second record.
    assert world.events(topic="sla.status.v1")[-1]["data"]["reason"]["total_count"] == 7 * MINUTE_MS
    world.exclusion(at(32), "CHG-1", at(2), at(20), status="revoked")
    world.tick(at(33))
    assert world.events(topic="sla.status.v1")[-1]["data"]["reason"]["total_count"] == 8 * MINUTE_MS


def test_the_slice_of_a_single_state_is_judged_without_another_record() -> None:
    world = World(objective(indicator=UP, budgeting={"timeslices": "1m"}, target="99%", grace="0s"))
    state(world, 0.5, up=False)
    world.tick(at(0.75))
    world.tick(at(1))
    assert world.story() == [("10:01", "breach", "budget_spent")]
    assert world.events()[0]["data"]["evaluated_at"] == "2026-11-23T10:01:00.000Z"


def test_a_correction_supersedes_what_was_said_before_and_not_what_is_said_beside_it() -> None:
    world = World(objective(grace="0s", correctFor="1h")).well()
    world.minutes(0, 20, 10, 0)
    world.counts(at(20), 0, 100, happened_at=at(10))
    world.tick(at(20) + SECOND_MS)
    assert [name for _, name, _ in world.story()] == ["breach", "correction"]
    correction = world.events("correction")[0]["data"]
    assert (correction["before"]["state"], correction["supersedes"]) == ("ok", None)

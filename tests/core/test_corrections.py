"""What was published and is no longer true: late data, exclusions and their revocation, periods that were closed."""

from __future__ import annotations

from sla.units import HOUR_MS, MINUTE_MS, SECOND_MS

from .world import T0, World, agreement, objective, told

DAY = {"calendar": "day", "timezone": "UTC"}
MIDNIGHT = T0 + 14 * HOUR_MS


def broken() -> World:
    """60 bad are allowed at 10 a minute; breached at 10:06:30, all bad until 10:09."""
    world = World(objective(grace="0s", correctFor="1h"), agreement("gold", "paid", period=DAY))
    world.minutes(0, 9, 0, 10)
    assert world.story() == [("10:06:30", "breach", "budget_spent")]
    return world


def test_an_exclusion_that_undoes_a_breach_corrects_it_and_then_it_recovers() -> None:
    world = broken()
    breach = world.events("breach")[0]
    world.exclusion(T0 + 10 * MINUTE_MS, "CHG-1", T0, T0 + 5 * MINUTE_MS)
    assert world.story()[1:] == [("10:10", "correction", "exclusion"), ("10:10", "recovery", "cleared")]
    correction, recovery = world.events()[1:]
    assert correction["data"]["supersedes"] == breach["id"]
    assert correction["data"]["before"]["state"] == "breached"
    assert correction["data"]["after"]["state"] == "ok"
    assert [each["id"] for each in correction["data"]["exclusions"]] == ["CHG-1"]
    assert recovery["data"]["sequence"] == correction["data"]["sequence"] + 1


def test_a_revoked_exclusion_gives_back_exactly_what_it_took() -> None:
    world = broken()
    before = world.events(topic="sla.status.v1")[-1]["data"]["budget"]
    world.exclusion(T0 + 10 * MINUTE_MS, "CHG-1", T0, T0 + 5 * MINUTE_MS)
    world.exclusion(T0 + 10 * MINUTE_MS + SECOND_MS, "CHG-1", T0, T0 + 5 * MINUTE_MS, status="revoked")
    world.tick(T0 + 10 * MINUTE_MS + 2 * SECOND_MS)
    again = world.events("breach")[-1]
    assert world.story()[-1] == ("10:10:02", "breach", "budget_spent")
    assert again["data"]["budget"]["consumed_count"] == 90
    assert before["consumed_count"] <= 90
    assert again["data"]["episode"] == 2


def test_an_exclusion_is_no_reason_for_a_breach_that_silence_alone_keeps() -> None:
    world = World(objective(grace="0s", correctFor="1h", noData={"after": "5m", "treat": "unknown"}))
    world.minutes(0, 9, 0, 10)
    world.idle(9, 80)  # all that was bad has left the window
    world.exclusion(T0 + 80 * MINUTE_MS, "CHG-1", T0 + 70 * MINUTE_MS, T0 + 75 * MINUTE_MS)
    assert [name for _, name, _ in world.story()] == ["breach", "flags_changed"]


def test_that_there_is_data_again_is_for_the_next_decision_to_say_whatever_an_exclusion_undoes() -> None:
    world = World(objective(grace="0s", noData={"after": "5m", "treat": "unknown"}))
    world.minutes(0, 9, 0, 10)
    world.idle(9, 16)
    at = T0 + 16 * MINUTE_MS
    world.counts(at, 10, 0)
    world.exclusion(at + SECOND_MS // 2, "CHG-1", T0, T0 + 9 * MINUTE_MS)
    world.tick(at + SECOND_MS)
    assert [each[:2] for each in world.story()[2:]] == [
        ("10:16:00", "correction"),
        ("10:16:01", "flags_changed"),
        ("10:16:01", "recovery"),
    ]
    assert [each["data"]["flags"]["no_data"] for each in world.events()[1:]] == [True, True, False, False]


def test_an_exclusion_that_was_only_requested_changes_nothing() -> None:
    world = broken()
    for status in ("requested", "rejected"):
        world.exclusion(T0 + 10 * MINUTE_MS, "CHG-1", T0, T0 + 5 * MINUTE_MS, status=status)
    world.tick(T0 + 11 * MINUTE_MS)
    assert len(world.events()) == 1


def test_late_data_that_would_have_changed_a_published_state_is_one_correction_a_minute() -> None:
    world = World(objective(grace="0s", correctFor="1h")).well()
    world.minutes(0, 30, 10, 0)
    at = T0 + 30 * MINUTE_MS
    for second in (1, 2, 3):
        world.counts(at + second * SECOND_MS, 0, 40, happened_at=T0 + 10 * MINUTE_MS)
    world.tick(at + 4 * SECOND_MS)
    world.idle(31, 33)
    assert [each for each in world.story() if each[1] == "breach"] == [("10:30:03", "breach", "budget_spent")]
    corrections = world.events("correction")
    assert [told(each)[2] for each in corrections] == ["late_data"]
    assert corrections[0]["data"]["before"]["state"] == "ok"
    assert corrections[0]["data"]["after"]["state"] == "breached"
    late = [each.value for each in world.said if each.topic == "sla.late.v1"]
    assert [each["counted"] for each in late] == [True] * 3
    assert late[0]["late_ms"] == 20 * MINUTE_MS + SECOND_MS


def test_later_than_correct_for_is_kept_and_does_not_count() -> None:
    world = World(objective(grace="0s", correctFor="20m")).well()
    world.minutes(0, 30, 10, 0)
    for ms in (20 * MINUTE_MS, 20 * MINUTE_MS + 1):
        world.counts(T0 + 30 * MINUTE_MS, 0, 9, happened_at=T0 + 30 * MINUTE_MS - ms)
    late = [(each.value["late_ms"], each.value["counted"]) for each in world.said if each.topic == "sla.late.v1"]
    assert late == [(20 * MINUTE_MS, True), (20 * MINUTE_MS + 1, False)]
    world.tick(T0 + 31 * MINUTE_MS)
    assert world.events(topic="sla.status.v1")[-1]["data"]["budget"]["consumed_count"] == 9


def closed_at_midnight(**spec: object) -> World:
    """Ten good ones a minute for the last half hour of the day; closed at midnight + grace."""
    world = World(
        objective(grace="1m", correctFor="3h", window={"rolling": "4h"}),
        agreement("gold", "paid", period=DAY, **spec),
        gap_ms=HOUR_MS,
    )
    start = 13 * 60 + 30
    world.minutes(start, start + 20, 10, 0)
    world.minutes(start + 20, start + 30, 5, 5)
    world.idle(14 * 60, 14 * 60 + 3)
    return world


def test_a_period_is_closed_at_its_end_and_grace_from_the_agreements_own_account() -> None:
    (closed,) = closed_at_midnight().events("period_closed")
    assert closed["data"]["dedup_key"] == "gold/pay/paid/2026-11-23"
    assert closed["time"] == "2026-11-24T00:00:00.000Z"
    assert closed["data"]["evaluated_at"] == "2026-11-24T00:01:00.000Z"
    assert closed["data"]["sequence"] == 1
    period = closed["data"]["period"]
    assert (period["attained_ppm"], period["met"], period["excluded_ms"]) == (833_333, False, 0)
    assert [each["name"] for each in closed["data"]["agreements"]] == ["gold"]


def test_a_period_is_closed_whatever_its_agreement_and_objective_are_called() -> None:
    world = World(objective("paid/eu %"), agreement("gold/eu", "paid/eu %", period=DAY), gap_ms=HOUR_MS)
    world.minutes(14 * 60 - 1, 14 * 60, 10, 0)
    world.idle(14 * 60, 14 * 60 + 4)
    assert [each["data"]["dedup_key"] for each in world.events("period_closed")] == [
        "gold%2Feu/pay/paid%2Feu%20%25/2026-11-23"
    ]


def test_late_data_corrects_a_closed_period_in_its_own_sequence() -> None:
    world = closed_at_midnight()
    closed = world.events("period_closed")[0]
    world.counts(MIDNIGHT + 10 * MINUTE_MS, 1000, 0, happened_at=MIDNIGHT - MINUTE_MS)
    world.tick(MIDNIGHT + 11 * MINUTE_MS)
    (correction,) = [each for each in world.events("correction") if each["data"]["dedup_key"].startswith("gold/")]
    assert correction["data"]["supersedes"] == closed["id"]
    assert correction["data"]["sequence"] == 2
    assert (correction["data"]["before"]["met"], correction["data"]["after"]["met"]) == (False, True)
    assert correction["data"]["period"] == correction["data"]["after"]


def test_planned_time_beyond_the_allowance_counts_in_the_closed_period() -> None:
    # allowance 5m: of 23:50 to 24:00, all bad by half, the first five minutes are left out
    world = World(
        objective(grace="1m", window={"rolling": "4h"}),
        agreement("gold", "paid", period=DAY, maintenanceAllowance="5m"),
        agreement("silver", "paid", period=DAY),
        gap_ms=HOUR_MS,
    )
    start = 13 * 60 + 30
    world.exclusion(T0 + (start - 1) * MINUTE_MS, "CHG-1", MIDNIGHT - 10 * MINUTE_MS, MIDNIGHT)
    world.minutes(start, start + 20, 10, 0)
    world.minutes(start + 20, start + 30, 5, 5)
    world.idle(14 * 60, 14 * 60 + 3)
    periods = {event["data"]["dedup_key"].split("/")[0]: event["data"]["period"] for event in world.events()}
    assert (periods["gold"]["attained_ppm"], periods["gold"]["excluded_ms"]) == (900_000, 5 * MINUTE_MS)
    assert (periods["silver"]["attained_ppm"], periods["silver"]["excluded_ms"]) == (1_000_000, 10 * MINUTE_MS)


def test_planned_time_uses_up_the_allowance_of_each_period_that_it_touches() -> None:
    # Work from 23:00 to 01:00 over midnight; 7m of it are left out of each day. At 00:08 all is bad, and that counts.
    world = World(
        objective(grace="1m", window={"rolling": "4h"}),
        agreement("gold", "paid", period=DAY, maintenanceAllowance="7m"),
        gap_ms=HOUR_MS,
    )
    world.exclusion(T0, "CHG-1", MIDNIGHT - HOUR_MS, MIDNIGHT + HOUR_MS)
    start = 14 * 60
    world.minutes(start - 1, start, 10, 0)
    for minute in range(60):
        is_bad = minute == 8
        world.minutes(start + minute, start + minute + 1, 0 if is_bad else 10, 10 if is_bad else 0)
    for half_hour in range(2, 2 * 24 + 1):
        world.tick(MIDNIGHT + half_hour * HOUR_MS // 2)
    world.tick(MIDNIGHT + 24 * HOUR_MS + 2 * MINUTE_MS)
    period = world.events("period_closed")[-1]["data"]
    assert period["dedup_key"] == "gold/pay/paid/2026-11-24"
    assert period["period"]["excluded_ms"] == 7 * MINUTE_MS
    assert (period["reason"]["bad_count"], period["reason"]["total_count"]) == (10, 530)


def test_an_exclusion_is_taken_back_to_nothing_by_ending_where_it_begins() -> None:
    world = broken()
    world.exclusion(T0 + 10 * MINUTE_MS, "CHG-1", T0, T0 + 5 * MINUTE_MS)
    world.exclusion(T0 + 10 * MINUTE_MS + SECOND_MS, "CHG-1", T0, T0)
    world.tick(T0 + 10 * MINUTE_MS + 2 * SECOND_MS)
    again = world.events("breach")[-1]["data"]
    assert (again["budget"]["consumed_count"], again["exclusions"]) == (90, [])


def test_uptime_up_to_the_periods_end_is_in_its_account_although_no_grace_is_given() -> None:
    promise = objective(
        indicator={"type": "uptime", "signal": "up"}, grace="0s", window={"rolling": "4h"}, noData="none"
    )
    world = World(promise, agreement("gold", "paid", period=DAY), gap_ms=HOUR_MS)
    begin = MIDNIGHT - 10 * MINUTE_MS
    world.tell(begin, {"type": "state", "service": "pay", "signal": "up", "at": begin, "up": True})
    down = MIDNIGHT - 40 * SECOND_MS
    world.tell(down, {"type": "state", "service": "pay", "signal": "up", "at": down, "up": False})
    world.tick(MIDNIGHT - 30 * SECOND_MS)
    world.tick(MIDNIGHT + 30 * SECOND_MS)
    (closed,) = world.events("period_closed")
    assert (closed["data"]["reason"]["bad_count"], closed["data"]["reason"]["total_count"]) == (40_000, 600_000)

"""Promises whose calendar's hours alone count: on a Monday open from 10:00 to 10:30 and from 11:00 to 12:00, UTC."""

from __future__ import annotations

from typing import Any, Final

from sla.units import MINUTE_MS, SECOND_MS

from .world import QUIET, T0, World, agreement, catalogue_of, document, marker, objective

OFFICE: Final = document("Calendar", "office", hours={"mon": ["10:00-10:30", "11:00-12:00"]})
TIER: Final = {"name": "page", "severity": "critical", "budget": "100%", "long": "20m", "short": "5m"}
DAY: Final = {"calendar": "day", "timezone": "UTC"}


def world(*more: dict[str, Any], **spec: Any) -> World:
    return World(objective(calendar="office", **spec), OFFICE, *more)


def at(minute: float) -> int:
    return T0 + int(minute * MINUTE_MS)


def budget(told: World) -> dict[str, Any]:
    found: dict[str, Any] = told.events(topic="sla.status.v1")[-1]["data"]["budget"]
    return found


def test_what_happens_outside_of_the_hours_does_not_count() -> None:
    told = world()
    told.minutes(0, 30, 10, 0)
    told.counts(at(30) - 1, 0, 1)  # the last millisecond is one of them, the next is not
    told.minutes(30, 60, 0, 10)
    told.minutes(60, 62, 10, 0)
    assert told.story() == []
    assert budget(told)["consumed_count"] == 1


def test_a_window_reaches_back_over_the_time_between_and_stands_still_in_it() -> None:
    # 10:00           10:26  10:30      11:00   11:04
    # [good-----------)[bad--)[ closed  )[good-------
    told = world(warnings={**QUIET, "burnRates": [{**TIER, "budget": "20%"}]}, window={"rolling": "2h"})
    told.minutes(0, 26, 10, 0)
    told.minutes(26, 30, 0, 10)
    told.minutes(30, 60, 10, 0)  # does not count
    told.minutes(60, 75, 10, 0)
    # The last five minutes that count are free of it when those of 11:00 to 11:05 are over.
    assert told.story() == [("10:29:30", "early_warning", "burn_rate"), ("11:05", "recovery", "cleared")]


def test_a_tier_warms_in_time_that_counts() -> None:
    told = world(warnings={**QUIET, "burnRates": [{**TIER, "budget": "60%"}]}, window={"rolling": "2h"})
    told.minutes(25, 80, 5, 5)
    warned = told.events("early_warning")
    assert [event["time"][11:16] for event in warned] == ["11:15"]
    assert warned[0]["data"]["confidence"] == {"level": "full", "coverage": 1.0}


def test_silence_runs_in_time_that_counts() -> None:
    told = world(noData={"after": "5m", "treat": "unknown"})
    told.minutes(0, 29, 10, 0)  # the newest at 10:28, two minutes before it closes
    told.idle(29, 70)
    assert told.story() == [("11:03", "unknown", "no_data")]


def test_a_periods_traffic_is_extrapolated_over_its_hours() -> None:
    told = world(window=DAY)
    told.minutes(0, 10, 10, 0)
    told.tick(at(10))
    # 100 in ten of the day's ninety minutes are 900, of which a tenth may fail.
    assert budget(told)["allowed_count"] == 90


def test_slices_outside_of_the_hours_are_none() -> None:
    told = world(window=DAY, budgeting={"timeslices": "1m", "sliceTarget": "50%"}, grace="1s")
    told.minutes(0, 4, 0, 10)
    told.minutes(30, 60, 0, 10)
    told.minutes(60, 62, 0, 10)
    told.tick(at(63))
    assert budget(told) == {"allowed_count": 9, "consumed_count": 6, "remaining_ratio": 0.3333}


def test_slices_have_no_verdict_before_any_time_has_counted() -> None:
    told = world(window=DAY, budgeting={"timeslices": "1m", "sliceTarget": "50%"}, grace="1s")
    told.minutes(31, 59, 10, 0)
    assert told.events(topic="sla.status.v1")[-1]["data"]["state"] == "unknown"
    told.minutes(60, 62, 10, 0)
    assert told.events(topic="sla.status.v1")[-1]["data"]["state"] == "ok"


def world_where_silence_is_bad() -> World:
    slices = {"timeslices": "1m", "sliceTarget": "50%"}
    return world(window=DAY, budgeting=slices, noData={"after": "2m", "treat": "bad"}, grace="1s")


def test_slices_are_judged_in_time_also_where_all_records_lay_outside_of_the_hours() -> None:
    told = world_where_silence_is_bad()
    told.minutes(31, 33, 10, 0)
    told.idle(33, 66)
    # No data from 11:02 on: two slices were judged by 11:05.
    assert budget(told)["consumed_count"] == 2


def test_a_slice_that_is_open_in_part_is_judged_by_that_part() -> None:
    told = World(
        objective(calendar="office", window=DAY, budgeting={"timeslices": "1h", "sliceTarget": "50%"}, grace="1s"),
        document("Calendar", "office", hours={"mon": ["10:30-10:40", "10:50-11:20", "13:10-13:20"]}),
    )
    told.minutes(0, 30, 0, 100)
    told.minutes(30, 40, 10, 0)
    told.minutes(40, 50, 0, 100)
    told.minutes(50, 80, 10, 0)
    told.minutes(80, 121, 0, 100)
    # Of the slices of 10, 11 and 13 h, three in all, a tenth is none; the two that are over were good.
    assert budget(told) == {"allowed_count": 0, "consumed_count": 0, "remaining_ratio": None}


def test_silence_is_bad_in_the_hours_alone() -> None:
    told = world_where_silence_is_bad()
    told.minutes(0, 26, 10, 0)
    told.idle(26, 66)
    # No data from 10:27 on: three slices before it closes, and four from 11:00 on that were judged by 11:05.
    assert budget(told)["consumed_count"] == 3 + 4


def test_time_down_counts_while_it_is_open() -> None:
    told = world(indicator={"type": "uptime", "signal": "ok"}, window=DAY, noData="none")
    for minute, up in ((0, True), (25, False), (65, True)):
        told.tell(at(minute), {"type": "state", "service": "pay", "signal": "ok", "at": at(minute), "up": up})
        told.idle(minute, minute + 1)
    told.tick(at(70))
    assert budget(told) == {
        "allowed_count": 9 * MINUTE_MS,
        "consumed_count": 10 * MINUTE_MS,
        "remaining_ratio": -0.1111,
    }


def test_history_counts_in_the_hours_alone() -> None:
    told = world(window=DAY)
    told.history(at(0) - SECOND_MS, 60, 10, 0)
    told.minutes(0, 1, 10, 0)
    told.tick(at(1))
    assert budget(told)["allowed_count"] == 90


def test_a_period_is_closed_by_the_account_of_its_hours() -> None:
    told = world(agreement("gold", "paid", period=DAY), grace="1s")
    told.exclusion(at(0), "CHG-1", at(25), at(35))
    told.minutes(0, 60, 9, 1)
    told.minutes(60, 61, 10, 0)
    told.tick(at(14 * 60 + 1))
    (closed,) = told.events("period_closed")
    assert closed["data"]["period"]["excluded_ms"] == 5 * MINUTE_MS
    assert closed["data"]["period"]["attained_ppm"] == (25 * 9 + 10) * 1_000_000 // 260


def test_a_breach_is_expected_at_a_time_that_counts() -> None:
    told = world(
        warnings={**QUIET, "forecast": {"within": "2h", "probability": "50%"}},
        window={"calendar": "week"},
    )
    told.minutes(0, 30, 10, 0)
    told.idle(30, 60)
    told.minutes(60, 90, 10, 0)
    told.minutes(90, 115, 5, 5)
    warned = told.events("early_warning")[0]
    assert warned["data"]["reason"]["rule"] == "forecast"
    # The week's hours are over at noon: what is expected lies before.
    assert warned["time"] < warned["data"]["forecast"]["breach_at"]["p50"] <= "2026-11-23T12:00:00.000Z"


def test_a_records_copy_of_another_calendar_is_counted_apart() -> None:
    told = World(
        objective("always"),
        objective("office", calendar="office"),
        objective("night", calendar="night"),
        OFFICE,
        document("Calendar", "night", hours={"mon": ["10:30-11:00"]}),
    )
    told.minutes(0, 35, 9, 1)
    told.tick(at(35))
    last = {each["data"]["objective"]["name"]: each["data"]["budget"] for each in told.events(topic="sla.status.v1")}
    assert {name: view["consumed_count"] for name, view in last.items()} == {"always": 35, "office": 30, "night": 5}


def test_other_hours_hold_from_their_revision_on() -> None:
    promise = objective(calendar="office")
    later = catalogue_of([promise, document("Calendar", "office", hours={"mon": ["10:00-10:10", "10:40-12:00"]})], 5)
    told = World(promise, OFFICE, revisions=[later])
    told.minutes(0, 35, 9, 1)
    assert budget(told)["consumed_count"] == 30
    told.tell(at(35), marker(later), None)
    told.minutes(35, 45, 9, 1)
    assert budget(told)["consumed_count"] == 30 + 4

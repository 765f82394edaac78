"""Cases small enough to be worked out by hand: they check the oracle, not the product."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

import pytest

from .definitions import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Window, google_tiers
from .detect import events, gaps, late
from .machine import dedup_key, event_id
from .open_time import ALWAYS
from .surprise import tail, tail_is_below, tail_nearly
from .windows import instant, period, rolling_start, spell, union, without

T0 = instant("2026-11-23T10:00:00Z")  # a whole hour


def at(clock: str, day: str = "2026-11-23") -> int:
    return instant(f"{day}T{clock}Z")


def promise(name: str = "paid", **spec: Any) -> dict[str, Any]:
    whole = {
        "service": "pay",
        "indicator": {"type": "ratio", "signal": "ok"},
        "target": "90%",
        "window": {"rolling": "1h"},
        "warnings": {"burnRates": "none", "budgetConsumed": "none", "forecast": "none"},
        **spec,
    }
    return {"apiVersion": "forewarn/v1", "kind": "Objective", "metadata": {"name": name}, "spec": whole}


def line(log_at: int, **value: Any) -> dict[str, Any]:
    record = {"service": "pay", "signal": "ok", **value}
    return {"topic": "sla.telemetry.v1", "key": "pay", "value": record, "timestamp": log_at}


def counts(log_at: int, good: int, bad: int, record_at: int | None = None, **more: Any) -> dict[str, Any]:
    return line(log_at, type="counts", at=log_at if record_at is None else record_at, good=good, bad=bad, **more)


def state(log_at: int, *, up: bool) -> dict[str, Any]:
    return line(log_at, type="state", at=log_at, up=up)


def exclusion(log_at: int, name: str, begin: int, end: int, status: str = "approved") -> dict[str, Any]:
    body = {"id": name, "from": spell(begin), "to": spell(end), "reason": "work", "category": "planned"}
    value = {"type": "exclusion", "service": "pay", "status": status, **body}
    return {"topic": "sla.telemetry.v1", "key": "pay", "value": value, "timestamp": log_at}


def story(told: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (
            event["value"]["time"][11:19],
            event["value"]["type"].removeprefix("forewarn.").removesuffix(".v1"),
            event["value"]["data"]["reason"]["rule"],
        )
        for event in told
    ]


def steady(begin: int, end: int, every_ms: int, good: int, bad: int) -> list[dict[str, Any]]:
    return [counts(moment, good, bad) for moment in range(begin, end, every_ms)]


@pytest.mark.parametrize(
    ("window_ms", "now", "start"),
    [
        # r = 1 min: the current minute and the 59 before it
        (HOUR_MS, T0 + 30 * SECOND_MS, T0 - 59 * MINUTE_MS),
        (HOUR_MS, T0, T0 - 59 * MINUTE_MS),
        (5 * MINUTE_MS, T0 + 59_999, T0 - 4 * MINUTE_MS),
        # r = 5 min above 6 h
        (12 * HOUR_MS, T0 + 7 * MINUTE_MS, T0 + 10 * MINUTE_MS - 12 * HOUR_MS),
        # r = 1 h above 3 d
        (4 * DAY_MS, T0 + 7 * MINUTE_MS, T0 + HOUR_MS - 4 * DAY_MS),
    ],
)
def test_a_window_is_its_whole_buckets_and_the_current_one(window_ms: int, now: int, start: int) -> None:
    assert rolling_start(window_ms, now) == start


@pytest.mark.parametrize(
    ("begin", "span", "holes", "end"),
    [
        (0, 10, [], 10),
        (0, 10, [(5, 7)], 12),
        (0, 10, [(10, 20)], 10),  # reached exactly as the hole begins
        (0, 10, [(9, 20)], 21),
        (3, 10, [(0, 5), (8, 9)], 16),
        (0, 10, [(2, 4), (3, 6)], 14),
    ],
)
def test_time_in_a_hole_does_not_count(begin: int, span: int, holes: list[tuple[int, int]], end: int) -> None:
    assert ALWAYS.after(begin, span, holes) == end


def test_intervals_unite_and_are_taken_out() -> None:
    assert union([(5, 7), (0, 2), (6, 9), (2, 3), (4, 4)]) == [(0, 3), (5, 9)]
    assert without((1, 10), [(0, 3), (5, 9)]) == [(3, 5), (9, 10)]


@pytest.mark.parametrize(
    ("window", "moment", "begin", "end", "name"),
    [
        ("day/Asia/Kathmandu", "2026-11-23T10:00:00Z", "2026-11-22T18:15:00Z", "2026-11-23T18:15:00Z", "2026-11-23"),
        ("day/Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-29"),
        ("day/Europe/Berlin", "2026-10-25T10:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-25"),
        ("week/UTC", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-16"),
        ("quarter/UTC", "2026-11-23T10:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z", "2026-10-01"),
        ("month/UTC", "2026-12-31T10:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "2026-12-01"),
    ],
)
def test_a_period_is_local(window: str, moment: str, begin: str, end: str, name: str) -> None:
    calendar, timezone = window.split("/", 1)
    found = period(Window(None, calendar, timezone), instant(moment))
    assert found == (instant(begin), instant(end), name)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (30, {"page_fast": (60, 5, "14.4"), "page_slow": (360, 30, "6")}),
        (28, {"page_fast": (60, 5, "13.44"), "ticket_slow": (4320, 360, "14/15")}),
        (7, {"page_fast": (60, 5, "3.36"), "page_slow": (84, 7, "6"), "ticket_slow": (1008, 84, "1")}),
        # 2 % of a day in an hour is a factor of 0.48: it would always fire, and is left out
        (1, {"page_slow": (60, 5, "1.2"), "ticket_fast": (60, 5, "2.4"), "ticket_slow": (144, 12, "1")}),
    ],
)
def test_google_tiers_scale_with_the_period(days: int, expected: dict[str, tuple[int, int, str]]) -> None:
    tiers = {tier.name: tier for tier in google_tiers(days * DAY_MS, Fraction(1, 1000))}
    assert ("page_fast" in tiers) == (days != 1)
    for name, (long_minutes, short_minutes, factor) in expected.items():
        tier = tiers[name]
        assert (tier.long_ms, tier.short_ms) == (long_minutes * MINUTE_MS, short_minutes * MINUTE_MS)
        assert tier.factor == Fraction(factor)


def test_a_tier_that_cannot_fire_is_left_out() -> None:
    assert [t.name for t in google_tiers(30 * DAY_MS, Fraction(1, 10))] == ["page_slow", "ticket_fast", "ticket_slow"]


@pytest.mark.parametrize(
    ("bad", "total", "chance"), [(0, 4, "1/2"), (3, 10, "1/10"), (1, 40, "1/1000"), (40, 40, "1/3")]
)
def test_the_tail_is_binomial(bad: int, total: int, chance: str) -> None:
    p = Fraction(chance)
    by_terms = sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(bad, total + 1))
    assert tail(bad, total, p) == by_terms
    assert tail_nearly(bad, total, p) == pytest.approx(float(by_terms))


def test_a_tail_of_exactly_the_limit_is_not_below_it() -> None:
    assert not tail_is_below(1, 1, Fraction(1, 20), Fraction(1, 20))
    assert tail_is_below(1, 1, Fraction(49, 1000), Fraction(1, 20))


def test_ids_and_keys_follow_the_recipe() -> None:
    # printf 'sla.alerts.v1\npay/paid\n1\nforewarn.breach.v1' | sha256sum
    assert event_id("sla.alerts.v1", "pay/paid", 1, "forewarn.breach.v1") == "876101b0d1fa6a941d2c6d7513bef27d"
    assert dedup_key("a b/ü", "x~y") == "a%20b%2F%C3%BC/x~y"
    assert len(dedup_key("s", "o" * 300)) == 2 + 32


def test_a_full_window_breaches_above_its_share_and_recovers_when_the_bad_leave() -> None:
    # 6 records an hour before, one a minute of 10; 90 % of 600 tolerate 60 bad
    # 10:30 brings 61 bad: total of the hour to come 590 + 61 + …
    log = steady(T0 - HOUR_MS, T0 + 3 * HOUR_MS, MINUTE_MS, 10, 0)
    log.append(counts(at("10:30:10"), 0, 66))
    log.sort(key=lambda one: one["timestamp"])
    told = events([promise()], log, tick_ms=10_000)
    # at 10:30:20: 60 records of 10 and 66 bad: total 666, allowed 66: not a breach; at 10:31:00 the minute 9:31 leaves
    # with its 10 and that of 10:31 is not applied yet: total 656, allowed 65
    assert story(told)[0] == ("10:31:00", "breach", "budget_spent")
    data = told[0]["value"]["data"]
    assert data["budget"] == {"allowed_count": 65, "consumed_count": 66, "remaining_ratio": -0.0154}
    assert (data["state"], data["previous_state"], data["sequence"], data["episode"]) == ("breached", "ok", 1, 1)
    # applied at 10:31:00 after the decision: 666 at 10:31:10, allowed 66
    assert story(told)[1] == ("10:31:10", "recovery", "cleared")
    # each minute: breach on the minute, recovery ten seconds later, until 10:30 leaves the hour at 11:30:00
    assert story(told)[-1] == ("11:29:10", "recovery", "cleared")
    assert [event["value"]["data"]["sequence"] for event in told] == list(range(1, len(told) + 1))


def test_a_warming_window_is_extrapolated() -> None:
    # 10 records in the first 100 s of an hour: 10 * 3600 // 100 = 360, allowed 36
    log = [counts(T0 + second * SECOND_MS, 1, 0) for second in range(0, 100, 10)]
    log.append(counts(T0 + 95 * SECOND_MS, 0, 37))
    told = events([promise()], log, tick_ms=10_000, until=T0 + 100 * SECOND_MS)
    # 47 records by 100 s: 47 * 36 = 1692, allowed 169
    assert told == []
    told = events([promise(target="98%")], log, tick_ms=10_000, until=T0 + 100 * SECOND_MS)
    assert story(told) == [("10:01:40", "breach", "budget_spent")]
    assert told[0]["value"]["data"]["budget"]["allowed_count"] == 47 * 36 * 2 // 100
    assert told[0]["value"]["data"]["confidence"]["level"] == "warming"


TIER = {
    "name": "fast",
    "severity": "critical",
    "budget": "10%",
    "long": "10m",
    "short": "5m",
}  # factor 3.6 of 6 h


def test_a_tier_fires_clears_below_nine_tenths_and_waits_for_its_own_window() -> None:
    # window 6 h, budget 10 %, long 10 m: factor 3.6; target 90 %: fires above 36 % bad in 10 min and in 5 min
    definition = promise(window={"rolling": "6h"}, warnings={"burnRates": [TIER], "budgetConsumed": "none"})
    calm = steady(T0, T0 + 30 * MINUTE_MS, 30_000, 10, 0)
    outage = steady(T0 + 30 * MINUTE_MS, T0 + 36 * MINUTE_MS, 30_000, 0, 10)
    again = steady(T0 + 36 * MINUTE_MS, T0 + 60 * MINUTE_MS, 30_000, 10, 0)
    told = events([definition], calm + outage + again, tick_ms=30_000)
    # 10:33:30, before the record of that instant: minutes 24..33 hold 19 records, 7 of them bad (36.8 %), but 70 bad of
    # 190 at 36 % are no surprise. 10:34:00: minutes 25..34, 8 of 18; 80 of 180 are.
    # Clearing, below 32.4 % of five minutes: 10:38:30 has 4 of 9, 10:39:00 has 2 of 8.
    assert story(told) == [("10:34:00", "early_warning", "burn_rate"), ("10:39:00", "recovery", "cleared")]
    reason = told[0]["value"]["data"]["reason"]
    assert (reason["bad_count"], reason["total_count"], reason["factor"]) == (80, 180, 3.6)
    assert (reason["burn_long"], reason["burn_short"], reason["p_value"]) == (4.44, 10.0, 0.012)
    assert (reason["long_window"], reason["short_window"]) == ("10m", "5m")


def test_silence_is_its_own_event_from_newest_plus_after_inclusive() -> None:
    definition = promise(noData={"after": "3m", "treat": "unknown"})
    log = [*steady(T0, T0 + 5 * MINUTE_MS, MINUTE_MS, 5, 0), counts(T0 + 10 * MINUTE_MS + 5, 5, 0)]
    told = events([definition], log, tick_ms=10_000, until=T0 + 11 * MINUTE_MS)
    # the last record is of 10:04:00
    assert story(told) == [("10:07:00", "unknown", "no_data"), ("10:10:10", "recovery", "data_again")]
    first, second = (event["value"]["data"] for event in told)
    assert (first["severity"], first["state"], first["flags"]["no_data"]) == ("warning", "unknown", True)
    assert (second["severity"], second["episode"], second["flags"]["no_data"]) == ("warning", 1, False)
    assert second["opened_at"] == "2026-11-23T10:07:00.000Z"


def test_an_exclusion_stops_the_no_data_clock() -> None:
    definition = promise(noData={"after": "3m", "treat": "unknown"})
    log = [exclusion(T0, "W", at("10:02:00"), at("10:05:00")), counts(T0, 5, 0)]
    told = events([definition], log, tick_ms=10_000, until=T0 + 11 * MINUTE_MS)
    assert story(told) == [("10:06:00", "unknown", "no_data")]


def test_uptime_counts_milliseconds_and_is_unknown_after_its_silence() -> None:
    # calendar day of 86,400 s, 99.9 % tolerates 86.4 s down; down from 10:00:00 to 10:01:30
    indicator = {"type": "uptime", "signal": "ok"}
    definition = promise(indicator=indicator, target="99.9%", window={"calendar": "day", "timezone": "UTC"})
    log = [state(T0 - MINUTE_MS, up=True), state(T0, up=False), state(T0 + 90_000, up=True)]
    told = events([definition], log, tick_ms=1000, until=T0 + 10 * MINUTE_MS)
    # 86,400 ms spent are not more than 86,400 allowed: the breach is a second later
    assert story(told) == [("10:01:27", "breach", "budget_spent"), ("10:06:30", "flags_changed", "no_data")]
    data = told[0]["value"]["data"]
    assert data["budget"] == {"allowed_count": 86_400, "consumed_count": 87_000, "remaining_ratio": -0.0069}
    assert data["flags"]["final"] is True


def test_slices_are_judged_after_their_grace() -> None:
    # 60 slices of a minute, 95 % tolerate 3 bad; four bad ones from 10:10 on, judged 2 min after their end
    slices = {"timeslices": "1m", "sliceTarget": "90%"}
    definition = promise(target="95%", budgeting=slices, window={"rolling": "1h"})
    log = steady(T0, T0 + 10 * MINUTE_MS, 20_000, 10, 0)
    log += steady(T0 + 10 * MINUTE_MS, T0 + 14 * MINUTE_MS, 20_000, 8, 2)
    log += steady(T0 + 14 * MINUTE_MS, T0 + 90 * MINUTE_MS, 20_000, 9, 1)  # nine of ten is enough
    told = events([definition], log, tick_ms=20_000)
    # the fourth ends 10:14; the first is in [now - 59 min, …) up to 11:09:59
    assert story(told) == [("10:16:00", "breach", "budget_spent"), ("11:10:00", "recovery", "cleared")]
    assert told[0]["value"]["data"]["budget"]["allowed_count"] == 3


def test_marks_name_the_highest_and_are_rearmed_ten_points_below() -> None:
    warnings = {"burnRates": "none", "budgetConsumed": ["50%", "75%", "90%"], "forecast": "none"}
    definition = promise(warnings=warnings)
    log = steady(T0 - HOUR_MS, T0 + 90 * MINUTE_MS, MINUTE_MS, 10, 0)  # about 600 an hour: 60 allowed
    log += [counts(at("10:10:30"), 0, 50), counts(at("10:50:30"), 0, 1)]
    log.sort(key=lambda one: one["timestamp"])
    told = events([definition], log, tick_ms=30_000)
    # 650 in the hour: 65 allowed, 50 spent: 76.9 %. The 75 % mark is re-armed at 65 % only.
    assert story(told)[0] == ("10:11:00", "early_warning", "budget_consumed")
    assert told[0]["value"]["data"]["severity"] == "info"
    assert len(told) == 1


def test_a_period_starts_anew_and_closes_after_its_grace() -> None:
    midnight = at("00:00:00", "2026-11-24")
    agreement = {
        "kind": "Agreement",
        "metadata": {"name": "gold"},
        "spec": {"type": "sla", "objectives": ["paid"], "period": {"calendar": "day", "timezone": "UTC"}},
    }
    definition = promise(window={"calendar": "day", "timezone": "UTC"})
    log = steady(midnight - DAY_MS, midnight, HOUR_MS, 8, 2)
    log += steady(midnight, midnight + 5 * MINUTE_MS, MINUTE_MS, 10, 0)
    told = events([definition, agreement], log, tick_ms=MINUTE_MS)
    # 12:00: 12 records, extrapolated 240, 24 allowed, 24 bad; 12:01: 13 records, 130 * 1440 // 721 = 259, 26 bad
    assert story(told) == [
        ("12:01:00", "breach", "budget_spent"),
        ("00:00:00", "recovery", "period"),
        ("00:00:00", "period_closed", "period"),
    ]
    breach, _, closing = (event["value"]["data"] for event in told)
    assert breach["flags"]["final"] is False
    assert (closing["period"]["attained_ppm"], closing["period"]["met"]) == (800_000, False)
    assert closing["dedup_key"] == "gold/pay/paid/2026-11-23"
    assert closing["evaluated_at"] == "2026-11-24T00:02:00.000Z"


def test_an_exclusion_undoes_a_breach_at_once() -> None:
    log = steady(T0 - HOUR_MS, T0 + 20 * MINUTE_MS, MINUTE_MS, 10, 0)
    log += [counts(at("10:05:30"), 0, 100), exclusion(at("10:10:05"), "W", at("10:05:00"), at("10:06:00"))]
    log.sort(key=lambda one: one["timestamp"])
    told = events([promise()], log, tick_ms=10_000)
    assert story(told) == [
        ("10:05:40", "breach", "budget_spent"),
        ("10:10:05", "correction", "exclusion"),
        ("10:10:05", "recovery", "cleared"),
    ]
    assert told[1]["value"]["data"]["supersedes"] == told[0]["value"]["id"]
    log.append(exclusion(at("10:19:05"), "W", at("10:05:00"), at("10:06:00"), status="revoked"))
    assert story(events([promise()], log, tick_ms=10_000, until=at("10:20:00")))[3:] == [
        ("10:19:10", "breach", "budget_spent")
    ]


def test_late_is_counted_up_to_correct_for_and_repeats_are_not() -> None:
    definition = promise(grace="2m", correctFor="10m")
    log = [
        counts(T0, 10, 0, source="a", sequence=1),
        counts(T0 + 1000, 0, 1000, T0, source="a", sequence=1),
        counts(T0 + 20 * MINUTE_MS, 10, 0, T0 + 18 * MINUTE_MS),
        counts(T0 + 20 * MINUTE_MS, 10, 0, T0 + 18 * MINUTE_MS - 1),
        counts(T0 + 20 * MINUTE_MS, 10, 0, T0 + 10 * MINUTE_MS),
        counts(T0 + 20 * MINUTE_MS, 0, 1000, T0 + 10 * MINUTE_MS - 1),
    ]
    told = late([definition], log, tick_ms=MINUTE_MS)
    assert [(copy["value"]["late_ms"], copy["value"]["counted"]) for copy in told] == [
        (2 * MINUTE_MS + 1, True),
        (10 * MINUTE_MS, True),
        (10 * MINUTE_MS + 1, False),
    ]
    assert events([definition], log, tick_ms=MINUTE_MS) == []


def test_nobody_watched_and_the_no_data_clock_stood_still() -> None:
    definition = promise(noData={"after": "3m", "treat": "unknown"})
    minutes = [*range(6), *range(15, 25)]
    ticks = [
        {"topic": "sla.telemetry.v1", "key": None, "value": {"type": "tick"}, "timestamp": T0 + s * 10_000}
        for minute in minutes
        for s in range(minute * 6, minute * 6 + 6)
    ]
    log = sorted([counts(T0, 5, 0), counts(at("10:05:00"), 5, 0), *ticks], key=lambda one: one["timestamp"])
    # the last record is of 10:05:00; 50 s were watched until 10:05:50, then from 10:15:00 on: 10:15:00 + 130 s
    told = gaps([definition], log, tick_ms=10_000)
    assert [(gap["value"]["from"][11:19], gap["value"]["to"][11:19]) for gap in told] == [("10:05:50", "10:15:00")]
    assert story(events([definition], log, tick_ms=10_000)) == [
        ("10:03:00", "unknown", "no_data"),
        ("10:05:10", "recovery", "data_again"),
        ("10:17:10", "unknown", "no_data"),
    ]


def test_history_is_seen_time_and_counts_but_decides_nothing() -> None:
    loaded = line(T0, type="history", **{"from": spell(T0 - 2 * HOUR_MS), "to": spell(T0)}, good=1200, bad=120)
    assert events([promise(target="95%")], [loaded], tick_ms=10_000, until=T0 + MINUTE_MS) == []
    told = events([promise(target="95%")], [loaded, counts(T0 + 5000, 1, 0)], tick_ms=10_000, until=T0 + MINUTE_MS)
    # the 59 minutes before: 10 good and 1 bad each, and the live one: 650 seen, 32 allowed, 59 bad
    assert story(told) == [("10:00:10", "breach", "budget_spent")]
    assert told[0]["value"]["data"]["budget"] == {"allowed_count": 32, "consumed_count": 59, "remaining_ratio": -0.8438}
    # seen for two hours, but of the 60 minutes in the window one holds live data
    assert told[0]["value"]["data"]["confidence"]["level"] == "partial"


def test_a_firing_tier_waits_five_minutes_after_a_recovery() -> None:
    tier = {"name": "slow", "severity": "warning", "budget": "30%", "long": "15m", "short": "15m"}
    definition = promise(warnings={"burnRates": [tier], "budgetConsumed": "none"}, window={"rolling": "1h"})
    # factor 1.2: above 12 % of the last 15 min; the hour holds 6,000 and tolerates 600 bad
    log = steady(T0 - 2 * HOUR_MS, T0, MINUTE_MS, 100, 0)
    log += steady(T0, T0 + 21 * MINUTE_MS, MINUTE_MS, 50, 50)
    log += steady(T0 + 21 * MINUTE_MS, T0 + 40 * MINUTE_MS, MINUTE_MS, 100, 0)
    # 13 bad minutes are excluded: 8 * 50 bad of 47 * 100
    log.append(exclusion(at("10:20:10"), "W", at("10:00:00"), at("10:13:00")))
    told = events([definition], sorted(log, key=lambda one: one["timestamp"]), tick_ms=20_000)
    # 10:03:20 has 200 of 1,500 at 12 %: p = 0.06; 10:04:00 has 200 of 1,400. 10:12:00, before the record of that
    # instant: 600 bad of 5,900. Clears below 10.8 %: 10:32:00 has 150 of 1,400.
    assert story(told) == [
        ("10:04:00", "early_warning", "burn_rate"),
        ("10:12:00", "breach", "budget_spent"),
        ("10:20:10", "correction", "exclusion"),
        ("10:20:10", "recovery", "cleared"),
        ("10:25:20", "early_warning", "burn_rate"),
        ("10:32:00", "recovery", "cleared"),
    ]
    told_data = [event["value"]["data"] for event in told]
    assert [data["episode"] for data in told_data] == [1, 1, 1, 1, 2, 2]
    assert [data["severity"] for data in told_data] == ["warning", *["critical"] * 3, *["warning"] * 2]
    assert [data["sequence"] for data in told_data] == [1, 2, 3, 4, 5, 6]

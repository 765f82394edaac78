"""The rows of the state machine, one law each, told as stories of a few minutes (semantics.md 2)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import pytest

from sla.units import MINUTE_MS, SECOND_MS

from .world import QUIET, T0, World, objective

NO_DATA: Final = {"after": "5m", "treat": "unknown"}


def tier(name: str, severity: str, factor: int, long: int = 10, short: int = 2) -> dict[str, Any]:
    """Fires above `factor` × 10 % bad in the last `long` and `short` minutes."""
    budget = f"{factor * long * 100 / 120:.4f}%"
    return {"name": name, "severity": severity, "budget": budget, "long": f"{long}m", "short": f"{short}m"}


def warned_by(*tiers: dict[str, Any]) -> dict[str, Any]:
    return {**QUIET, "burnRates": list(tiers)}


def promise(**spec: Any) -> dict[str, Any]:
    return objective(**{"window": {"rolling": "2h"}, **spec})


SLOW: Final = tier("slow", "warning", 2)
FAST: Final = tier("fast", "critical", 5)


def test_the_first_data_says_nothing() -> None:
    world = World(promise(warnings=warned_by(FAST), noData=NO_DATA))
    world.minutes(0, 10, 10, 0)
    assert world.story() == []
    assert {status["data"]["state"] for status in world.events("status", "sla.status.v1")} == {"ok"}


def test_silence_is_its_own_state_and_data_ends_it() -> None:
    # 10:00  10:01 ....... 10:06          10:10   10:11
    # [data)[data)         [unknown -------------)[ok
    world = World(promise(noData=NO_DATA))
    world.minutes(0, 2, 10, 0)
    world.idle(2, 10)
    world.minutes(10, 12, 10, 0)
    assert world.story() == [("10:06", "unknown", "no_data"), ("10:10:30", "recovery", "data_again")]
    lost, found = world.events()
    assert (lost["data"]["severity"], lost["data"]["episode"], lost["data"]["flags"]["no_data"]) == ("warning", 1, True)
    assert (found["data"]["severity"], found["data"]["episode"], found["data"]["flags"]["no_data"]) == (
        *("warning", 1, False),
    )
    assert found["data"]["opened_at"] == lost["time"]


@pytest.mark.parametrize("treat", ["ignore", "bad", "good"])
def test_silence_that_is_not_unknown_says_nothing(treat: str) -> None:
    slices = {"timeslices": "1m", "sliceTarget": "90%"}
    world = World(promise(noData={"after": "5m", "treat": treat}, budgeting=slices))
    world.minutes(0, 2, 10, 0)
    world.idle(2, 10)
    assert world.events("unknown") == []


def test_a_burning_tier_is_an_early_warning_and_its_end_a_recovery() -> None:
    world = World(promise(warnings=warned_by(FAST))).well(120)
    world.minutes(0, 3, 10, 0)
    world.minutes(3, 9, 0, 10)  # 60 of 100 in 10 min at 10:08
    world.minutes(9, 15, 10, 0)
    assert world.story() == [("10:08:30", "early_warning", "burn_rate"), ("10:10", "recovery", "cleared")]
    warning, recovery = world.events()
    assert (warning["data"]["previous_state"], warning["data"]["state"]) == ("ok", "at_risk")
    assert warning["data"]["reason"]["tier"] == "fast"
    assert (recovery["data"]["state"], recovery["data"]["severity"]) == ("ok", "critical")


def test_a_warning_tells_the_chance_of_its_own_tier_where_a_graver_one_is_in_doubt() -> None:
    windows = {"long": "30m", "short": "5m"}
    told = World(
        objective(
            target="99.5%",
            window={"calendar": "day", "timezone": "Pacific/Apia"},  # a day ends at 11:00
            warnings={
                "burnRates": [
                    {"name": "page", "severity": "critical", "budget": "4.5%", **windows},
                    {"name": "ticket", "severity": "warning", "budget": "5%", **windows},
                ],
                "budgetConsumed": "none",
                "forecast": "none",
            },
        )
    )
    told.counts(T0, 1000, 0)
    told.counts(T0 + 35 * MINUTE_MS, 5, 0)
    told.counts(T0 + 57 * MINUTE_MS, 0, 2)  # two of seven; a page asks for three
    told.idle(58, 61)
    warnings = [each["data"]["reason"] for each in told.events("early_warning")]
    assert [(each["tier"], each["p_value"]) for each in warnings] == [("ticket", 0.0029), ("ticket", 0.0029)]


def test_a_breach_comes_alone_even_if_a_tier_fires_at_that_instant() -> None:
    world = World(promise(warnings=warned_by(FAST))).well(120)
    world.minutes(0, 3, 10, 0)
    world.counts(T0 + 3 * MINUTE_MS, 0, 200)
    world.tick(T0 + 3 * MINUTE_MS + 30 * SECOND_MS)
    assert world.story() == [("10:03:30", "breach", "budget_spent")]
    (breach,) = world.events()
    assert (breach["data"]["severity"], breach["data"]["previous_state"]) == ("critical", "ok")
    assert breach["data"]["flags"]["final"] is True


def test_a_warning_that_grows_graver_is_told_in_the_same_episode_and_never_less_grave() -> None:
    # 10 %   30 %           70 %            25 %
    # ok     slow: warning  fast: critical  slow again: nothing to say
    world = World(promise(window={"rolling": "4h"}, warnings=warned_by(*scaled(SLOW, FAST)))).well(240)
    world.minutes(0, 2, 9, 1)
    world.minutes(2, 16, 7, 3)
    world.minutes(16, 28, 3, 7)
    world.minutes(28, 36, 7, 3)
    world.minutes(36, 40, 10, 0)
    severities = [(event["type"].split(".")[1], event["data"]["severity"]) for event in world.events()]
    assert severities == [("early_warning", "warning"), ("early_warning", "critical"), ("recovery", "critical")]
    assert {event["data"]["episode"] for event in world.events()} == {1}
    assert [event["data"]["reason"]["tier"] for event in world.events("early_warning")] == ["slow", "fast"]


def scaled(*tiers: dict[str, Any]) -> list[dict[str, Any]]:
    """The same factors in four hours: half of the budget's share."""
    return [{**each, "budget": f"{float(each['budget'][:-1]) / 2:.4f}%"} for each in tiers]


def test_after_a_breachs_recovery_a_tier_waits_five_minutes_to_open_an_episode() -> None:
    # 200 bad at 07:59 leave the window at 09:59; a slow tier burns all the while
    world = World(promise(warnings=warned_by(SLOW)))
    world.minutes(-121, -120, 0, 200)
    world.minutes(-120, -14, 20, 0)
    world.minutes(-14, 10, 14, 6)
    assert world.story()[-2:] == [("09:59", "recovery", "cleared"), ("10:04", "early_warning", "burn_rate")]
    assert [event["data"]["episode"] for event in world.events()][-2:] == [1, 2]


def test_a_tier_that_an_empty_window_holds_warns_at_the_end_of_the_quiet_and_not_at_the_next_minute() -> None:
    # 10:03  10:04:20              10:09:20
    # breach excluded: recovery    quiet is over; nothing counts, so the tier has not cleared
    world = World(promise(warnings=warned_by(FAST))).well(120)
    world.minutes(0, 3, 10, 0)
    world.counts(T0 + 3 * MINUTE_MS, 0, 200)
    at = T0 + 4 * MINUTE_MS + 20 * SECOND_MS
    world.exclusion(at, "CHG-1", T0, T0 + 20 * MINUTE_MS)
    for second in range(1, 400):
        world.counts(at + second * SECOND_MS, 10, 0)
    assert world.story()[-2:] == [("10:04:20", "recovery", "cleared"), ("10:09:20", "early_warning", "burn_rate")]


@pytest.mark.parametrize(("bad", "name"), [(10, "early_warning"), (100, "breach")])
def test_data_lost_in_trouble_is_a_flag_and_the_state_stays(bad: int, name: str) -> None:
    world = World(promise(warnings=warned_by(FAST), noData=NO_DATA)).well(120)
    world.minutes(0, 3, 10, 0)
    world.minutes(3, 9, 0, bad)
    world.idle(9, 18)
    world.counts(T0 + 18 * MINUTE_MS, 0, 1)
    world.tick(T0 + 18 * MINUTE_MS + 30 * SECOND_MS)
    events = world.events()
    assert [event["type"].split(".")[1] for event in events[:3]] == [name, "flags_changed", "flags_changed"]
    state = events[0]["data"]["state"]
    assert [(e["data"]["reason"]["rule"], e["data"]["flags"]["no_data"], e["data"]["state"]) for e in events[1:3]] == [
        ("no_data", True, state),
        ("data_again", False, state),
    ]
    assert events[1]["time"][11:16] == "10:13"


def test_sequences_count_from_one_and_statuses_count_on_their_own() -> None:
    world = World(promise(warnings=warned_by(FAST), noData=NO_DATA)).well(120)
    world.minutes(0, 3, 10, 0)
    world.minutes(3, 9, 0, 10)
    world.minutes(9, 12, 10, 0)
    world.idle(12, 20)
    sequences = [event["data"]["sequence"] for event in world.events()]
    assert sequences == list(range(1, len(sequences) + 1))
    of_status = [event["data"]["sequence"] for event in world.events(topic="sla.status.v1")]
    assert of_status == list(range(1, len(of_status) + 1))
    assert len(sequences) == 3


def test_a_status_comes_with_each_transition_and_at_whole_minutes_when_it_changed() -> None:
    world = World(promise(warnings=warned_by(FAST))).well(120)
    world.minutes(0, 3, 10, 0)
    world.minutes(3, 9, 0, 10)
    world.minutes(9, 15, 10, 0)
    statuses = world.events(topic="sla.status.v1")
    turned = {event["time"]: event["data"]["state"] for event in world.events()}
    first = {"2026-11-23T10:00:30.000Z": "ok"}  # from unknown, which is no event
    states = {status["time"]: status["data"]["state"] for status in statuses}
    assert states.items() >= (first | turned).items()
    assert {time for time in states if not time.endswith(":00.000Z")} <= {*first, *turned}
    assert len(turned) == 2
    told = [{k: v for k, v in s["data"].items() if k not in {"sequence", "evaluated_at"}} for s in statuses]
    assert all(one != other for one, other in pairwise(told))


def test_a_quiet_stream_repeats_no_status() -> None:
    world = World(promise()).well(120)
    world.minutes(0, 1, 10, 0)
    world.idle(1, 200)
    count = len(world.events(topic="sla.status.v1"))
    world.idle(200, 400)
    assert len(world.events(topic="sla.status.v1")) == count


def test_a_window_may_be_as_short_as_minutes() -> None:
    # Ten minutes of 10 each, of which a tenth may fail: the eleventh bad one breaks it until it has left.
    world = World(objective(window={"rolling": "10m"}, warnings={}))
    world.minutes(0, 12, 10, 0)
    world.counts(T0 + 12 * MINUTE_MS, 0, 11)
    world.minutes(13, 25, 10, 0)
    assert world.story() == [("10:13", "breach", "budget_spent"), ("10:22", "recovery", "cleared")]

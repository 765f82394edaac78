"""Clocks in pictures: what starts, pauses, warns, breaches and ends, and when it is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clock.world import OFFICE, World, at, promise

MARKS = ["50%", "75%", "90%", "15m"]


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def test_a_clock_warns_at_its_marks_breaches_at_its_deadline_and_is_told_of_again() -> None:
    # 10:00    12:00  13:00 13:36 13:45 14:00   15:00 16:00         18:00
    # [---------50%----75%---90%---15m---breach--125%--150%----------200%
    world = World(promise(warnAt=MARKS))
    world.created("10:00")
    world.ticks("19:00")
    assert world.story() == lines("""
        10:00 clock.started started
        12:00 early_warning ticket_mark 50%
        13:00 early_warning ticket_mark 75%
        13:36 early_warning ticket_mark 90%
        13:45 early_warning ticket_mark 15m
        14:00 breach deadline
        14:00 clock.breached deadline
        15:00 early_warning ticket_mark 125%
        16:00 early_warning ticket_mark 150%
        18:00 early_warning ticket_mark 200%
    """)
    events = [(e["data"]["severity"], e["data"]["state"], e["data"]["episode"]) for e in world.events()]
    assert events[:5] == [
        ("info", "ok", 0), ("warning", "at_risk", 1), ("critical", "at_risk", 1), ("critical", "at_risk", 1),
        ("critical", "breached", 1),
    ]  # fmt: skip


def test_a_paused_clock_does_not_breach_and_says_when_it_would() -> None:
    """Not while pending, as another tool does it."""
    world = World(promise(warnAt=MARKS))
    world.created("10:00")
    world.event("11:00", state="pending")
    world.ticks("20:00")
    assert world.clocks() == ["10:00 clock.started started", "11:00 clock.paused paused"]
    assert world.alerts() == []
    paused = world.events("sla.clocks.v1")[-1]["data"]["ticket"]
    assert (paused["deadline"], paused["deadline_if_resumed_now"], paused["paused"]) == (
        None, "2026-11-23T14:00:00.000Z", True,
    )  # fmt: skip
    world.event("20:00", state="open")
    assert world.events("sla.clocks.v1")[-1]["data"]["ticket"]["deadline"] == "2026-11-23T23:00:00.000Z"


def test_two_pauses_that_begin_in_one_minute_both_count() -> None:
    """To the millisecond: a tool that cuts to minutes loses the second."""
    world = World(promise(target="1h"))
    world.created("10:00")
    for start, end in (("10:10:05", "10:10:20"), ("10:10:25", "10:10:50")):
        world.event(start, state="pending")
        world.event(end, state="open")
    assert world.events("sla.clocks.v1")[-1]["data"]["ticket"]["deadline"] == "2026-11-23T11:00:40.000Z"


def test_each_mark_is_told_once_even_after_a_pause_and_those_crossed_together_are_one() -> None:
    world = World(promise(warnAt=MARKS))
    world.created("10:00")
    world.ticks("12:30")
    world.event("12:30", state="pending")
    world.event("12:45", state="open")
    world.tick("13:50")  # nobody ticked: 75 % at 13:15, then 90 % at 13:51
    world.tick("14:30")
    assert world.alerts() == lines("""
        12:00 early_warning ticket_mark 50%
        13:15 early_warning ticket_mark 75%
        13:51 early_warning ticket_mark 90%
        14:00 early_warning ticket_mark 15m
        14:15 breach deadline
    """)


def test_a_stop_at_the_deadline_meets_it_and_a_millisecond_later_misses_it() -> None:
    for late_ms, story in (
        (0, ["14:00 clock.met met"]),
        (1, ["14:00 breach deadline", "14:00 clock.breached deadline", "14:00:00.001 recovery met_late",
             "14:00:00.001 clock.met met_late"]),
    ):  # fmt: skip
        world = World(promise(grace="10s"))
        world.created("10:00")
        world.event(at("14:00") + late_ms, state="resolved")
        assert world.story()[1:] == story
        assert world.events("sla.clocks.v1")[-1]["data"]["late"] is bool(late_ms)


def test_a_stop_within_grace_is_in_time_and_a_breach_waits_for_it() -> None:
    world = World(promise(grace="10s"))
    world.created("10:00")
    world.tick("14:00:09")
    assert world.alerts() == []
    world.event("14:00", now="14:00:09", state="resolved")
    world.tick("14:01")
    assert world.clocks()[-1] == "14:00 clock.met met"
    assert world.alerts() == []


def test_a_deadline_type_is_not_moved_by_pauses() -> None:
    world = World(promise(type="deadline"))
    world.created("10:00")
    world.event("11:00", state="pending")
    world.ticks("14:00")
    assert world.story()[-2:] == ["14:00 breach deadline", "14:00 clock.breached deadline"]


def test_working_time_alone_counts() -> None:
    # Mon 16:00 [1 h) 17:00 closed, Tue 9:00 [3 h) 12:00: a deadline at closing time belongs to that day
    world = World(promise(calendar="office"), OFFICE)
    world.created("16:00")
    assert world.events("sla.clocks.v1")[-1]["data"]["ticket"]["deadline"] == "2026-11-24T12:00:00.000Z"


# -- conditions


ORDER: list[tuple[str, dict[str, Any], str]] = [
    ("stop before cancel", {"state": "both"}, "11:00 clock.met met"),
    ("cancel before reset", {"state": "cancelled", "team": "b"}, "11:00 clock.cancelled cancelled"),
    ("when that no longer holds cancels", {"priority": "P3"}, "11:00 clock.cancelled cancelled"),
    ("reset before pause", {"team": "b"}, "11:00 clock.started started"),
    ("pause", {"state": "pending"}, "11:00 clock.paused paused"),
]


@pytest.mark.parametrize(("fields", "last"), [case[1:] for case in ORDER], ids=[case[0] for case in ORDER])
def test_the_first_condition_that_holds_decides(fields: dict[str, Any], last: str) -> None:
    spec = {"stop": {"state": ["resolved", "both"]}, "cancel": {"state": ["cancelled", "both"]}}
    world = World(promise(reset={"team": ["b"]}, **spec))
    world.created("10:00")
    world.event("11:00", **fields)
    assert world.clocks()[-1] == last


def test_stop_and_cancel_end_a_paused_clock_too() -> None:
    for state, end in (("resolved", "clock.met met"), ("cancelled", "clock.cancelled cancelled")):
        world = World(promise())
        world.created("10:00")
        world.event("11:00", state="pending")
        world.event("12:00", state=state)
        assert world.clocks()[-1] == f"12:00 {end}"


def test_a_reset_cancels_and_starts_anew_only_when_it_begins_to_hold() -> None:
    world = World(promise(reset={"team": ["b"]}, warnAt=["50%"]))
    world.created("10:00")
    world.ticks("12:30")
    world.event("12:30", team="b")
    world.event("12:40", note="x")
    world.ticks("14:30")
    assert world.story() == lines("""
        10:00 clock.started started
        12:00 early_warning ticket_mark 50%
        12:30 recovery cancelled
        12:30 clock.cancelled reset
        12:30 clock.started started
        14:30 early_warning ticket_mark 50%
    """)


def test_resuming_twice_and_pausing_twice_say_nothing_more() -> None:
    world = World(promise())
    world.created("10:00")
    for minute, state in ((10, "pending"), (20, "on_hold"), (30, "open"), (40, "new")):
        world.event(f"10:{minute}", state=state)
    assert world.clocks()[1:] == ["10:10 clock.paused paused", "10:30 clock.resumed resumed"]


# -- metrics


def test_the_first_response_is_an_agents_reply_and_no_other() -> None:
    world = World(promise(metric="first_response", target="1h"))
    world.created("10:00")
    world.reply("10:10", "customer")
    world.reply("10:20", "system")
    world.reply("10:30", "agent")
    world.reply("10:40", "agent")
    world.ticks("12:00")
    assert world.story() == ["10:00 clock.started started", "10:30 clock.met met"]


def test_closing_is_no_first_response() -> None:
    world = World(promise(metric="first_response", target="1h"))
    world.created("10:00")
    world.event("10:30", "closed", state="closed")
    world.ticks("12:00")
    assert world.story() == ["10:00 clock.started started", "10:30 clock.cancelled closed"]
    assert world.feeds("counts") == []


def test_the_reply_clock_runs_from_the_oldest_unanswered_message_and_not_after_an_answer() -> None:
    """Nor fires although the agent answered, as another tool does it."""
    world = World(promise(metric="next_reply", target="1h"))
    world.created("10:00")
    world.reply("10:05", "customer")  # it waits for the first response
    world.reply("10:10", "agent")
    world.reply("10:30", "customer")
    world.reply("10:50", "customer")
    world.reply("11:20", "agent")
    world.ticks("13:00")
    assert world.story() == ["10:30 clock.started started", "11:20 clock.met met"]


def test_a_reply_clock_is_cancelled_when_the_ticket_closes_unanswered() -> None:
    world = World(promise(metric="next_reply", target="1h"))
    world.created("10:00")
    world.reply("10:10", "agent")
    world.reply("10:30", "customer")
    world.event("10:40", "closed", state="closed")
    world.ticks("12:00")
    assert world.story() == ["10:30 clock.started started", "10:40 clock.cancelled closed"]


def test_a_periodic_update_is_due_after_each_of_the_agents_replies_while_the_ticket_is_open() -> None:
    world = World(promise(metric="periodic_update", target="1h"))
    world.created("10:00")
    world.reply("10:50", "agent")
    world.ticks("12:00")
    world.event("12:10", "closed", state="closed")
    world.ticks("14:00")
    assert world.story() == lines("""
        10:00 clock.started started
        10:50 clock.met met
        10:50 clock.started started
        11:50 breach deadline
        11:50 clock.breached deadline
        12:10 recovery cancelled
        12:10 clock.cancelled closed
    """)


def test_a_reopened_ticket_goes_on_without_the_resolved_time_or_starts_anew() -> None:
    for on_reopen, deadline in (("continue", "2026-11-23T19:00:00.000Z"), ("restart", "2026-11-23T20:00:00.000Z")):
        world = World(promise(onReopen=on_reopen))
        world.created("10:00")
        world.event("11:00", "closed", state="closed")
        world.event("16:00", "reopened", state="open")
        assert world.clocks() == ["10:00 clock.started started", "11:00 clock.met met", "16:00 clock.started started"]
        assert world.events("sla.clocks.v1")[-1]["data"]["ticket"]["deadline"] == deadline


def test_a_reopened_ticket_that_is_missed_opens_a_new_episode() -> None:
    world = World(promise())
    world.created("10:00")
    world.ticks("15:00")
    world.event("15:00", state="resolved")
    world.event("15:10", "reopened", state="open")
    assert [(e["type"], e["data"]["episode"]) for e in world.events()] == [
        ("forewarn.breach.v1", 1), ("forewarn.recovery.v1", 1), ("forewarn.breach.v1", 2),
    ]  # fmt: skip
    assert len(world.feeds("counts")) == 1  # the same clock: one outcome


# -- another objective takes over


RETARGETS = [
    ("retroactive", "2026-11-23T12:30:00.000Z"),  # from the start, the pause of half an hour with it
    ("restart", "2026-11-23T13:30:00.000Z"),
    ("proportional", "2026-11-23T13:00:00.000Z"),  # 1 h of 4 h is 25 %: 90 min are left of 2 h
]


@pytest.mark.parametrize(("how", "deadline"), RETARGETS)
def test_a_changed_priority_takes_the_clock_over(how: str, deadline: str) -> None:
    """Waiting time is not lost when the objective changes, as it is in another tool."""
    p2 = promise("fix2", target="4h", when={"priority": ["P2"]})
    world = World(p2, promise("fix1", target="2h", onRetarget=how))
    world.created("10:00", priority="P2")
    world.event("10:30", state="pending")
    world.event("11:00", state="open")
    world.event("11:30", priority="P1")
    assert world.clocks()[-2:] == [
        "11:30 clock.retargeted retargeted fix1",
        "11:30 clock.cancelled cancelled fix2",
    ]
    data = world.events("sla.clocks.v1", "clock.retargeted")[0]["data"]
    assert (data["ticket"]["deadline"], data["replaces"]) == (deadline, "pay/fix2/ticket:T1")


def test_objectives_run_side_by_side() -> None:
    world = World(promise("ola", target="1h"), promise("sla", target="2h"), promise("any", service="*", target="3h"))
    world.created("10:00")
    world.ticks("12:30")
    assert world.alerts() == ["11:00 breach deadline ola", "12:00 breach deadline sla"]
    assert [event["data"]["dedup_key"] for event in world.events("sla.clocks.v1")][:3] == [
        "pay/any/ticket:T1", "pay/ola/ticket:T1", "pay/sla/ticket:T1",
    ]  # fmt: skip


def test_a_ticket_that_moves_to_another_service_leaves_its_clocks_behind() -> None:
    world = World(promise(), promise("ship", service="ship"))
    world.created("10:00")
    world.event("11:00", more={"service": "ship"})
    assert world.clocks()[1:] == ["11:00 clock.cancelled cancelled", "11:00 clock.started started ship"]


# -- outcomes, and open clocks


def test_a_clock_feeds_one_good_or_one_bad_and_nothing_when_cancelled() -> None:
    outcomes = []
    for state, until in (("resolved", "12:00"), ("cancelled", "12:00"), ("resolved", "15:00")):
        world = World(promise())
        world.created("10:00")
        world.ticks(until)
        world.event(until, state=state)
        outcomes.append([(f["signal"], f["at"], f["good"], f["bad"]) for f in world.feeds("counts")])
    assert outcomes == [
        [("tickets:fix", "2026-11-23T12:00:00.000Z", 1, 0)],
        [],
        [("tickets:fix", "2026-11-23T14:00:00.000Z", 0, 1)],
    ]


def test_the_queue_hears_of_each_open_clock() -> None:
    world = World(promise())
    world.created("10:00", team="core")
    world.event("11:00", state="pending")
    world.event("12:00", state="open")
    world.event("12:30", team="edge")
    world.event("13:00", state="resolved")
    told = [(f["change"], f["team"], f["deadline"], f["remaining_ms"], f["outcome"]) for f in world.feeds("clock")]
    hour = 3_600_000
    assert told == [
        ("started", "core", "2026-11-23T14:00:00.000Z", 4 * hour, None),
        ("changed", "core", None, 3 * hour, None),
        ("changed", "core", "2026-11-23T15:00:00.000Z", 3 * hour, None),
        ("changed", "edge", "2026-11-23T15:00:00.000Z", 3 * hour - hour // 2, None),
        ("ended", "edge", "2026-11-23T15:00:00.000Z", 2 * hour, "met"),
    ]


def test_nothing_starts_on_a_closed_ticket_until_it_is_reopened() -> None:
    world = World(promise("a"), promise("b", when={"priority": ["P2"]}))
    world.created("10:00")
    world.event("10:30", "closed")
    world.event("10:40", priority="P2")
    assert world.clocks() == ["10:00 clock.started started a", "10:30 clock.met met a"]
    world.event("11:00", "reopened")
    assert world.clocks()[2:] == ["11:00 clock.started started b"]

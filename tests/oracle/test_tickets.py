"""The oracle of tickets: cases worked out by hand that check it, and random tickets by which it checks the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .clock_compare import clock_differences
from .clock_track import Truth
from .clocks import told_of
from .definitions import HOUR_MS, MINUTE_MS
from .hours import Hours
from .replayed import log
from .ticket_campaign import expected, unlike
from .ticket_workload import ticket_workload
from .windows import instant, spell
from .workload import document

MONDAY = instant("2026-11-23T00:00:00Z")


def at(clock: str, day: int = 23) -> int:
    return instant(f"2026-11-{day:02d}T{clock}:00Z")


def office(**spec: Any) -> Hours:
    whole = {"timezone": "UTC", "hours": {"mon-fri": ["09:00-12:00", "13:00-17:00"]}, **spec}
    return Hours(document("Calendar", "office", whole))


@pytest.mark.parametrize(
    ("hours", "start", "span_ms", "due"),
    [
        (Hours(None), at("10:00"), HOUR_MS, at("11:00")),
        (office(), at("10:00"), 2 * HOUR_MS, at("12:00")),  # at closing time, not when it opens again
        (office(), at("10:00"), 2 * HOUR_MS + 1, at("13:00") + 1),
        (office(), at("16:00", 27), 2 * HOUR_MS, at("10:00", 30)),  # over the weekend
        (office(closed=["2026-11-24"]), at("16:00"), 2 * HOUR_MS, at("10:00", 25)),
        (office(open={"2026-11-28": ["10:00-11:00"]}), at("16:00", 27), 2 * HOUR_MS, at("11:00", 28)),
        (office(hours={"mon-sun": ["22:00-06:00"]}), at("05:00"), 2 * HOUR_MS, at("23:00")),
        (office(timezone="Asia/Kathmandu"), at("00:00"), HOUR_MS, at("04:15")),
    ],
)
def test_a_deadline_by_hand(hours: Hours, start: int, span_ms: int, due: int) -> None:
    assert hours.reached(start, span_ms, []) == due
    assert hours.elapsed_ms(start, due, []) == span_ms
    assert hours.elapsed_ms(start, due - 1, []) == span_ms - 1


def promise(**spec: Any) -> dict[str, Any]:
    whole = {
        "service": "pay", "metric": "resolution", "target": "4h", "when": {"priority": ["P1"]},
        "stop": {"state": ["resolved"]}, "grace": "0s", "warnAt": ["50%"], **spec,
    }  # fmt: skip
    return document("TicketObjective", "fix", whole)


def event(clock: str, kind: str, read: str | None = None, by: str | None = None, **fields: Any) -> dict[str, Any]:
    value = {"type": "ticket", "ticket": "T", "service": "pay", "at": at(clock), "event": kind, "fields": fields}
    return {
        "topic": "sla.tickets.v1", "key": "T", "value": {**value, "by": by}, "timestamp": at(read or clock),
    }  # fmt: skip


def story(promised: dict[str, Any], *lines: dict[str, Any], until: str = "23:00") -> list[str]:
    steps = log(list(lines), lines[0]["timestamp"] // MINUTE_MS * MINUTE_MS, at(until), MINUTE_MS)
    told = told_of([promised], steps, MINUTE_MS)
    return [
        f"{each['value']['time'][11:16]} {each['value']['type'][9:-3]} {each['value']['data']['reason']['rule']}"
        for each in told.events
    ]


CREATED = event("10:00", "created", priority="P1", state="new")


def test_a_clock_by_hand() -> None:
    lines = (CREATED, event("11:00", "updated", state="pending"), event("12:00", "updated", state="open"))
    assert story(promise(), *lines, event("15:30", "updated", state="resolved")) == [
        "10:00 clock.started started",
        "11:00 clock.paused paused",
        "12:00 clock.resumed resumed",
        "13:00 early_warning ticket_mark",
        "15:00 breach deadline",
        "15:00 clock.breached deadline",
        "15:30 recovery met_late",
        "15:30 clock.met met_late",
    ]


def test_a_reply_clock_by_hand() -> None:
    spec = {"metric": "next_reply", "target": "1h", "warnAt": "none"}
    lines = [CREATED, event("10:10", "reply", by="customer"), event("10:20", "reply", by="agent")]
    lines += [event("10:30", "reply", by="customer"), event("10:50", "reply", by="customer")]
    assert story(promise(**spec), *lines, event("11:00", "reply", by="agent")) == [
        "10:30 clock.started started",
        "11:00 clock.met met",
    ]


def test_a_late_event_leaves_the_truth_of_the_end_alone_to_compare() -> None:
    steps = log([CREATED, event("13:00", "updated", "15:00", state="resolved")], at("10:00"), at("15:00"), MINUTE_MS)
    told = told_of([promise()], steps, MINUTE_MS)
    assert (told.events, told.orderly) == ([], set())
    facts = [("met", at("13:00")), ("started", at("10:00"))]
    assert told.facts == {"pay/fix/ticket:T": Truth(facts, facts, -1)}
    found = clock_differences(told, [])
    assert found == [
        f"pay/fix/ticket:T: in the end {name} at {spell(moment)} is true and untold" for name, moment in facts
    ]


def test_what_is_missing_or_told_otherwise_is_seen() -> None:
    events = expected(ticket_workload(4, is_calm=True)).events
    wanted = expected(ticket_workload(4, is_calm=True))
    assert clock_differences(wanted, events) == []
    assert any("missing" in line for line in clock_differences(wanted, events[:-1]))
    events[-1]["value"]["data"]["ticket"]["elapsed_ms"] += 1
    assert any("elapsed_ms expected" in line for line in clock_differences(wanted, events))


@pytest.mark.parametrize("seed", range(30))
def test_random_tickets_are_told_as_the_oracle_expects(seed: int, tmp_path: Path) -> None:
    found, _ = unlike(seed, tmp_path)
    assert found == []

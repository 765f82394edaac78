"""The lines of the demo say who is told of what, and when, as the play counts time."""

from __future__ import annotations

from typing import Any

from forewarn.demo.timeline import delivery_entry, in_play, line_of, question_entry
from sla.units import HOUR_MS, MINUTE_MS, rfc3339

START = 1_795_428_000_000


def test_instants_are_told_as_the_play_counts_them_and_those_before_it_as_they_are() -> None:
    before, due, far = (rfc3339(START + ms) for ms in (-HOUR_MS, 35 * MINUTE_MS, 22 * HOUR_MS + 20 * MINUTE_MS))
    told = in_play(f"since {before}; due at {due}, at most {far}.", START)
    assert told == f"since {before}; due at +35:00, at most +22 h 20 min."


def test_a_question_is_shown_with_what_is_expected_and_by_when_it_should_be_answered() -> None:
    until = rfc3339(START + 40 * MINUTE_MS)
    question = {
        "dedup_key": "shop/paid", "answer_by": until,
        "question": f"Expected: paid is missed at {until}. Please decide by {until} for shop/paid: accept it, ….",
    }  # fmt: skip
    entry = question_entry({"id": "m1", "stakeholder": "ann"}, question, 30 * MINUTE_MS, START)
    line = line_of(entry, colour=False)
    assert line.endswith("· ann is asked to plan, by +40:00. Expected: paid is missed at +40:00.")
    assert line.startswith("+30:00  shop ")


def test_what_is_told_late_says_what_it_is_about() -> None:
    delivery: dict[str, Any] = {
        "dedup_key": "shop/paid", "stakeholder": "ann", "channel": {"kind": "console"}, "event_ids": ["e1"],
        "event_id": "e1", "outcome": "delivered",
    }  # fmt: skip
    assert delivery_entry(delivery, 0, "Escalated: x").what == "told ann: Escalated: x"
    several = {**delivery, "event_ids": ["e1", "e2"]}
    assert delivery_entry(several, 0, "2 events").what == "told ann of 2 events in one message"
    assert delivery_entry({**delivery, "outcome": "failed"}, 0, "x").what == "could not tell ann by console"

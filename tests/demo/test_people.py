"""Who is asked in the demo answers once for each promise, and nobody else does."""

from __future__ import annotations

from typing import Any

import orjson

from forewarn.demo.people import ANSWERS_AFTER_MS, Planner
from schemas.topics import COMMANDS

NOW = 1_795_428_000_000


def message(stakeholder: str, *keys: str) -> dict[str, Any]:
    return {"stakeholder": stakeholder, "planning": [{"dedup_key": key} for key in keys]}


def test_each_question_is_answered_once_and_after_a_while() -> None:
    planner = Planner("ann")
    (answer,) = planner.read(message("ann", "a/b"), NOW)
    assert answer.due_at == NOW + ANSWERS_AFTER_MS
    assert answer.record.topic == COMMANDS.name
    body = orjson.loads(answer.record.value)
    assert (body["type"], body["stakeholder"], body["dedup_key"], body["answer"]) == ("reply", "ann", "a/b", "mitigate")
    assert planner.read(message("ann", "a/b"), NOW) == []
    assert [
        orjson.loads(each.record.value)["dedup_key"] for each in planner.read(message("ann", "a/c", "a/b"), NOW)
    ] == ["a/c"]


def test_what_others_are_asked_is_not_answered_nor_a_message_without_a_question() -> None:
    planner = Planner("ann")
    assert planner.read(message("bob", "a/b"), NOW) == []
    assert planner.read(message("ann"), NOW) == []

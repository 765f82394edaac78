"""Somebody who is asked what they will do about a breach that is ahead, and answers, as a stakeholder would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from forewarn.kafka import Record
from schemas.topics import COMMANDS

ANSWERS_AFTER_MS: Final = 90_000  # of log time: people read before they answer


class Answer(NamedTuple):
    """What is answered to a question, and when."""

    due_at: int
    record: Record


class Planner:
    """Answers the first question that a stakeholder is asked about each promise."""

    def __init__(self, stakeholder: str) -> None:
        """Nothing was asked yet."""
        self._stakeholder = stakeholder
        self._answered: set[str] = set()

    def read(self, message: Mapping[str, Any], now: int) -> list[Answer]:
        """A message of `sla.outbox.v1`: what is answered to the questions in it."""
        if message.get("stakeholder") != self._stakeholder:
            return []
        asked = [str(question["dedup_key"]) for question in message.get("planning") or ()]
        new = [key for key in dict.fromkeys(asked) if key not in self._answered]
        self._answered.update(new)
        return [Answer(now + ANSWERS_AFTER_MS, _reply(self._stakeholder, key, now)) for key in new]


def _reply(stakeholder: str, dedup_key: str, now: int) -> Record:
    body = {
        "type": "reply",
        "id": f"demo-{dedup_key}",
        "by": stakeholder,
        "at": now,
        "stakeholder": stakeholder,
        "dedup_key": dedup_key,
        "answer": "mitigate",
        "text": "rolling back the last change",
    }
    return Record(COMMANDS.name, stakeholder, orjson.dumps(body), timestamp_ms=now)

"""Somebody for whom it is night when the play begins: what is for them is held, and told in one digest by day.

Their hours are made from the play's beginning, so it is night for them at whatever hour the demo is started.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from forewarn.demo.expectations import Verdict
from forewarn.demo.timeline import clock_text
from schemas.instants import read_instant
from sla.units import HOUR_MS, MINUTE_MS, spoken

SLEEPER: Final = "manager"
NIGHT_MS: Final = 40 * MINUTE_MS  # the silent service speaks again well before, and the one that is down does not
DAY_MS: Final = 12 * HOUR_MS
_CALENDAR: Final = "hours-of-the-manager"


class Night:
    """The stakeholder's definitions, what was held and told, and whether that was as it should be."""

    def __init__(self, start_at: int) -> None:
        """Their day begins `NIGHT_MS` after `start_at`, a whole minute."""
        self._opens_at = start_at + NIGHT_MS
        self._held: list[str] = []  # ids of events
        self._told_ats: dict[str, int] = {}  # by message
        self._digests: dict[str, Mapping[str, Any]] = {}

    def documents(self) -> list[dict[str, Any]]:
        """A calendar of which it is night now, and the stakeholder who keeps to it."""
        hours = f"{_clock(self._opens_at)}-{_clock(self._opens_at + DAY_MS)}"
        calendar = {"timezone": "UTC", "hours": {"mon-sun": [hours]}}
        sleeper = {
            "audience": "executive",
            "watches": {"services": ["inventory", "payments"]},
            "channels": ["console"],
            "hours": {"calendar": _CALENDAR, "outside": "hold"},
            "horizon": "none",
        }
        return [_document("Calendar", _CALENDAR, calendar), _document("Stakeholder", SLEEPER, sleeper)]

    def read_message(self, message: Mapping[str, Any]) -> None:
        """A message of `sla.outbox.v1`."""
        if message.get("stakeholder") == SLEEPER and message.get("kind") == "digest":
            self._digests[message["id"]] = message

    def read_delivery(self, delivery: Mapping[str, Any]) -> str | None:
        """A record of `sla.deliveries.v1`: what there is to say of it, if it is theirs and of the night."""
        if delivery["stakeholder"] != SLEEPER:
            return None
        if delivery["outcome"] in ("held", "folded"):
            self._held.append(delivery["event_id"])
            return f"{SLEEPER} is not disturbed at night: held until +{clock_text(NIGHT_MS)}"
        if delivery["outcome"] == "delivered":
            self._told_ats[delivery["id"]] = read_instant(delivery["at"]) or 0
        digest = self._digests.get(delivery["id"])
        return None if digest is None else f"{SLEEPER}'s day begins. {digest['subject']}"

    def judge(self) -> Verdict:
        """Met if something was held, nothing was told before the day, and then one digest told all of it."""
        if not self._held:
            return Verdict(False, "nothing was held")
        if any(at < self._opens_at for at in self._told_ats.values()):
            return Verdict(False, "was disturbed at night")
        told = [digest for key, digest in self._digests.items() if key in self._told_ats]
        if len(told) != 1:
            return Verdict(False, f"{len(told)} digests at the end of the night instead of one")
        missing = set(self._held) - set(told[0]["event_ids"])
        if missing:
            return Verdict(False, f"{len(missing)} of {len(self._held)} that were held are not in the digest")
        items = told[0]["items"]
        cleared = {item["dedup_key"] for item in items if item["event"] == "recovery"}
        holds = {item["dedup_key"] for item in items if item["holds"]}
        if not cleared or not holds:
            return Verdict(False, "the digest does not tell what cleared and what still holds")
        return Verdict(True, f"{len(self._held)} held for {spoken(NIGHT_MS)} at most, then told in one digest")


def _document(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _clock(at: int) -> str:
    """The time of day in UTC."""
    return f"{datetime.fromtimestamp(at // 1000, UTC):%H:%M}"

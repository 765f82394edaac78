"""It is night for somebody whenever the demo is started, and what counts as having told them well."""

from __future__ import annotations

from typing import Any

import pytest

from forewarn.demo.night import NIGHT_MS, SLEEPER, Night
from forewarn.demo.runner import EXAMPLES
from schemas.definitions import load, load_documents
from sla.dispatch.policy import Verdict, policy_of
from sla.units import HOUR_MS, MINUTE_MS, rfc3339

START = 1_795_428_000_000 // MINUTE_MS * MINUTE_MS


@pytest.mark.parametrize("hour", range(24))
def test_it_is_night_from_the_start_until_its_end_at_whatever_hour(hour: int) -> None:
    start_at = START + hour * HOUR_MS
    loaded = load_documents([*load([EXAMPLES]).documents, *Night(start_at).documents()])
    assert loaded.catalogue is not None, loaded.findings
    policy = policy_of(loaded.catalogue, SLEEPER)
    assert policy is not None
    ruling = policy.rule(start_at, is_critical=True)
    assert (ruling.verdict, ruling.until_at) == (Verdict.HOLD, start_at + NIGHT_MS)
    assert policy.rule(start_at + NIGHT_MS, is_critical=False).verdict is Verdict.SEND


def held(event_id: str) -> dict[str, Any]:
    return {"stakeholder": SLEEPER, "outcome": "held", "id": f"held-{event_id}", "event_id": event_id}


def told(message_id: str, after_ms: int = NIGHT_MS) -> dict[str, Any]:
    return {"stakeholder": SLEEPER, "outcome": "delivered", "id": message_id, "at": rfc3339(START + after_ms)}


def digest(*items: tuple[str, str, bool], message_id: str = "d") -> dict[str, Any]:
    shown = [{"dedup_key": key, "event": name, "holds": holds} for key, name, holds in items]
    ids = [f"{name} of {key}" for key, name, _ in items]
    return {
        "stakeholder": SLEEPER, "kind": "digest", "id": message_id, "subject": "s", "items": shown, "event_ids": ids
    }  # fmt: skip


DOWN, GONE, BACK = ("pay", "breach", True), ("inv", "unknown", False), ("inv", "recovery", False)


@pytest.mark.parametrize(
    ("messages", "deliveries", "is_met", "why"),
    [
        ([digest(DOWN, GONE, BACK)], [held("breach of pay"), told("d")], True, "1 held"),
        ([], [], False, "nothing was held"),
        ([digest(DOWN, GONE, BACK)], [held("breach of pay")], False, "0 digests"),
        ([digest(DOWN, GONE, BACK)], [held("breach of pay"), told("d", NIGHT_MS - 1)], False, "was disturbed"),
        ([digest(DOWN, GONE, BACK)], [held("breach of pay"), told("n", 1), told("d")], False, "was disturbed"),
        ([digest(DOWN, GONE, BACK)], [held("other"), told("d")], False, "1 of 1 that were held"),
        ([digest(DOWN)], [held("breach of pay"), told("d")], False, "the digest does not tell"),
        (
            [digest(DOWN), digest(BACK, message_id="e")],
            [held("breach of pay"), told("d"), told("e")],
            False,
            "2 digests",
        ),
    ],
)
def test_the_night_was_kept_or_it_says_why_not(
    messages: list[dict[str, Any]], deliveries: list[dict[str, Any]], *, is_met: bool, why: str
) -> None:
    night = Night(START)
    for message in messages:
        night.read_message(message)
    for delivery in deliveries:
        night.read_delivery(delivery)
    verdict = night.judge()
    assert (verdict.is_met, verdict.why.startswith(why)) == (is_met, True), verdict.why


def test_what_others_are_told_is_not_of_the_night() -> None:
    night = Night(START)
    assert night.read_delivery({**held("a"), "stakeholder": "ann"}) is None
    night.read_message({**digest(DOWN), "stakeholder": "ann"})
    assert night.judge().why == "nothing was held"

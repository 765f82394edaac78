"""What people read: every number that matters, and never an exception."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.wording import SUBJECT_LONGEST, subject_of, text_of

EVENT: dict[str, Any] = {
    "id": "0123456789abcdef0123456789abcdef",
    "type": "forewarn.early_warning.v1",
    "time": "2026-11-23T10:07:00.000Z",
    "data": {
        "dedup_key": "payments/payments-availability",
        "severity": "critical",
        "state": "at_risk",
        "service": "payments",
        "objective": {"name": "payments-availability", "target": "99.9%", "window": "30d rolling"},
        "agreements": [{"name": "acme-gold", "type": "sla", "customer": "acme", "credit_at_risk": "1200.00 EUR"}],
        "opened_at": "2026-11-23T10:07:00.000Z",
        "reason": {
            "rule": "burn_rate",
            "tier": "page_fast",
            "factor": 14.4,
            "long_window": "1h",
            "short_window": "5m",
            "burn_long": 22.08,
            "burn_short": 31.02,
            "bad_count": 212,
            "total_count": 9600,
        },
        "budget": {"allowed_count": 6912, "consumed_count": 3392, "remaining_ratio": 0.5093},
        "forecast": {
            "breach_at": {"p10": "2026-11-24T01:00:00.000Z", "p50": "2026-11-24T02:43:00.000Z", "p90": None},
            "p_breach_in_window": 0.97,
        },
        "advice": {
            "summary": "At this pace the budget ends in 16 h 36 min.",
            "actions": ["Roll back deploy-8812."],
            "runbook": "https://runbooks/payments",
        },
    },
}


def test_a_person_reads_what_since_when_why_what_is_left_what_comes_and_what_to_do() -> None:
    assert subject_of(EVENT) == "[critical] Early warning: payments-availability (payments)"
    assert text_of(EVENT).split("\n") == [
        (
            "payments-availability (99.9%, 30d rolling) of payments is at risk and will be missed if nothing changes, "
            "as of 2026-11-23T10:07:00.000Z."
        ),
        "Since 2026-11-23T10:07:00.000Z.",
        (
            "Why: the error budget is spent 22.08 times too fast over 1h and 31.02 times over 5m; the limit is 14.4 "
            "(tier page_fast). 212 of 9600 were bad."
        ),
        "Error budget: 3392 of 6912 used (50.93% left).",
        "Forecast: missed at about 2026-11-24T02:43:00.000Z; probability 97%.",
        "At this pace the budget ends in 16 h 36 min.",
        "- Roll back deploy-8812.",
        "Promised in: acme-gold (sla, for acme, credit at risk 1200.00 EUR).",
        "Runbook: https://runbooks/payments",
        "Event 0123456789abcdef0123456789abcdef of payments/payments-availability.",
    ]


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("breach", "[critical] Breach: payments-availability (payments)"),
        ("recovery", "Recovery: payments-availability (payments)"),
        ("unknown", "[critical] No data: payments-availability (payments)"),
        ("something_new", "Something new: payments-availability (payments)"),
    ],
)
def test_the_subject_names_what_happened(kind: str, subject: str) -> None:
    assert subject_of(EVENT | {"type": f"forewarn.{kind}.v1"}) == subject


def test_a_budget_mark_does_not_claim_that_the_objective_is_at_risk() -> None:
    data = EVENT["data"] | {"state": "ok", "reason": {"rule": "budget_consumed"}}
    text = text_of(EVENT | {"data": data})
    assert "is met, but its error budget shrinks" in text
    assert "at risk" not in text.split("\n")[0]


JUNK: list[Any] = [
    None,
    True,
    -1,
    10**399,
    1e300,
    float("inf"),
    "",
    "x" * 300,
    [],
    [None],
    [[1]],
    [{"name": 3}],
    {},
    {"a": []},
]
DATA: dict[str, Any] = EVENT["data"]
PATHS = [(key,) for key in EVENT] + [("data", key) for key in DATA]
PATHS += [("data", key, inner) for key, value in DATA.items() if isinstance(value, dict) for inner in value]


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(JUNK)), max_size=6))
def test_any_event_can_be_worded(damages: list[tuple[tuple[str, ...], Any]]) -> None:
    event = copy.deepcopy(EVENT)
    for (*outer, last), junk in damages:
        target: Any = event
        for key in outer:
            target = target.get(key) if isinstance(target, dict) else None
        if isinstance(target, dict):
            target[last] = junk
    assert len(subject_of(event)) <= SUBJECT_LONGEST
    assert text_of(event)


@pytest.mark.parametrize(
    ("audience", "final", "headline"),
    [
        ("customer", False, "[critical] Breach expected: payments-availability (payments)"),
        ("customer", True, "[critical] Breach: payments-availability (payments)"),
        ("oncall", False, "[critical] Breach: payments-availability (payments)"),
    ],
)
def test_a_customer_hears_of_a_breach_that_may_still_recover_as_a_forecast(
    audience: str, *, final: bool, headline: str
) -> None:
    event = copy.deepcopy(EVENT) | {"type": "forewarn.breach.v1"}
    event["data"]["flags"] = {"final": final}
    assert subject_of(event, audience) == headline
    assert ("is expected to be missed" in text_of(event, audience)) is headline.startswith("[critical] Breach expected")

"""Events that are made up, one of each kind that people are told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sla.units import rfc3339

AT: Final = 1_795_428_420_000  # 2026-11-23T10:07:00Z
HORIZON_MS: Final = 7 * 24 * 3_600_000


def _event(name: str, severity: str, state: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{sum(name.encode()):032x}",
        "source": "/forewarn/sample",
        "type": f"forewarn.{name}.v1",
        "subject": "payments/payments-availability",
        "time": rfc3339(AT),
        "data": {
            "dedup_key": "payments/payments-availability",
            "sequence": 7,
            "episode": 3,
            "severity": severity,
            "state": state,
            "service": "payments",
            "signal": "availability",
            "instance": None,
            "objective": {
                "name": "payments-availability", "version": 4, "target": "99.9%", "window": "30d rolling",
                "kind": "ratio",
            },
            "agreements": [
                {"name": "acme-gold", "type": "sla", "customer": "acme", "credit_at_risk": "1200.00 EUR"},
                {"name": "globex-silver", "type": "sla", "customer": "globex", "credit_at_risk": None},
            ],
            "owner": "payments-team",
            "opened_at": rfc3339(AT - 420_000),
            "evaluated_at": rfc3339(AT),
            "reason": {"rule": "budget_spent", "bad_count": 212, "total_count": 9600},
            "budget": {"allowed_count": 6912, "consumed_count": 3392, "remaining_ratio": 0.5093},
            "forecast": None,
            "flags": {"final": True, "historic": False, "no_data": False},
            "causes": [{"type": "change", "id": "deploy-8812"}],
            "exclusions": [],
            "advice": {
                "summary": "At this pace the budget ends in 16 h 36 min.",
                "actions": ["Roll back deploy-8812", "Shed load of batch clients"],
                "runbook": "https://example.com/runbooks/payments",
            },
            **data,
        },
    }  # fmt: skip


_FORECAST: Final = {
    "breach_at": {name: rfc3339(AT + hours * 3_600_000) for name, hours in (("p10", 12), ("p50", 16), ("p90", 24))},
    "p_breach_in_window": 0.97,
}
_BURN: Final = {
    "rule": "burn_rate", "tier": "page_fast", "factor": 14.4, "long_window": "1h", "short_window": "5m",
    "burn_long": 22.08, "burn_short": 31.02, "bad_count": 212, "total_count": 9600, "p_value": 0.0,
}  # fmt: skip

SAMPLES: Final[Mapping[str, dict[str, Any]]] = {
    "early_warning": _event("early_warning", "critical", "at_risk", reason=_BURN),
    "planning": _event("early_warning", "critical", "at_risk", reason=_BURN, forecast=_FORECAST),
    "breach": _event("breach", "critical", "breached"),
    "recovery": _event("recovery", "critical", "ok", reason={"rule": "cleared"}),
    "unknown": _event("unknown", "warning", "unknown", reason={"rule": "no_data"}),
    "correction": _event("correction", "warning", "ok", reason={"rule": "late_data"}, supersedes="0" * 32),
    "period_closed": _event(
        "period_closed", "info", "ok", reason={"rule": "period"},
        period={
            "from": "2026-10-01T00:00:00.000Z", "to": "2026-11-01T00:00:00.000Z", "attained_ppm": 998_731, "met": False,
            "excluded_ms": 0, "credit": "1200.00 EUR",
        },
    ),
}  # fmt: skip
KINDS: Final = ("digest", "group", "repeat", "ack")
"""Messages that are not about one event; they tell of several samples, or of what somebody did."""
NAMES: Final = (*SAMPLES, *KINDS)

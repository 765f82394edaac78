"""How every promise stands now, from the read model in Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import redis

from forewarn.connection import redis_away

STATUS_KEY: Final = "forewarn:status"  # a hash: dedup key → the data of the newest forewarn.status.v1
ANSWER_WITHIN_S: Final = 5.0
HEAD: Final = ("OBJECTIVE", "STATE", "BUDGET LEFT", "BURN", "BREACH FORECAST", "SINCE")

NOTHING: Final = "-"

Status = Mapping[str, Any]

_URGENCY: Final = {"breached": 0, "at_risk": 1, "unknown": 2, "ok": 3}


def read(url: str, service: str | None = None) -> list[Status]:
    """The status of every objective, of one service if named: the worst first, then by dedup key."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S
        ) as client:
            raw = client.hvals(STATUS_KEY)
    except (redis.RedisError, OSError, ValueError) as error:
        raise redis_away(url, error) from None
    found = [orjson.loads(value) for value in raw]
    chosen = [status for status in found if service is None or status.get("service") == service]
    return sorted(chosen, key=lambda status: (_URGENCY.get(status.get("state", ""), 9), str(status.get("dedup_key"))))


def rows(statuses: Sequence[Status]) -> list[tuple[str, ...]]:
    """What a person reads, one row each, under `HEAD`."""
    return [
        (
            str(status.get("dedup_key")),
            str(status.get("state")) + (" (no data)" if _of(status, "flags").get("no_data") else ""),
            _share(_of(status, "budget").get("remaining_ratio")),
            _burn(_of(status, "reason")),
            str(_of(_of(status, "forecast"), "breach_at").get("p50") or NOTHING),
            str(status.get("opened_at") or NOTHING) if status.get("state") != "ok" else NOTHING,
        )
        for status in statuses
    ]


def _share(ratio: Any) -> str:
    return f"{ratio:.1%}" if isinstance(ratio, (int, float)) else NOTHING


def _burn(reason: Status) -> str:
    burn = reason.get("burn_long")
    return f"{burn} over {reason.get('long_window')}" if isinstance(burn, (int, float)) else NOTHING


def _of(status: Status, name: str) -> Status:
    value = status.get(name)
    return value if isinstance(value, Mapping) else {}

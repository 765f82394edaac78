"""Redis: whether it answers, and is filled."""

from __future__ import annotations

from typing import Final

import redis

from forewarn.connection import redis_away
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis
from forewarn.finding import Finding, Level
from forewarn.status import STATUS_KEY
from schemas.topics import STATUS

CHECK: Final = "redis"
WITHIN_S: Final = 5.0


def check(case: Case) -> list[Diagnosis]:
    """No decision depends on it; `forewarn status` and whoever looks up a status do."""
    url = case.settings.redis_url.get_secret_value()
    try:
        with redis.Redis.from_url(url, socket_timeout=WITHIN_S, socket_connect_timeout=WITHIN_S) as client:
            held_count = int(str(client.hlen(STATUS_KEY)))
    except (redis.RedisError, ValueError, OSError) as error:
        away = redis_away(url, error)
        return [Diagnosis(CHECK, "REDIS_URL", Finding(away.message, away.hint))]
    told = any(bounds.end > bounds.low for bounds in case.bounds(STATUS.name).values())
    if told and not held_count:
        what = f"it holds no status, though {STATUS.name} does: the role project is not running"
        cure = "run: forewarn worker --roles project"
        return [Diagnosis(CHECK, "REDIS_URL", Finding(what, cure, Level.WARNING))]
    return []

"""The role `project`: Redis as the read model of `sla.status.v1`; it may be emptied at any moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.metrics import Metric
from agents.port import Port
from agents.preflight import Refusal
from agents.role import Context, WorkRole, written_by
from agents.standalone import app_of
from schemas.topics import STATUS

log = logging.getLogger("forewarn.project")

STATUS_KEY: Final = "forewarn:status"  # hash: dedup key → JSON of the status event's data
LOOK_EVERY_S: Final = 1.0
REDIS_WITHIN_S: Final = 10.0
FILL_WITHIN_S: Final = 60.0  # of all statuses at once
TRIES_MAX: Final = 6
PAUSE_FIRST_S: Final = 0.5

Changes = dict[str, bytes | None]
"""Dedup key → JSON of its data, or None when the status was withdrawn."""


class Project:
    """Keeps the newest status of each dedup key, as the log of its partitions holds it, in memory and in Redis.

    No offset is committed: every start and every rebalance reads the compacted topic anew, and Redis sees a
    partition only once its end as of then was read, so it never goes back in time.
    """

    def __init__(self, context: Context, redis: Redis | None = None) -> None:
        """`redis` is the settings' by default."""
        self._context = context
        self._redis: Redis = redis or Redis.from_url(
            context.settings.redis_url.get_secret_value(), socket_timeout=REDIS_WITHIN_S
        )
        self._port: Port | None = None
        self._status: dict[int, Changes] = {}  # by partition
        self._ends: dict[int, int] = {}  # partition → where its log ended when it was first read
        self._watch: asyncio.Task[None] | None = None

    async def start(self, port: Port) -> None:
        """Connect."""
        self._port = port
        try:
            async with asyncio.timeout(REDIS_WITHIN_S):
                await self._redis.ping()
        except (RedisError, OSError) as error:
            raise Refusal(f"Redis does not answer ({error}): check REDIS_URL") from None
        self._watch = asyncio.create_task(self._refill_when_emptied())

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Take a batch; on return Redis has it, unless the partition is still being read anew."""
        if self._port is None:
            raise RuntimeError("project was not started")
        if partition not in self._ends:
            self._ends[partition] = await self._port.end_offset(partition)
        changes = dict(found for record in records if (found := change(record.key, record.value)) is not None)
        status = self._status.setdefault(partition, {})
        is_first = bool(self._ends[partition])
        status |= changes
        if records[-1].offset + 1 < self._ends[partition]:
            return
        await self._write(status if is_first else changes)
        self._ends[partition] = 0
        for key in [key for key, data in changes.items() if data is None]:
            status.pop(key, None)

    async def _write(self, changes: Changes) -> None:
        pause_s = PAUSE_FIRST_S
        for left in reversed(range(TRIES_MAX)):
            try:
                async with asyncio.timeout(FILL_WITHIN_S), self._redis.pipeline(transaction=False) as pipeline:
                    for key, data in changes.items():
                        if data is None:
                            pipeline.hdel(STATUS_KEY, key)
                        else:
                            pipeline.hset(STATUS_KEY, key, data)
                    await pipeline.execute()
            except (RedisError, OSError) as error:
                if left == 0:
                    raise
                log.warning("Redis does not answer (%s): trying again", error)
                await asyncio.sleep(pause_s)
                pause_s *= 2
            else:
                self._context.metrics.count(Metric.PROJECTED, len(changes))
                return

    async def _refill_when_emptied(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            known = {
                key: data for p, status in self._status.items() if not self._ends[p] for key, data in status.items()
            }
            try:
                if known and await self._is_emptied():
                    log.warning("Redis was emptied: writing %d statuses again", len(known))
                    await self._write(known)
            except (RedisError, OSError) as error:
                log.warning("Redis does not answer (%s): looking again", error)

    async def _is_emptied(self) -> bool:
        async with asyncio.timeout(REDIS_WITHIN_S):
            return not await self._redis.exists(STATUS_KEY)

    def forget(self) -> None:
        """The partitions go; what they hold is read anew by whoever gets them."""
        self._status.clear()
        self._ends.clear()

    async def stop(self) -> None:
        """Disconnect."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        await self._redis.aclose()


def change(key: bytes | None, value: bytes | None) -> tuple[str, bytes | None] | None:
    """What a record of `sla.status.v1` says: its dedup key and data; None for what is not a status of ours."""
    if value is None:
        return (key.decode(errors="replace"), None) if key else None
    try:
        event = orjson.loads(value)
        data = event["data"]
        return str(data["dedup_key"]), orjson.dumps(data)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        log.warning("a record of sla.status.v1 is no status event: %.100r", value)
        return None


ROLE: Final = WorkRole(
    name="project", source=STATUS.name, writes=written_by("project"), make_work=Project, from_beginning=True
)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

"""Whether a link was used before. Redis makes it one-time; without Redis the fold does, by the command's id."""

from __future__ import annotations

import logging
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger("forewarn.answers")

WITHIN_S: Final = 1.0


class Gate:
    """Remembers used links until they expire. A Redis that is away lets all through: a repeat changes nothing."""

    def __init__(self, url: str) -> None:
        """Connects when it is first asked."""
        self._redis = Redis.from_url(url, socket_timeout=WITHIN_S, socket_connect_timeout=WITHIN_S)

    async def is_used(self, link_id: str) -> bool:
        """Whether it was used before, as far as is known."""
        try:
            return bool(await self._redis.exists(_key(link_id)))
        except (RedisError, OSError) as error:
            log.warning("no Redis to keep used links in (%s): a second use is dropped by the id of its command", error)
            return False

    async def mark(self, link_id: str, for_ms: int) -> None:
        """It was used: its answer is on record."""
        try:
            await self._redis.set(_key(link_id), b"1", px=max(1, for_ms))
        except (RedisError, OSError) as error:
            log.warning("a used link was not kept (%s): a second use is dropped by the id of its command", error)

    async def close(self) -> None:
        """Disconnect."""
        await self._redis.aclose()


def _key(link_id: str) -> str:
    return f"forewarn:link:{link_id}"

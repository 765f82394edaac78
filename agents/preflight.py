"""Before a role starts: is the broker there, and are its topics? Answers a user can act on, never a traceback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

log = logging.getLogger("forewarn.worker")

PAUSE_FIRST_S: Final = 0.5
PAUSE_LONGEST_S: Final = 5.0
CLIENT_LOGGERS: Final = ("aiokafka", "aiokafka.client", "aiokafka.conn")


class Refusal(Exception):  # noqa: N818 - an answer to the user
    """Why the role does not start, and what to do."""


async def partitions_by_topic(client_options: Mapping[str, Any], within_s: float) -> dict[str, int]:
    """Every topic of the broker with its number of partitions; tries again, with growing pauses, for `within_s`."""
    deadline, pause_s = monotonic() + within_s, PAUSE_FIRST_S
    where = ", ".join(client_options["bootstrap_servers"])
    while True:
        left_s = deadline - monotonic()
        try:
            async with asyncio.timeout(max(left_s, 0.1)):
                return await _ask(client_options)
        except (KafkaError, OSError, TimeoutError) as error:
            left_s = deadline - monotonic()
            if left_s <= 0:
                raise Refusal(
                    f"no broker answered at {where} within {within_s:g} s ({_reason(error)}): check "
                    f"KAFKA_BOOTSTRAP_SERVERS, the KAFKA_SECURITY_PROTOCOL and KAFKA_SASL_ settings, and the network"
                ) from None
            log.warning("no broker answers at %s (%s): trying for %.0f s more", where, _reason(error), left_s)
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, PAUSE_LONGEST_S)


async def _ask(client_options: Mapping[str, Any]) -> dict[str, int]:
    client = AIOKafkaClient(**client_options)
    levels = {name: logging.getLogger(name).level for name in CLIENT_LOGGERS}
    try:
        for name in levels:  # it logs each failure as an error; we say the same once, in words
            logging.getLogger(name).setLevel(logging.CRITICAL)
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
        return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        await client.close()


def check_topics(found: Mapping[str, int], needed: Iterable[str], *, source: str, changelog: str | None) -> None:
    """Raise `Refusal` unless every needed topic is there and the changelog has the partitions of its source."""
    missing = sorted(set(needed) - found.keys())
    if missing:
        raise Refusal(f"topics are missing: {', '.join(missing)}. Create them with: forewarn topics create")
    if changelog is not None and found[changelog] != found[source]:
        raise Refusal(
            f"{changelog} has {found[changelog]} partitions, but {source} has {found[source]}: both must have the same "
            f"number, and it never changes. Delete {changelog} and the role's consumer group, then run: "
            f"forewarn topics create"
        )


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__

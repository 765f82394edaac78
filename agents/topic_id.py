"""Which topic is it? A topic that was deleted and made anew has the name of the old one, and another id."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

EMBEDDED: Final = "mockCluster"  # how librdkafka's mock cluster begins to name itself


async def ask_topic_id(config: Mapping[str, Any], topic: str, within_s: float) -> str | None:
    """`topic_id` without holding the event loop; raises TimeoutError too."""
    async with asyncio.timeout(3 * within_s):  # two questions; the client's own limit comes first
        return await asyncio.to_thread(topic_id, config, topic, within_s)


def topic_id(config: Mapping[str, Any], topic: str, within_s: float) -> str | None:
    """The id of a topic that is there, as librdkafka's client learns it: aiokafka speaks no protocol that tells it.

    None where the broker has no ids to tell: the embedded one, and Kafka before 3.1. Raises KafkaException.
    """
    admin = AdminClient({**config, "log_level": 0})  # held: its answers die with it
    if (admin.list_topics(timeout=within_s).cluster_id or "").startswith(EMBEDDED):
        return None  # it answers no such question, and a client waits for its controller
    (answer,) = admin.describe_topics(TopicCollection([topic]), request_timeout=within_s).values()
    try:
        found = answer.result(2 * within_s).topic_id
    except KafkaException as error:
        if error.args[0].code() == KafkaError._UNSUPPORTED_FEATURE:  # noqa: SLF001 - public name
            return None
        raise
    has_one = found.get_most_significant_bits() or found.get_least_significant_bits()
    return str(found) if has_one else None

"""Forewarn's topics on a real broker, changed by hand. The controller knows at once, the broker a moment later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from forewarn import topics
from schemas.topics import ALL, Topic
from tests.harness import Broker, wait_for
from tests.harness.process import PATIENCE_S

NAMES = [topic.name for topic in ALL]


def partitions_of(broker: Broker) -> dict[str, int]:
    """Every topic that the broker knows."""
    found = AdminClient({"bootstrap.servers": broker.bootstrap}).list_topics(timeout=PATIENCE_S).topics
    return {name: len(topic.partitions) for name, topic in found.items()}


def remove(broker: Broker, *names: str) -> None:
    """Delete topics; the broker has forgotten them on return."""
    broker.delete_topics(*names)
    wait_for(lambda: not set(names) & partitions_of(broker).keys(), "the broker to forget")


def make(broker: Broker, wanted: Mapping[Topic, int]) -> None:
    """Make topics as they are declared, but for their number of partitions."""
    for topic, count in wanted.items():
        broker.create_topics({topic.name: count}, topic.settings())
    counts = {topic.name: count for topic, count in wanted.items()}
    wait_for(lambda: counts.items() <= partitions_of(broker).items(), "the broker to know them")


def make_anew(broker: Broker, topic: Topic, count: int) -> None:
    """Replace a topic by an empty one."""
    remove(broker, topic.name)
    make(broker, {topic: count})


@contextmanager
def installed(broker: Broker, partitions_count: int) -> Iterator[Broker]:
    """The real broker with Forewarn's topics, new and empty; and without them afterwards."""
    remove(broker, *NAMES)
    topics.create({"bootstrap.servers": broker.bootstrap}, partitions_count=partitions_count)
    wait_for(lambda: set(NAMES) <= partitions_of(broker).keys(), "the broker to know them")
    try:
        yield broker
    finally:
        remove(broker, *NAMES)


@contextmanager
def setting(broker: Broker, topic: str, name: str, value: str) -> Iterator[None]:
    """A topic's setting, changed and put back."""
    before = _setting(broker, topic, name)
    _set(broker, topic, name, value)
    try:
        yield
    finally:
        _set(broker, topic, name, before)


def _set(broker: Broker, topic: str, name: str, value: str) -> None:
    change = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for answer in admin.incremental_alter_configs([resource]).values():
        answer.result(PATIENCE_S)
    wait_for(lambda: _setting(broker, topic, name) == value, f"the broker to know {name}")


def _setting(broker: Broker, topic: str, name: str) -> str:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    (asked,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return str(asked.result(PATIENCE_S)[name].value)

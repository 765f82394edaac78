"""One face for the two brokers that tests run on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from tests.harness.process import PATIENCE_S, wait_for


def unique(name: str) -> str:
    """A name for a topic, group or cluster that no other test uses."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class Broker:
    """A running broker. `kind` is `real` (Apache Kafka 4) or `embedded` (librdkafka's mock cluster)."""

    kind: str
    bootstrap: str
    create_embedded: Callable[[Mapping[str, int]], None] | None = None

    def create_topics(self, partitions_of: Mapping[str, int], settings: Mapping[str, str] | None = None) -> None:
        """Make topics; fails if one is there already. The embedded broker knows no `settings` and ignores them."""
        if self.create_embedded is not None:
            self.create_embedded(partitions_of)
            return
        wanted = [
            NewTopic(name, num_partitions=count, replication_factor=1, config=dict(settings or {}))
            for name, count in partitions_of.items()
        ]
        admin = self._admin()  # held: its answers die with it
        for answer in admin.create_topics(wanted, operation_timeout=PATIENCE_S).values():
            answer.result(PATIENCE_S)
        # As with deletion: the controller knows before the broker does.
        wait_for(
            lambda: partitions_of.keys() <= admin.list_topics(timeout=PATIENCE_S).topics.keys(),
            "the made topics to be known",
        )

    def delete_topics(self, *names: str) -> None:
        """Remove topics of the real broker; fine if one is not there. Deletion is complete on return."""
        admin = self._admin()
        for answer in admin.delete_topics(list(names), operation_timeout=PATIENCE_S).values():
            try:
                answer.result(PATIENCE_S)
            except KafkaException as error:
                if error.args[0].name() != "UNKNOWN_TOPIC_OR_PART":
                    raise
        # The controller has deleted them; until the broker has heard of it, it still shows and takes the old ones.
        wait_for(
            lambda: not {*names} & admin.list_topics(timeout=PATIENCE_S).topics.keys(),
            "the deleted topics to be gone",
        )

    def _admin(self) -> AdminClient:
        # Outlives the broker, whose end is no news: the run's last line is pytest's own.
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

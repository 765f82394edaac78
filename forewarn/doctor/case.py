"""What the checks look at: the installation as the broker describes it, read when it is asked for.

The newest records of a topic are read once, for all checks. A running installation moves on meanwhile: whoever compares
them with where something stands now asks for that afterwards, so that what is newer is never taken for what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from agents.settings import Settings
from agents.topic_id import topic_id
from forewarn.apply import read_log
from forewarn.doctor.tail import Bounds, Tail, read_bounds, read_tail
from forewarn.kafka import ANSWER_WITHIN_S, Config, broker_away
from schemas.catalogue_log import CatalogueLog
from schemas.topics import ALL

NEWEST_COUNT: Final = 500  # of each partition: enough for every producer of the last seconds to be among them


class Case:
    """One installation. Raises `UserError` when its broker does not answer."""

    def __init__(self, config: Config, settings: Settings) -> None:
        """Ask the broker for its topics."""
        self.config = config
        self.settings = settings
        self.admin = AdminClient({**config, "log_level": 0})
        try:
            found = self.admin.list_topics(timeout=ANSWER_WITHIN_S)
        except KafkaException as error:
            raise broker_away(config, error) from None
        self.brokers = tuple(sorted(found.brokers))
        self.partitions: Mapping[str, int] = {
            topic.name: len(found.topics[topic.name].partitions) for topic in ALL if topic.name in found.topics
        }
        self._tails: dict[str, Tail] = {}

    @cached_property
    def tells_settings(self) -> bool:
        """Whether the brokers can be asked how they and their topics are set; the embedded one cannot."""
        try:
            return bool(self.broker_settings)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNSUPPORTED_FEATURE:  # noqa: SLF001 - public name
                return False
            raise

    @cached_property
    def broker_settings(self) -> Mapping[int, Mapping[str, str]]:
        """How each broker is set."""
        asked = [ConfigResource(ResourceType.BROKER, str(number)) for number in self.brokers]
        answers = self.admin.describe_configs(asked, request_timeout=ANSWER_WITHIN_S)
        return {
            int(resource.name): {
                name: entry.value
                for name, entry in answer.result(2 * ANSWER_WITHIN_S).items()
                if entry.value is not None
            }
            for resource, answer in answers.items()
        }

    def topic_settings(self, topic: str) -> Mapping[str, str]:
        """How a topic is set; it must be there."""
        asked = [ConfigResource(ResourceType.TOPIC, topic)]
        (answer,) = self.admin.describe_configs(asked, request_timeout=ANSWER_WITHIN_S).values()
        return {name: entry.value or "" for name, entry in answer.result(2 * ANSWER_WITHIN_S).items()}

    def clients_of(self, groups: Iterable[str]) -> Mapping[str, list[str]]:
        """What the members of each consumer group call themselves; nobody where the broker does not describe groups."""
        if not self.tells_settings:
            return {}
        answers = self.admin.describe_consumer_groups([*groups], request_timeout=ANSWER_WITHIN_S)
        found = {group: answer.result(2 * ANSWER_WITHIN_S) for group, answer in answers.items()}
        return {group: [member.client_id for member in told.members] for group, told in found.items()}

    def topic_id(self, topic: str) -> str | None:
        """What tells a topic from another that was given its name; it must be there."""
        return topic_id(self.config, topic, ANSWER_WITHIN_S)

    def catalogue(self) -> CatalogueLog:
        """The catalogue's log as it is now; its topic must be there."""
        return read_log(self.config)

    def bounds(self, topic: str) -> Mapping[int, Bounds]:
        """Where each partition of a topic begins and ends now; nothing of a topic that is missing."""
        return read_bounds(self.config, topic, self.partitions.get(topic, 0))

    def tail(self, topic: str) -> Tail:
        """The newest records of a topic; nothing of a topic that is missing."""
        if topic not in self.partitions:
            return Tail({}, {})
        if topic not in self._tails:
            self._tails[topic] = read_tail(self.config, topic, self.partitions[topic], NEWEST_COUNT)
        return self._tails[topic]

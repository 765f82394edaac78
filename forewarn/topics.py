"""Create Forewarn's topics, and verify those that are there.

Nothing here changes a topic that exists: its partitions cannot shrink, and its retention may be somebody's decision.
What differs is told, with what to do about it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType, TopicMetadata

from forewarn.console import Console, ExitCode, UserError, printable
from forewarn.kafka import ANSWER_WITHIN_S, Config, broker_away
from forewarn.topic_judge import CHANGELOGS, Answer, Copies, Found, Outcome, judge
from schemas.topics import ALL, TELEMETRY, Topic

BROKERS_DEFAULT: Final = -1  # of Kafka's replication factor: the broker's own default
KNOWN_WITHIN_S: Final = 60.0  # usually milliseconds; a broker that is starved takes seconds
LOOK_EVERY_S: Final = 0.05


def create(config: Config, *, partitions_count: int, replication: int = BROKERS_DEFAULT) -> list[Answer]:
    """Make the topics that are missing and tell how the others stand; raises `UserError` when the broker is away.

    Doing it twice does nothing the second time. A topic that is there but different is left as it is and told.
    """
    admin = _admin(config)
    found = _describe(admin, config)
    missing = [topic for topic in ALL if topic.name not in found]
    _make(admin, config, missing, partitions_count, replication)
    _wait_until_known(admin, config, {topic.name: topic.partitions or partitions_count for topic in missing})
    return [
        Answer(topic.name, Outcome.CREATED, topic.partitions or partitions_count)
        if topic in missing
        else _judged(topic, found, partitions_count, config)
        for topic in ALL
    ]


def check(config: Config, *, partitions_count: int | None = None) -> list[Answer]:
    """Tell how every topic stands; without `partitions_count` all must have as many as `sla.telemetry.v1` has."""
    found = _describe(_admin(config), config)
    wanted = partitions_count or _usual_count(found)
    return [_judged(topic, found, wanted, config) for topic in ALL]


def report(answers: Sequence[Answer], console: Console) -> ExitCode:
    """Print the answers; 1 if any topic is missing or different."""
    for answer in answers:
        console.record(answer.as_json(), answer.line())
        for finding in answer.findings:
            console.say(printable(f"    {finding.what}"))
            console.say(printable(f"      {finding.remedy}"))
    return ExitCode.FINE if all(answer.is_fine for answer in answers) else ExitCode.FINDING


def _judged(topic: Topic, found: Mapping[str, Found], partitions_count: int | None, config: Config) -> Answer:
    changelog = CHANGELOGS.get(topic.name)
    source = None if changelog is None else found.get(changelog.source.name)
    return judge(topic, found.get(topic.name), partitions_count, config, source)


def _usual_count(found: Mapping[str, Found]) -> int | None:
    """How many partitions the telemetry has, or where it is missing most of the others; None if there are none."""
    telemetry = found.get(TELEMETRY.name)
    if telemetry is not None:
        return telemetry.partitions_count
    alike = [found[topic.name] for topic in ALL if topic.partitions is None and topic.name in found]
    counts = Counter(each.partitions_count for each in alike)
    return counts.most_common(1)[0][0] if counts else None


def _admin(config: Config) -> AdminClient:
    # librdkafka reports each failed connection on standard error; the command says it once, in words.
    return AdminClient({**config, "log_level": 0})


def _describe(admin: AdminClient, config: Config) -> dict[str, Found]:
    try:
        cluster = admin.list_topics(timeout=ANSWER_WITHIN_S)
        topics = {topic.name: cluster.topics[topic.name] for topic in ALL if topic.name in cluster.topics}
        if not topics:
            return {}
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
        answers = admin.describe_configs(asked, request_timeout=ANSWER_WITHIN_S)
        settings = {resource.name: answer.result(2 * ANSWER_WITHIN_S) for resource, answer in answers.items()}
    except (KafkaException, TimeoutError) as error:
        raise _told(config, error) from None
    return {
        name: Found(
            len(topic.partitions),
            {key: entry.value or "" for key, entry in settings[name].items()},
            _copies(topic, len(cluster.brokers)),
        )
        for name, topic in topics.items()
    }


def _copies(topic: TopicMetadata, brokers_count: int) -> Copies:
    partitions = topic.partitions.values()
    return Copies(
        min((len(partition.replicas) for partition in partitions), default=0),
        tuple(sorted(partition.id for partition in partitions if partition.leader < 0)),
        brokers_count,
    )


def _make(admin: AdminClient, config: Config, topics: Sequence[Topic], partitions_count: int, replication: int) -> None:
    if not topics:
        return
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions or partitions_count,
            replication_factor=replication,
            config=topic.settings(),
        )
        for topic in topics
    ]
    answers = admin.create_topics(wanted, operation_timeout=ANSWER_WITHIN_S, request_timeout=2 * ANSWER_WITHIN_S)
    for name, answer in answers.items():
        try:
            answer.result(3 * ANSWER_WITHIN_S)
        except (KafkaException, TimeoutError) as error:
            if _code(error) != KafkaError.TOPIC_ALREADY_EXISTS:  # somebody else created it just now
                raise _told(config, error, name) from None


def _wait_until_known(admin: AdminClient, config: Config, wanted: Mapping[str, int]) -> None:
    """The controller has made the topics; return once the broker knows them too, for until then it refuses records."""
    deadline = time.monotonic() + KNOWN_WITHIN_S
    while unknown := _unknown(admin, config, wanted):
        if time.monotonic() > deadline:
            raise UserError(
                f"{', '.join(unknown)}: made, but after {KNOWN_WITHIN_S:g} s the broker at "
                f"{config['bootstrap.servers']} does not know them yet",
                "look with `forewarn topics check` whether they have come",
                ExitCode.REFUSES,
            )
        time.sleep(LOOK_EVERY_S)


def _unknown(admin: AdminClient, config: Config, wanted: Mapping[str, int]) -> list[str]:
    try:
        known = admin.list_topics(timeout=ANSWER_WITHIN_S).topics
    except KafkaException as error:
        raise _told(config, error) from None
    return [
        name
        for name, count in wanted.items()
        if name not in known or sum(each.leader >= 0 for each in known[name].partitions.values()) < count
    ]


def _code(error: Exception) -> int | None:
    found = error.args[0] if error.args else None
    return found.code() if isinstance(found, KafkaError) else None


_AWAY: Final = (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)  # noqa: SLF001 - the library's public names


def _told(config: Config, error: Exception, topic: str | None = None) -> UserError:
    """What a user is told when the broker is away or refuses."""
    code = _code(error)
    if code == KafkaError._UNSUPPORTED_FEATURE or "waiting for controller" in str(error):  # noqa: SLF001
        return UserError(
            f"the broker at {config['bootstrap.servers']} cannot be asked to create or describe topics",
            "the embedded broker makes its topics by itself; anything else must be Apache Kafka 2.4 or newer",
            ExitCode.REFUSES,
        )
    if code in _AWAY or not isinstance(error, KafkaException):
        return broker_away(config, error if isinstance(error, KafkaException) else KafkaException(str(error)))
    where = f"topic {topic}: " if topic else ""
    return UserError(
        f"{where}{error.args[0].str()}",
        "the broker refused: check what this user may do, and --replication against the number of brokers",
        ExitCode.REFUSES,
    )

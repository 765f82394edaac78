"""Create Forewarn's topics, and verify those that are there.

Nothing here changes a topic that exists: its partitions cannot shrink, and its retention may be somebody's decision.
What differs is told, with what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from forewarn.console import Console, ExitCode, UserError
from forewarn.kafka import ANSWER_WITHIN_S, broker_away
from schemas.topics import ALL, FOREVER, TELEMETRY, Topic

Config = Mapping[str, Any]

BROKERS_DEFAULT: Final = -1  # of Kafka's replication factor: the broker's own default


class Outcome(StrEnum):
    """What became of one topic."""

    CREATED = "created"
    EXISTING = "existing"
    DIFFERENT = "different"
    MISSING = "missing"


class Finding(NamedTuple):
    """One way in which a topic is not as Forewarn needs it, and the command or step that cures it."""

    what: str
    remedy: str


class Answer(NamedTuple):
    """One topic and how it stands; `findings` is empty unless it is missing or different."""

    topic: str
    outcome: Outcome
    partitions_count: int | None
    findings: tuple[Finding, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether it can be used as it is."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The answer as `--json` prints it."""
        return {
            "topic": self.topic,
            "outcome": self.outcome.value,
            "partitions": self.partitions_count,
            "findings": [finding._asdict() for finding in self.findings],
        }

    def line(self) -> str:
        """The answer for a person; each finding on a line of its own."""
        count = "" if self.partitions_count is None else f" ({self.partitions_count} partitions)"
        first = f"{self.outcome.value:<9} {self.topic}{count}"
        return "\n".join([first, *(f"    {finding.what}\n      {finding.remedy}" for finding in self.findings)])


class Found(NamedTuple):
    """A topic as the broker describes it."""

    partitions_count: int
    settings: Mapping[str, str]


def create(config: Config, *, partitions_count: int, replication: int = BROKERS_DEFAULT) -> list[Answer]:
    """Make the topics that are missing and tell how the others stand; raises `UserError` when the broker is away.

    Doing it twice does nothing the second time. A topic that is there but different is left as it is and told.
    """
    admin = _admin(config)
    found = _describe(admin, config)
    missing = [topic for topic in ALL if topic.name not in found]
    _make(admin, config, missing, partitions_count, replication)
    return [
        Answer(topic.name, Outcome.CREATED, topic.partitions or partitions_count)
        if topic in missing
        else judge(topic, found[topic.name], partitions_count, config)
        for topic in ALL
    ]


def check(config: Config, *, partitions_count: int | None = None) -> list[Answer]:
    """Tell how every topic stands; without `partitions_count` all must have as many as `sla.telemetry.v1` has."""
    found = _describe(_admin(config), config)
    telemetry = found.get(TELEMETRY.name)
    wanted = partitions_count or (telemetry.partitions_count if telemetry else None)
    return [judge(topic, found.get(topic.name), wanted, config) for topic in ALL]


def judge(topic: Topic, found: Found | None, partitions_count: int | None, config: Config) -> Answer:
    """Compare a topic with its declaration: too little retention is a finding, more is not."""
    if found is None:
        return Answer(
            topic.name, Outcome.MISSING, None, (Finding("the topic is missing", "run: forewarn topics create"),)
        )
    findings = [
        Finding(
            f"{name} is {found.settings.get(name, 'not set')}, {_SPOKEN[rule]} {wanted} is needed",
            _alter(topic.name, name, wanted, config),
        )
        for name, wanted in topic.settings().items()
        if not (rule := _RULES.get(name, _equal))(found.settings.get(name, ""), wanted)
    ]
    wanted_count = topic.partitions or partitions_count
    if wanted_count is not None and found.partitions_count != wanted_count:
        findings.insert(0, _wrong_count(found.partitions_count, wanted_count))
    outcome = Outcome.DIFFERENT if findings else Outcome.EXISTING
    return Answer(topic.name, outcome, found.partitions_count, tuple(findings))


def report(answers: Sequence[Answer], console: Console) -> ExitCode:
    """Print the answers; 1 if any topic is missing or different."""
    for answer in answers:
        console.record(answer.as_json(), answer.line())
    return ExitCode.FINE if all(answer.is_fine for answer in answers) else ExitCode.FINDING


def _equal(found: str, wanted: str) -> bool:
    return found == wanted


def _at_least(found: str, wanted: str) -> bool:
    return _number(found) >= _number(wanted)


def _at_most(found: str, wanted: str) -> bool:
    return _number(found) <= _number(wanted)


def _number(text: str) -> float:
    value = float(text or "nan")
    return float("inf") if value == FOREVER else value


Rule = Callable[[str, str], bool]
_SPOKEN: Final[Mapping[Rule, str]] = {_equal: "exactly", _at_least: "at least", _at_most: "at most"}
_RULES: Final[Mapping[str, Rule]] = {
    "retention.ms": _at_least,
    "max.message.bytes": _at_least,
    "min.compaction.lag.ms": _at_least,
    "max.compaction.lag.ms": _at_most,
    "segment.ms": _at_most,
}


def _alter(topic: str, name: str, wanted: str, config: Config) -> str:
    return (
        f"kafka-configs.sh --bootstrap-server {config['bootstrap.servers']} --alter --entity-type topics "
        f"--entity-name {topic} --add-config {name}={wanted}"
    )


def _wrong_count(found_count: int, wanted_count: int) -> Finding:
    return Finding(
        f"it has {found_count} partitions, {wanted_count} are needed",
        "partitions are never added, since a key's state lives in its partition: if the topic holds nothing of value, "
        "delete it and run `forewarn topics create`; else give every topic that number, with --partitions",
    )


def _admin(config: Config) -> AdminClient:
    # librdkafka reports each failed connection on standard error; the command says it once, in words.
    return AdminClient({**config, "log_level": 0})


def _describe(admin: AdminClient, config: Config) -> dict[str, Found]:
    try:
        topics = admin.list_topics(timeout=ANSWER_WITHIN_S).topics
        counts = {topic.name: len(topics[topic.name].partitions) for topic in ALL if topic.name in topics}
        if not counts:
            return {}
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in counts]
        answers = admin.describe_configs(asked, request_timeout=ANSWER_WITHIN_S)
        settings = {resource.name: answer.result(2 * ANSWER_WITHIN_S) for resource, answer in answers.items()}
    except (KafkaException, TimeoutError) as error:
        raise _told(config, error) from None
    return {
        name: Found(count, {key: entry.value or "" for key, entry in settings[name].items()})
        for name, count in counts.items()
    }


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

"""`forewarn topics check`: each way in which a topic can be wrong, made on a real broker, and told with its cure."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from forewarn.finding import Level
from forewarn.topic_judge import Copies, Found, judge
from schemas.topics import ALL, BY_NAME, CATALOGUE, DEAD_LETTERS, STATUS, TELEMETRY, changelog_of
from tests.cli.conftest import Run
from tests.cli.installation import installed, make, make_anew, remove, setting
from tests.harness import Broker

DETECT_CHANGELOG = changelog_of("detect")
ON_BROKER = {"bootstrap.servers": "broker:9092"}


@pytest.fixture(scope="module")
def made(kafka: Broker) -> Iterator[Broker]:
    """The real broker with Forewarn's topics, 2 partitions each; a test puts back what it changes."""
    with installed(kafka, 2):
        yield kafka


@pytest.mark.admin
def test_what_create_made_is_fine_and_says_nothing_to_do(run: Run, made: Broker) -> None:
    result = run("topics", "check", KAFKA_BOOTSTRAP_SERVERS=made.bootstrap)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["existing", topic.name] for topic in ALL]


SET_WRONG = [
    # topic, setting, wrong value, what is told, how grave, the value that cures it
    (TELEMETRY.name, "message.timestamp.type", "CreateTime", "is CreateTime, exactly LogAppendTime", "error", None),
    (TELEMETRY.name, "cleanup.policy", "compact", "is compact, exactly delete is needed", "error", None),
    (TELEMETRY.name, "retention.ms", "3600000", "is 3600000, at least 1209600000 is needed", "warning", None),
    (TELEMETRY.name, "retention.bytes", "1048576", "loses records before retention.ms is over", "warning", "-1"),
    (TELEMETRY.name, "min.insync.replicas", "2", "a partition has 1 copy: every write is refused", "error", "1"),
    (CATALOGUE.name, "retention.ms", "3600000", "is 3600000, at least -1 is needed", "error", None),
    (STATUS.name, "cleanup.policy", "compact,delete", "is compact,delete, exactly compact", "error", None),
    (DEAD_LETTERS.name, "max.message.bytes", "1048588", "is 1048588, at least 4194304 is needed", "error", None),
    (DETECT_CHANGELOG, "cleanup.policy", "delete", "is delete, exactly compact is needed", "error", None),
    (DETECT_CHANGELOG, "min.compaction.lag.ms", "0", "is 0, at least 300000 is needed", "error", None),
    (DETECT_CHANGELOG, "max.compaction.lag.ms", "3600000", "is 3600000, at most 600000 is needed", "warning", None),
    (DETECT_CHANGELOG, "segment.ms", "604800000", "is 604800000, at most 300000 is needed", "warning", None),
]


@pytest.mark.admin
@pytest.mark.parametrize(("topic", "name", "wrong", "said", "level", "cure"), SET_WRONG)
def test_a_wrong_setting_is_told_with_a_command_that_cures_it(
    run: Run, made: Broker, topic: str, name: str, wrong: str, said: str, level: str, cure: str | None
) -> None:
    with setting(made, topic, name, wrong):
        result = run("topics", "check", "--json", KAFKA_BOOTSTRAP_SERVERS=made.bootstrap)
    answers = {answer["topic"]: answer for answer in map(orjson.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert [name for name, answer in answers.items() if answer["findings"]] == [topic]
    (finding,) = answers[topic]["findings"]
    assert finding["what"].startswith(f"{name} is {wrong}")
    assert said in finding["what"]
    assert finding["level"] == level
    right = cure or BY_NAME[topic].settings()[name]
    assert finding["remedy"] == (
        f"kafka-configs.sh --bootstrap-server {made.bootstrap} --alter --entity-type topics --entity-name {topic} "
        f"--add-config {name}={right}"
    )
    assert run("topics", "check", KAFKA_BOOTSTRAP_SERVERS=made.bootstrap).exit_code == 0


@pytest.mark.admin
def test_a_changelog_divided_otherwise_than_its_source_names_both_and_three_commands(run: Run, made: Broker) -> None:
    make_anew(made, BY_NAME[DETECT_CHANGELOG], 3)
    result = run("topics", "check", KAFKA_BOOTSTRAP_SERVERS=made.bootstrap)
    make_anew(made, BY_NAME[DETECT_CHANGELOG], 2)
    assert result.exit_code == 1
    at = f"--bootstrap-server {made.bootstrap}"
    assert (
        f"different {DETECT_CHANGELOG} (3 partitions)\n"
        f"    it has 3 partitions, its source {TELEMETRY.name} has 2: the role detect refuses to start\n"
        f"      state begins anew with: kafka-topics.sh {at} --delete --topic {DETECT_CHANGELOG} && "
        f"kafka-consumer-groups.sh {at} --delete --group forewarn-detect && forewarn topics create --partitions 2\n"
    ) in result.stdout


@pytest.mark.admin
def test_a_missing_topic_is_to_be_made_with_as_many_partitions_as_the_others_have(run: Run, made: Broker) -> None:
    remove(made, TELEMETRY.name, CATALOGUE.name)
    result = run("topics", "check", KAFKA_BOOTSTRAP_SERVERS=made.bootstrap)
    make(made, {TELEMETRY: 2, CATALOGUE: 1})
    assert result.exit_code == 1
    told = "\n    the topic is missing\n      run: forewarn topics create --partitions 2\n"
    assert f"missing   {TELEMETRY.name}{told}" in result.stdout
    assert f"missing   {CATALOGUE.name}{told}" in result.stdout


@pytest.mark.admin
def test_another_number_of_partitions_is_told_with_both_ways_out(run: Run, made: Broker) -> None:
    make_anew(made, STATUS, 5)
    result = run("topics", "check", KAFKA_BOOTSTRAP_SERVERS=made.bootstrap)
    make_anew(made, STATUS, 2)
    assert result.exit_code == 1
    assert "it has 5 partitions, 2 are needed" in result.stdout
    assert f"--delete --topic {STATUS.name} && forewarn topics create --partitions 2; else give" in result.stdout


COPIES = [
    # copies, min.insync.replicas, brokers, what is told
    (3, "2", 3, None),
    (3, "1", 3, "an acknowledged record may be on one broker alone"),
    (3, "3", 3, "one broker that is down stops all writes"),
    (3, "4", 3, "a partition has 3 copies: every write is refused"),
    (1, "1", 3, "a partition is kept by one broker alone, of 3"),
    (1, "1", 1, None),
    (2, "1", 2, None),
    (2, "2", 2, None),
]


@pytest.mark.parametrize(("copies_count", "needed", "brokers_count", "said"), COPIES)
def test_as_many_copies_are_waited_for_as_survive_one_broker(
    copies_count: int, needed: str, brokers_count: int, said: str | None
) -> None:
    settings = {**TELEMETRY.settings(), "min.insync.replicas": needed}
    answer = judge(TELEMETRY, Found(2, settings, Copies(copies_count, (), brokers_count)), 2, ON_BROKER)
    assert [finding.what for finding in answer.findings if said is None or said not in finding.what] == []
    assert answer.is_fine == (said is None)


def test_a_partition_that_nobody_serves_is_an_error() -> None:
    found = Found(4, TELEMETRY.settings(), Copies(1, (1, 3), 1))
    (finding,) = judge(TELEMETRY, found, 4, ON_BROKER).findings
    assert finding.what.startswith("no broker serves partition 1, 3")
    assert finding.level is Level.ERROR


def test_a_broker_with_a_lock_gives_kafkas_tools_its_key_too() -> None:
    locked = {**ON_BROKER, "security.protocol": "SASL_SSL"}
    (finding,) = judge(STATUS, Found(2, {**STATUS.settings(), "cleanup.policy": "delete"}), 2, locked).findings
    assert "--bootstrap-server broker:9092 --command-config client.properties --alter" in finding.remedy

"""`forewarn topics`: what is made, what is found wrong, and what a user is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from confluent_kafka.admin import AdminClient

from forewarn import topics
from forewarn.console import ExitCode, UserError
from forewarn.topics import Found, Outcome
from schemas.topics import (
    ALL,
    BY_NAME,
    CATALOGUE,
    COMMANDS,
    DEAD_LETTERS,
    LATER,
    NOTICES,
    STATUS,
    TELEMETRY,
    TICKETS,
    changelog_of,
)
from tests.harness import Broker, consume_until, free_port, produce
from tests.harness.process import PATIENCE_S

CONFIG = {"bootstrap.servers": "broker:9092"}


@pytest.fixture
def empty_kafka(kafka: Broker) -> Iterator[Broker]:
    """The real broker without Forewarn's topics, before and after."""
    names = [topic.name for topic in ALL]
    kafka.delete_topics(*names)
    yield kafka
    kafka.delete_topics(*names)


def run(*arguments: str, bootstrap: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from forewarn.cli_topics import app; app()", *arguments],
        env={"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def test_names_are_declared_once() -> None:
    assert len(BY_NAME) == len(ALL) + len(LATER)


def test_what_a_fold_reads_is_stamped_by_the_broker() -> None:
    assert [topic.name for topic in ALL if topic.append_time] == [
        TELEMETRY.name,
        TICKETS.name,
        COMMANDS.name,
        NOTICES.name,
    ]


def test_a_changelog_keeps_a_zombies_write_beside_the_older_one() -> None:
    assert BY_NAME[changelog_of("detect")].settings() == {
        "cleanup.policy": "compact",
        "max.message.bytes": "4194304",
        "min.compaction.lag.ms": "300000",
        "max.compaction.lag.ms": "600000",
        "segment.ms": "300000",
    }


def test_the_catalogue_is_one_log_that_forgets_nothing() -> None:
    assert CATALOGUE.partitions == 1
    assert CATALOGUE.settings() == {"cleanup.policy": "delete", "retention.ms": "-1"}


def test_a_dead_letter_holds_two_mebibytes_in_base64() -> None:
    assert int(DEAD_LETTERS.settings()["max.message.bytes"]) > 2 * 1024 * 1024 * 4 / 3


JUDGED = [
    # topic, what the broker says on top of the declaration, what is found
    (TELEMETRY, {}, None),
    (TELEMETRY, {"retention.ms": "-1"}, None),
    (TELEMETRY, {"retention.ms": "604800000"}, "retention.ms is 604800000, at least 1209600000 is needed"),
    (
        TELEMETRY,
        {"message.timestamp.type": "CreateTime"},
        "message.timestamp.type is CreateTime, exactly LogAppendTime",
    ),
    (TELEMETRY, {"cleanup.policy": "compact"}, "cleanup.policy is compact, exactly delete is needed"),
    (CATALOGUE, {"retention.ms": "604800000"}, "retention.ms is 604800000, at least -1 is needed"),
    (STATUS, {"cleanup.policy": "delete"}, "cleanup.policy is delete, exactly compact is needed"),
    (DEAD_LETTERS, {"max.message.bytes": "1048588"}, "max.message.bytes is 1048588, at least 4194304 is needed"),
    (DEAD_LETTERS, {"max.message.bytes": "8388608"}, None),
    (BY_NAME[changelog_of("detect")], {"max.compaction.lag.ms": "9223372036854775807"}, "at most 600000 is needed"),
    (BY_NAME[changelog_of("detect")], {"min.compaction.lag.ms": "0"}, "at least 300000 is needed"),
]


@pytest.mark.parametrize(("topic", "differs", "expected"), JUDGED)
def test_a_setting_is_judged_by_what_it_is_for(
    topic: topics.Topic, differs: dict[str, str], expected: str | None
) -> None:
    found = Found(topic.partitions or 4, {**topic.settings(), **differs})
    answer = topics.judge(topic, found, 4, CONFIG)
    if expected is None:
        assert answer.is_fine
        assert answer.outcome is Outcome.EXISTING
        return
    (finding,) = answer.findings
    assert expected in finding.what
    name, wanted = next(iter(differs)), topic.settings()[next(iter(differs))]
    assert finding.remedy == (
        "kafka-configs.sh --bootstrap-server broker:9092 --alter --entity-type topics "
        f"--entity-name {topic.name} --add-config {name}={wanted}"
    )


def test_a_topic_with_another_number_of_partitions_is_told_never_changed() -> None:
    (finding,) = topics.judge(TELEMETRY, Found(8, TELEMETRY.settings()), 32, CONFIG).findings
    assert finding.what == "it has 8 partitions, 32 are needed"
    assert "never added" in finding.remedy


def test_the_catalogues_one_partition_is_right_whatever_the_others_have() -> None:
    assert topics.judge(CATALOGUE, Found(1, CATALOGUE.settings()), 32, CONFIG).is_fine
    assert not topics.judge(CATALOGUE, Found(32, CATALOGUE.settings()), 32, CONFIG).is_fine


@pytest.mark.admin
def test_create_makes_what_check_finds_fine_and_twice_is_once(empty_kafka: Broker) -> None:
    config = {"bootstrap.servers": empty_kafka.bootstrap}
    assert {answer.outcome for answer in topics.check(config)} == {Outcome.MISSING}
    made = topics.create(config, partitions_count=4)
    assert {answer.outcome for answer in made} == {Outcome.CREATED}
    assert [answer.partitions_count for answer in topics.check(config)] == [topic.partitions or 4 for topic in ALL]
    assert all(answer.is_fine for answer in topics.check(config))
    again = topics.create(config, partitions_count=4)
    assert {answer.outcome for answer in again} == {Outcome.EXISTING}


@pytest.mark.admin
def test_the_made_topics_behave_as_declared(empty_kafka: Broker) -> None:
    topics.create({"bootstrap.servers": empty_kafka.bootstrap}, partitions_count=1)
    produce(empty_kafka.bootstrap, TELEMETRY.name, [("payments", "{}")])
    (record,) = consume_until(empty_kafka.bootstrap, [TELEMETRY.name], lambda records: len(records) >= 1)
    assert record.timestamp_type == "append"


@pytest.mark.admin
def test_a_topic_made_by_hand_is_told_and_left_as_it_is(empty_kafka: Broker) -> None:
    empty_kafka.create_topics({TELEMETRY.name: 2})
    created = run("create", "--partitions", "4", "--json", bootstrap=empty_kafka.bootstrap)
    assert created.returncode == ExitCode.FINDING
    answers = {answer["topic"]: answer for answer in map(json.loads, created.stdout.splitlines())}
    assert answers[TELEMETRY.name]["outcome"] == "different"
    assert [finding["what"].split(",")[0] for finding in answers[TELEMETRY.name]["findings"]] == [
        "it has 2 partitions",
        "retention.ms is 604800000",
        "message.timestamp.type is CreateTime",
    ]
    assert answers[NOTICES.name]["outcome"] == "created"
    checked = run("check", bootstrap=empty_kafka.bootstrap)
    assert checked.returncode == ExitCode.FINDING
    assert f"different {TELEMETRY.name} (2 partitions)" in checked.stdout


@pytest.mark.admin
def test_check_on_a_fine_broker_exits_with_0(empty_kafka: Broker) -> None:
    assert run("create", "--partitions", "2", bootstrap=empty_kafka.bootstrap).returncode == ExitCode.FINE
    checked = run("check", "--partitions", "2", bootstrap=empty_kafka.bootstrap)
    assert (checked.returncode, checked.stderr) == (ExitCode.FINE, "")
    assert len(checked.stdout.splitlines()) == len(ALL)


@pytest.mark.parametrize("command", ["create", "check"])
def test_a_broker_that_is_away_is_one_line_and_exit_code_3(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "ANSWER_WITHIN_S", 0.5)
    config = {"bootstrap.servers": f"127.0.0.1:{free_port()}"}
    asked = {
        "create": lambda: topics.create(config, partitions_count=4),
        "check": lambda: topics.check(config),
    }
    with pytest.raises(UserError, match=r"^no Kafka broker answers at 127\.0\.0\.1:\d+: [^\n]+$") as raised:
        asked[command]()
    assert raised.value.code == ExitCode.REFUSES


def test_the_embedded_broker_says_that_it_makes_its_topics_itself(
    embedded_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "ANSWER_WITHIN_S", 2)
    with pytest.raises(UserError, match="cannot be asked to create") as raised:
        topics.create({"bootstrap.servers": embedded_broker.bootstrap}, partitions_count=4)
    assert raised.value.code == ExitCode.REFUSES


class _SlowToHear:
    """A cluster whose broker hears of a made topic only at the third look; the shape is the library's."""

    def __init__(self) -> None:
        self.looks = 0

    def list_topics(self, timeout: float) -> SimpleNamespace:
        del timeout
        self.looks += 1
        leaders = {1: [], 2: [-1, 0], 3: [0, 0]}[self.looks]
        parts = {number: SimpleNamespace(leader=leader) for number, leader in enumerate(leaders)}
        return SimpleNamespace(topics={"made": SimpleNamespace(partitions=parts)} if leaders else {})


def test_create_returns_only_when_the_broker_knows_what_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "LOOK_EVERY_S", 0)
    admin = _SlowToHear()
    topics._wait_until_known(cast("AdminClient", admin), CONFIG, {"made": 2})
    assert admin.looks == 3


def test_a_broker_that_never_hears_of_a_made_topic_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "KNOWN_WITHIN_S", 0)
    with pytest.raises(UserError, match="made: made, but after 0 s the broker at broker:9092 does not know them yet"):
        topics._wait_until_known(cast("AdminClient", _SlowToHear()), CONFIG, {"made": 2})

"""`forewarn doctor` on a real Kafka: what was made wrong is told with its cure, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
import redis
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.changelog import SOURCE_ID
from agents.client_id import own_version
from agents.health import HealthServer
from agents.metrics import Metrics
from agents.topic_id import topic_id
from agents.transport import pack
from forewarn import apply as catalogue
from forewarn.doctor import clocks, doctor, health
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis
from schemas.catalogue_log import records_of
from schemas.definitions import load
from schemas.topics import CATALOGUE, STATUS, TELEMETRY, application_of, changelog_of
from sla.detect.codec import SHAPE
from sla.partitioner import partition_of
from tests.cli.conftest import NOBODY, Run
from tests.cli.installation import installed, make_anew, partitions_of, setting
from tests.harness import Broker, free_port, wait_for

PARTITIONS = 2
DETECT = changelog_of("detect")
DEFINITIONS = """
apiVersion: forewarn/v1
kind: Service
metadata: {name: payments}
spec: {owner: payments-team}
---
apiVersion: forewarn/v1
kind: Objective
metadata: {name: payments-availability}
spec:
  service: payments
  indicator: {type: ratio, signal: availability}
  target: 99.9%
  window: {rolling: WINDOW}
"""
COUNTS = orjson.dumps({"type": "counts", "service": "payments", "signal": "availability", "good": 1, "bad": 0})

Told = list[dict[str, str]]


class Installation:
    """A healthy one: topics, a revision with its markers, a record, Redis."""

    def __init__(self, broker: Broker, url: str, folder: Path, run: Run) -> None:
        self.broker = broker
        self.bootstrap = broker.bootstrap
        self.url = url
        self.path = folder / "definitions.yaml"
        self._run = run

    def apply(self, window: str = "7d") -> int:
        """Apply the definitions; the revision."""
        self.path.write_text(DEFINITIONS.replace("WINDOW", window))
        return catalogue.apply({"bootstrap.servers": self.bootstrap}, load([self.path]).documents).revision

    def mark(self, *partitions: int) -> None:
        """What an owner does: a marker of the revision in force in its partition."""
        current = catalogue.read_log({"bootstrap.servers": self.bootstrap}).current
        value = orjson.dumps({"type": "catalogue", "revision": current.revision, "sha256": current.sha256})
        self.put(TELEMETRY.name, *((None, value, partition) for partition in partitions))

    def put(self, topic: str, *records: tuple[bytes | None, bytes | None, int]) -> None:
        """Records with key, value and partition, acknowledged."""
        producer = Producer({"log_level": 0, "bootstrap.servers": self.bootstrap, "linger.ms": 0})
        for key, value, partition in records:
            producer.produce(topic, value, key, partition)
        assert producer.flush(20) == 0

    def doctor(self, code: int, **environment: str) -> Told:
        """What the doctor finds, after its exit code was as expected."""
        result = self._run(
            "doctor", "--json", KAFKA_BOOTSTRAP_SERVERS=self.bootstrap, **{"REDIS_URL": self.url, **environment}
        )
        assert "Traceback" not in result.output
        assert result.exit_code == code, result.output
        return [orjson.loads(line) for line in result.stdout.splitlines()]

    def delete_records(self, topic: str, before: int) -> None:
        """Let partition 0 begin at an offset."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})  # held: its answers die with it
        (answer,) = admin.delete_records([TopicPartition(topic, 0, before)]).values()
        answer.result(20)


@pytest.fixture
def well(kafka: Broker, redis_url: str, tmp_path: Path, run: Run) -> Iterator[Installation]:
    with installed(kafka, PARTITIONS):
        made = Installation(kafka, redis_url, tmp_path, run)
        made.apply()
        made.mark(0, 1)
        made.put(TELEMETRY.name, (b"payments", COUNTS, partition_of(b"payments", PARTITIONS)))
        yield made


def only(told: Told, check: str) -> dict[str, str]:
    """The one finding, which must be this check's."""
    assert [each["check"] for each in told] == [check], told
    return told[0]


# -- healthy, or not there at all


def test_a_healthy_installation_is_told_in_one_line_and_left_as_it_was(well: Installation, run: Run) -> None:
    before = partitions_of(well.broker)
    result = run("doctor", KAFKA_BOOTSTRAP_SERVERS=well.bootstrap, REDIS_URL=well.url)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "nothing to remark: broker, versions, clocks, topics, retention, partitioners, producers, state, catalogue, "
        "redis, health\n"
    )
    assert partitions_of(well.broker) == before
    assert well.doctor(0) == []


def test_a_person_reads_the_finding_and_below_it_what_to_do(well: Installation, run: Run) -> None:
    with setting(well.broker, TELEMETRY.name, "message.timestamp.type", "CreateTime"):
        result = run("doctor", KAFKA_BOOTSTRAP_SERVERS=well.bootstrap, REDIS_URL=well.url)
    assert result.exit_code == 1
    assert result.stdout == (
        "error   topics: sla.telemetry.v1: message.timestamp.type is CreateTime, exactly LogAppendTime is needed\n"
        f"        kafka-configs.sh --bootstrap-server {well.bootstrap} --alter --entity-type topics "
        "--entity-name sla.telemetry.v1 --add-config message.timestamp.type=LogAppendTime\n"
    )


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": NOBODY}, 3, f"no Kafka broker answers at {NOBODY}"),
        ({}, 2, "KAFKA_BOOTSTRAP_SERVERS"),
        ({"KAFKA_BOOTSTRAP_SERVERS": NOBODY, "FOREWARN_SESSION_TIMEOUT": "soon"}, 2, "FOREWARN_SESSION_TIMEOUT"),
    ],
)
def test_without_a_broker_there_is_nothing_to_examine(
    run: Run, monkeypatch: pytest.MonkeyPatch, environment: dict[str, Any], code: int, said: str
) -> None:
    monkeypatch.setattr("forewarn.doctor.case.ANSWER_WITHIN_S", 1.0)
    result = run("doctor", **environment)
    assert (result.exit_code, result.stdout, "Traceback" in result.output) == (code, "", False)
    assert said in result.stderr


def test_a_broker_without_any_topic_is_told_topic_by_topic(kafka: Broker, redis_url: str, run: Run) -> None:
    with installed(kafka, PARTITIONS):
        pass
    result = run("doctor", "--json", KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap, REDIS_URL=redis_url)
    told = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert {(each["check"], each["what"], each["remedy"]) for each in told} == {
        ("topics", "the topic is missing", "run: forewarn topics create")
    }


def test_a_broker_that_tells_nothing_of_itself_is_told_once_and_the_rest_is_examined(
    run: Run, bootstrap: str, redis_url: str
) -> None:
    result = run("doctor", "--json", KAFKA_BOOTSTRAP_SERVERS=bootstrap, REDIS_URL=redis_url)
    told = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    assert [(each["level"], each["check"], each["what"]) for each in told] == [
        (
            "warning",
            "broker",
            "it cannot be asked for its settings: clocks, topics, retention and its version were not examined",
        ),
        ("warning", "catalogue", "no revision is in force: nothing is watched"),
    ]


def test_a_check_that_gets_no_answer_is_a_finding_and_the_rest_is_examined(
    well: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unanswered(_case: Case) -> list[Diagnosis]:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(doctor, "CHECKS", {"clocks": unanswered, "catalogue": doctor.CHECKS["catalogue"]})
    well.apply("6d")
    found = {each["check"]: each for each in well.doctor(1)}
    assert (found["clocks"]["where"], found["clocks"]["level"]) == ("not checked", "error")
    assert found["catalogue"]["what"].startswith("no marker of revision")


# -- clocks


@pytest.mark.parametrize(
    ("host_ahead_ms", "level", "said"),
    [
        (3_000, "warning", "s behind this machine's: what is measured here counts at another time"),
        (600_000, "error", "s behind this machine's: what is measured here is a dead letter, from_the_future"),
        (-600_000, "error", "s ahead of this machine's: what is measured here is late by that much"),
    ],
)
def test_a_host_whose_clock_differs_from_the_brokers_is_told_by_how_much(
    well: Installation, monkeypatch: pytest.MonkeyPatch, host_ahead_ms: int, level: str, said: str
) -> None:
    true_now = clocks.host_now
    monkeypatch.setattr(clocks, "host_now", lambda: true_now() + host_ahead_ms)
    told = only(well.doctor(1), "clocks")
    assert (told["where"], told["level"]) == ("broker 1", level)
    assert said in told["what"]
    assert float(told["what"].split()[3]) == pytest.approx(abs(host_ahead_ms) / 1000, abs=1)
    assert "chronyc tracking" in told["remedy"]


def test_a_broker_that_lets_no_topic_be_made_is_told_and_the_rest_examined(
    well: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "SCRATCH", "no topic's name")
    told = only(well.doctor(1), "clocks")
    assert told["what"].startswith("cannot be compared: ")
    assert told["level"] == "warning"


# -- versions


def test_a_worker_of_another_version_is_known_by_its_name_in_the_group(well: Installation) -> None:
    named = {"group.id": application_of("detect"), "client.id": "forewarn-0.0.9"}
    member = Consumer({"bootstrap.servers": well.bootstrap, "enable.auto.commit": False, **named})
    member.subscribe([TELEMETRY.name])
    wait_for(lambda: member.poll(0.1) is not None or member.assignment(), "the member to join")
    told = only(well.doctor(0), "versions")
    member.close()
    assert (told["where"], told["level"]) == (application_of("detect"), "note")
    assert told["what"] == f"its workers are of another version than this doctor: 1 of 0.0.9, here {own_version()}"
    assert well.doctor(0) == []


# -- partitioners


def test_a_producer_with_librdkafkas_partitioner_is_known_by_where_its_keys_lie(well: Installation) -> None:
    keys = [key for number in range(40) if partition_of(key := f"s{number}".encode(), PARTITIONS) == 0]
    producer = Producer({"log_level": 0, "bootstrap.servers": well.bootstrap})  # consistent_random: CRC-32
    for key in keys:
        body = {"type": "counts", "service": key.decode(), "signal": "a", "good": 1, "bad": 0}
        producer.produce(TELEMETRY.name, orjson.dumps(body), key)
    assert producer.flush(20) == 0
    told = only(well.doctor(1), "partitioners")
    assert told["where"] == TELEMETRY.name
    assert "lie in the wrong one (partition 1)" in told["what"]
    assert "They lie where librdkafka's default" in told["what"]
    assert told["remedy"] == "set partitioner=murmur2_random in that producer"


@pytest.mark.parametrize(
    ("key", "said", "cure"),
    [
        (b"payments", "with the key 'payments'", "name none itself"),
        (None, "without a key", "let that producer set the record's key to the service"),
    ],
)
def test_a_partition_chosen_otherwise_is_told_with_the_key(
    well: Installation, key: bytes | None, said: str, cure: str
) -> None:
    wrong = 1 - partition_of(b"payments", PARTITIONS)
    well.put(TELEMETRY.name, (key, COUNTS, wrong), (None, b'{"type":"tick"}', wrong))
    told = only(well.doctor(1), "partitioners")
    assert told["what"].startswith("1 of the newest 500 records of each partition lie in the wrong one")
    assert said in told["what"]
    assert f"to {wrong} instead of {1 - wrong}" in told["what"]
    assert cure in told["remedy"]


# -- retention


def committed(bootstrap: str, group: str, topic: str, offset: int, partition: int = 0) -> None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    consumer.close()


def test_records_that_were_deleted_unread_are_counted(well: Installation) -> None:
    well.put(TELEMETRY.name, *[(None, b'{"type":"tick"}', 0)] * 5)
    committed(well.bootstrap, application_of("detect"), TELEMETRY.name, 1)
    well.delete_records(TELEMETRY.name, 4)
    well.mark(0)
    told = only(well.doctor(1), "retention")
    assert told["what"] == "3 records of partition 0 were deleted before detect had read them"
    assert "retention.ms=-1" in told["remedy"]


def test_a_topic_that_ends_before_what_was_read_of_it_was_made_anew(well: Installation) -> None:
    committed(well.bootstrap, application_of("detect"), TELEMETRY.name, 99)
    told = only(well.doctor(1), "retention")
    assert told["what"] == "detect has read further than partition 0 goes: the topic was deleted and made anew"
    assert "--delete --group forewarn-detect && forewarn topics create --partitions 2" in told["remedy"]


def test_telemetry_that_a_restart_would_miss_is_an_error_beside_the_retention_itself(well: Installation) -> None:
    with setting(well.broker, TELEMETRY.name, "retention.ms", "60000"):
        told = {(each["check"], each["level"]): each["what"] for each in well.doctor(1)}
    assert told["topics", "warning"].startswith("retention.ms is 60000")
    assert told["retention", "error"].startswith("it keeps records for 60 s, but a worker that crashed reads again")
    assert "the window of payments-availability is 10 d" in told["retention", "note"]


def test_a_window_longer_than_the_telemetry_is_kept_is_worth_a_note_alone(well: Installation) -> None:
    well.apply("30d")
    well.mark(0, 1)
    told = only(well.doctor(0), "retention")
    assert told["level"] == "note"
    assert told["what"].startswith("it keeps records for 14 d, the window of payments-availability is 33 d")
    assert told["remedy"].endswith("--add-config retention.ms=2851200000")


def test_a_changelog_compacted_too_soon_could_keep_a_zombies_state(well: Installation) -> None:
    with setting(well.broker, DETECT, "min.compaction.lag.ms", "0"):
        told = {each["check"]: each for each in well.doctor(1)}
    assert told.keys() == {"topics", "retention"}
    assert told["retention"]["what"].startswith("min.compaction.lag.ms is 0: a worker that was cut off may replace")
    assert "70 s later" in told["retention"]["what"]
    assert told["retention"]["remedy"].endswith("--add-config min.compaction.lag.ms=300000")


# -- state


def head(well: Installation, value: bytes, partition: int = 0) -> None:
    well.put(DETECT, (f"partition/{partition}".encode(), value, partition))


def test_state_of_another_version_is_told_before_a_worker_stumbles_over_it(well: Installation) -> None:
    head(well, pack(0, orjson.dumps({"shape": SHAPE + 1})))
    well.put(DETECT, (b"stream/x", b"?", 1))
    told = only(well.doctor(1), "state")
    assert f"(partition: shape {SHAPE + 1} instead of {SHAPE}, stream: unreadable): detect will not" in told["what"]
    assert told["remedy"].startswith("run the version of Forewarn that wrote it, or let state begin anew")


def test_state_ahead_of_its_source_is_of_a_topic_that_was_made_anew(well: Installation) -> None:
    head(well, pack(1_000, orjson.dumps({"shape": SHAPE})), partition=1)
    told = only(well.doctor(1), "state")
    assert told["what"].startswith(f"the state of partition 1 has counted records that {TELEMETRY.name} does not hold")
    assert f"--delete --topic {DETECT} && " in told["remedy"]


def test_state_of_a_topic_that_was_made_anew_is_known_though_that_has_grown(well: Installation) -> None:
    now = topic_id({"bootstrap.servers": well.bootstrap}, TELEMETRY.name, 10)
    assert now is not None
    for partition, found in enumerate((now, "another")):
        well.put(DETECT, (SOURCE_ID, pack(0, found.encode()), partition))
    told = only(well.doctor(1), "state")
    assert told["what"].startswith(f"the state of partition 1 has counted records that {TELEMETRY.name} does not hold")


# -- catalogue


def test_without_a_revision_nothing_is_watched(well: Installation) -> None:
    make_anew(well.broker, CATALOGUE, 1)
    make_anew(well.broker, TELEMETRY, PARTITIONS)
    told = only(well.doctor(1), "catalogue")
    assert (told["what"], told["remedy"]) == (
        "no revision is in force: nothing is watched",
        "run: forewarn apply PATH",
    )


def test_a_partition_without_the_marker_of_the_revision_is_named(well: Installation) -> None:
    revision = well.apply("6d")
    well.mark(0)
    told = only(well.doctor(1), "catalogue")
    assert told["what"] == f"no marker of revision {revision} is in partition 1: older definitions hold there"
    assert "forewarn worker --roles detect" in told["remedy"]


def test_a_marker_that_left_the_log_is_known_by_the_state_that_follows_it(well: Installation) -> None:
    revision = well.apply("6d")
    current = catalogue.read_log({"bootstrap.servers": well.bootstrap}).current
    for partition in range(PARTITIONS):
        body = {"shape": SHAPE, "revision": revision, "sha256": current.sha256}
        head(well, pack(0, orjson.dumps(body)), partition)
    assert well.doctor(0) == []


def test_a_revision_that_the_catalogue_does_not_hold_is_of_one_that_was(well: Installation) -> None:
    revision, sha256 = well.apply("6d"), catalogue.read_log({"bootstrap.servers": well.bootstrap}).current.sha256
    followed = {"type": "partition", "shape": SHAPE, "revision": revision, "sha256": sha256}
    head(well, pack(0, orjson.dumps(followed)))
    well.put(changelog_of("dispatch"), (b"partition/1", pack(-1, orjson.dumps(followed)), 1))
    make_anew(well.broker, CATALOGUE, 1)
    *told, nothing = well.doctor(1)
    assert nothing["what"] == "no revision is in force: nothing is watched"  # and applying one would not be enough
    assert [each["level"] for each in told] == ["error", "error"]
    of = "follows a revision that sla.catalogue.v1 does not hold in"
    assert told[0]["what"].startswith(f"detect {of} partition 0: the catalogue was deleted and made anew")
    assert told[1]["what"].startswith(f"dispatch {of} partition 1: the catalogue was deleted and made anew")
    assert all(each["remedy"].endswith("&& forewarn apply PATH") for each in told)


def test_an_apply_that_came_second_is_told_while_nobody_has_applied_since(well: Installation) -> None:
    documents = load([well.path]).documents
    well.put(CATALOGUE.name, *((key.encode(), value, 0) for key, value in records_of(documents, "late", 0)))
    told = only(well.doctor(1), "catalogue")
    assert told["what"] == (
        "after revision 2 1 record was passed over, the last at offset 5: void: made from revision 0, in force is 2"
    )
    well.apply("6d")
    well.mark(0, 1)
    told = only(well.doctor(0), "catalogue")
    assert (told["level"], told["remedy"]) == ("note", "nothing: revision 8 came after it")


def test_a_catalogue_whose_beginning_was_deleted_is_an_error(well: Installation) -> None:
    well.apply("6d")
    well.delete_records(CATALOGUE.name, 3)
    told = [each for each in well.doctor(1) if each["check"] == "catalogue"]
    assert told[0]["level"] == "error"
    assert told[0]["what"].startswith("its first 3 records were deleted")


# -- Redis and the worker's own word


def test_redis_that_is_away_is_told_without_its_password(well: Installation) -> None:
    told = only(well.doctor(1, REDIS_URL="redis://:hunter2@127.0.0.1:1/0"), "redis")
    assert told["what"].startswith("no Redis answers at 127.0.0.1:1/0")
    assert "hunter2" not in str(told)


def test_redis_without_a_status_while_the_topic_has_some_lacks_its_role(well: Installation) -> None:
    well.put(STATUS.name, (b"payments/payments-availability", b"{}", 0))
    told = only(well.doctor(1), "redis")
    assert told["what"] == "it holds no status, though sla.status.v1 does: the role project is not running"
    with redis.Redis.from_url(well.url) as client:
        client.hset("forewarn:status", "payments/payments-availability", "{}")
    assert well.doctor(0) == []


def case_with(port: int) -> Case:
    return cast("Case", SimpleNamespace(settings=SimpleNamespace(forewarn_health_port=port)))


async def test_a_worker_says_itself_why_it_is_not_ready() -> None:
    port = free_port()
    reasons = ["state is being recovered"]
    server = HealthServer("detect", metrics=Metrics(), not_ready=lambda: reasons, not_alive=list)
    await server.start(port)
    (found,) = await asyncio.to_thread(health.check, case_with(port))
    assert (found.where, found.finding.what) == (f"127.0.0.1:{port}", "/readyz says 503: state is being recovered")
    reasons.clear()
    assert await asyncio.to_thread(health.check, case_with(port)) == []
    await server.stop()


def test_a_health_port_that_nobody_listens_on_is_told_and_none_is_fine() -> None:
    (found,) = health.check(case_with(free_port()))
    assert found.finding.what.startswith("no worker answers, though FOREWARN_HEALTH_PORT names this port")
    assert health.check(case_with(0)) == []

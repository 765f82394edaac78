"""The suite that a broker must pass to stand under the product: real and embedded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from confluent_kafka import Consumer, TopicPartition

from agents.topic_id import topic_id
from forewarn.embedded import EmbeddedBroker, EmbeddedError
from forewarn.embedded_redis import EmbeddedRedis
from tests.harness import Broker, Process, consume_until, produce, unique, wait_for


def test_what_was_acknowledged_is_read_back_in_order(broker: Broker) -> None:
    topic = unique("order")
    broker.create_topics({topic: 1})
    produce(broker.bootstrap, topic, [("k", str(number)) for number in range(500)])
    received = consume_until(broker.bootstrap, [topic], lambda records: len(records) >= 500)
    assert [int(record.value or b"") for record in received] == list(range(500))
    assert [record.offset for record in received] == list(range(500))


def test_a_topic_has_the_partitions_that_were_asked_for(broker: Broker) -> None:
    topic = unique("partitions")
    broker.create_topics({topic: 4})
    produce(broker.bootstrap, topic, [(f"key-{number}", "{}") for number in range(200)])
    received = consume_until(broker.bootstrap, [topic], lambda records: len(records) >= 200)
    assert {record.partition for record in received} == {0, 1, 2, 3}


def test_a_topic_made_anew_has_another_id(broker: Broker) -> None:
    name = unique("anew")
    broker.create_topics({name: 1})
    config = {"bootstrap.servers": broker.bootstrap}
    first = topic_id(config, name, 10)
    if broker.kind == "embedded":
        assert first is None  # and says so at once
        return
    assert first == topic_id(config, name, 10) is not None
    broker.delete_topics(name)
    broker.create_topics({name: 1})
    assert topic_id(config, name, 10) not in {None, first}


def test_a_key_goes_to_the_partition_that_java_would_choose(broker: Broker) -> None:
    topic = unique("murmur2")
    broker.create_topics({topic: 32})
    produce(broker.bootstrap, topic, [("payments", "{}"), ("21", "{}"), ("foobar", "{}")])
    received = consume_until(broker.bootstrap, [topic], lambda records: len(records) >= 3)
    # Utils.murmur2 of Kafka's own UtilsTest: "21" is -973932308, "foobar" is -790332482.
    where = {record.key: record.partition for record in received}
    assert where[b"21"] == (-973932308 & 0x7FFFFFFF) % 32
    assert where[b"foobar"] == (-790332482 & 0x7FFFFFFF) % 32


def test_a_group_goes_on_where_it_committed(broker: Broker) -> None:
    topic, group = unique("commit"), unique("group")
    broker.create_topics({topic: 1})
    produce(broker.bootstrap, topic, [(None, str(number)) for number in range(10)])
    settings = {"bootstrap.servers": broker.bootstrap, "group.id": group, "enable.auto.commit": False}
    first = Consumer(settings)
    first.commit(offsets=[TopicPartition(topic, 0, 7)], asynchronous=False)
    first.close()
    second = Consumer(settings)
    assert second.committed([TopicPartition(topic, 0)], timeout=10)[0].offset == 7
    second.close()


@pytest.mark.append_time
def test_log_append_time_is_the_brokers_not_the_producers(broker: Broker) -> None:
    topic = unique("append-time")
    broker.create_topics({topic: 1}, {"message.timestamp.type": "LogAppendTime"})
    produce(broker.bootstrap, topic, [("k", "{}")])
    received = consume_until(broker.bootstrap, [topic], lambda records: len(records) >= 1)
    assert received[0].timestamp_type == "append"


def test_the_embedded_broker_refuses_a_topic_that_is_there_already() -> None:
    with EmbeddedBroker.start({"sla.alerts.v1": 1}) as embedded:
        with pytest.raises(EmbeddedError, match=r"sla\.alerts\.v1"):
            embedded.create_topics({"sla.alerts.v1": 1})
        embedded.create_topics({"sla.late.v1": 2})


def test_the_embedded_broker_refuses_a_topic_without_partitions() -> None:
    with EmbeddedBroker.start({}) as embedded, pytest.raises(EmbeddedError, match="NAME:PARTITIONS"):
        embedded.create_topics({"x": 0})


def test_the_embedded_broker_ends_with_a_parent_that_was_killed() -> None:
    program = (
        "import sys; from forewarn.embedded import EmbeddedBroker; from forewarn.embedded_redis import EmbeddedRedis\n"
        "print('pids', EmbeddedBroker.start({}).pid, EmbeddedRedis.start().process.pid, 'end', flush=True)\n"
        "import threading; threading.Event().wait()"
    )
    with Process([sys.executable, "-c", program], name="parent") as parent:
        parent.wait_for_log("end")
        pids = [int(word) for word in parent.log.read_text().split()[1:3]]
        parent.send(signal.SIGKILL)
        for pid in pids:
            wait_for(lambda pid=pid: not _runs(pid), f"child {pid} to end with its parent")


def test_wrong_arguments_of_the_embedded_broker_are_one_line() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "forewarn.embedded", "--topic", "no-count"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "'no-count' is not NAME:PARTITIONS" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_fakeredis_stands_in_where_there_is_no_redis_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forewarn.embedded_redis.redis_server", lambda: None)
    import redis  # noqa: PLC0415

    with EmbeddedRedis.start() as embedded:
        client = redis.Redis.from_url(embedded.url)
        client.hset("status", "payments", "ok")
        assert client.hget("status", "payments") == b"ok"
        assert embedded.notice is not None
        assert "for trying out only" in embedded.notice
        client.close()


def test_a_real_redis_is_empty_at_the_start_of_a_test(redis_url: str) -> None:
    import redis  # noqa: PLC0415

    client = redis.Redis.from_url(redis_url)
    assert client.dbsize() == 0
    client.close()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
        return stat.read().rpartition(")")[2].split()[0] != "Z"

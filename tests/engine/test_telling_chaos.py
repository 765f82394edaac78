"""`dispatch` and `deliver` on a real Kafka while all around them fails: nothing is lost, repeats bear their key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any

import orjson
import pytest
import redis

from agents.project import STATUS_KEY
from schemas import topics
from schemas.catalogue_log import records_of
from sla.units import rfc3339
from tests.harness import Broker, Missing, Process, consume_until, produce, require, wait_for
from tests.harness.alertmanager import RealAlertmanager
from tests.harness.redis import RedisServer
from tests.harness.webhook import Webhook

pytestmark = [pytest.mark.kafka, pytest.mark.redis]

PARTITIONS = 4
TROUBLES = 60  # more than those of which the whole events are kept
KILLED_AFTER = 15
OPENED_AT = 1_795_428_000_000


def stakeholder(name: str, channel: dict[str, Any], **spec: Any) -> dict[str, Any]:
    told = {"audience": "oncall", "watches": {"services": ["pay"]}, "channels": [channel]}
    plain = {"horizon": "none", "groupWait": "none", "rateLimit": "none", "repeat": "none"}
    metadata = {"name": name}
    return {"apiVersion": "forewarn/v1", "kind": "Stakeholder", "metadata": metadata, "spec": {**told, **plain, **spec}}


DOCUMENTS = [
    {"apiVersion": "forewarn/v1", "kind": "Service", "metadata": {"name": "pay"}, "spec": {"owner": "ops"}},
    stakeholder("ops", {"webhook": "${GOOD}"}),
    stakeholder("tools", {"alertmanager": "${ALERTS}"}, repeat="5s"),
    stakeholder("deaf", {"webhook": "${REFUSES}"}, fallback="ops"),
]


def notice(who: str, number: int, sequence: int, name: str = "breach") -> tuple[str, bytes]:
    """What `detect` would write of one promise: the trouble `number` of `who`, or its end."""
    key = f"pay/{who}-{number}"
    data: dict[str, Any] = {
        "dedup_key": key, "service": "pay", "severity": "critical", "state": "breached" if name == "breach" else "ok",
        "opened_at": rfc3339(OPENED_AT), "objective": {"name": key}, "agreements": [], "episode": 1,
    }  # fmt: skip
    event = {"id": f"{sequence:032x}", "type": f"forewarn.{name}.v1", "time": rfc3339(OPENED_AT), "data": data}
    record = {
        "type": "notice", "stakeholder": who, "audience": "oncall", "revision": 0, "channels": [], "event": event,
        "source": "forewarn:sla.telemetry.v1/0", "sequence": sequence,
    }  # fmt: skip
    return who, orjson.dumps(record)


@pytest.fixture
def own_topics(kafka: Broker) -> Iterator[Broker]:
    names = [topic.name for topic in topics.ALL]
    kafka.delete_topics(*names)
    for topic in topics.ALL:
        kafka.create_topics({topic.name: topic.partitions or PARTITIONS}, topic.settings())
    produce(kafka.bootstrap, topics.CATALOGUE.name, records_of(DOCUMENTS, "a", 0))
    yield kafka
    kafka.delete_topics(*names)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    try:
        server = RedisServer()
        server.start()
    except Missing as missing:
        require("redis", missing)
    yield server
    server.kill()


def _wait_for_markers(kafka: Broker) -> None:
    """Each partition follows the catalogue: else nobody would know how they are reached."""

    def has_all(records: Any) -> bool:
        return len({each.partition for each in records if b'"catalogue"' in (each.value or b"")}) == PARTITIONS

    consume_until(kafka.bootstrap, [topics.NOTICES.name], has_all)


def empty(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()


def outcomes(kafka: Broker, enough: int) -> dict[str, dict[str, set[str]]]:
    """By stakeholder and message, how it ended; once so many messages have."""

    def read(records: Any) -> dict[str, dict[str, set[str]]]:
        found: dict[str, dict[str, set[str]]] = {}
        for record in records:
            value = orjson.loads(record.value or b"")
            found.setdefault(value["stakeholder"], {}).setdefault(value["id"], set()).add(value["outcome"])
        return found

    def has_enough(records: Any) -> bool:
        return sum(len(ids) for who, ids in read(records).items() if who != "tools") >= enough

    return read(consume_until(kafka.bootstrap, [topics.DELIVERIES.name], has_enough))


def test_whatever_fails_around_it_nothing_is_lost_and_a_repeat_bears_its_key(
    own_topics: Broker, redis_server: RedisServer, alertmanager: RealAlertmanager
) -> None:
    kafka, told = own_topics, ("ops", "tools", "deaf")
    with Webhook(0.02) as good, Webhook(status=HTTPStatus.BAD_REQUEST) as refuses:
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "REDIS_URL": redis_server.url,
            "FOREWARN_FLUSH_INTERVAL": "1s",
            "FOREWARN_SESSION_TIMEOUT": "3s",
            "FOREWARN_CHANNELS_ALLOW": "127.0.0.0/8",
            "GOOD": good.url,
            "REFUSES": refuses.url,
            "ALERTS": alertmanager.url,
        }

        def worker(role: str, **other: str) -> Process:
            return Process([sys.executable, "-m", "agents", role], name=role, env={**environment, **other})

        def shown() -> int:
            return sum(each["labels"]["dedup_key"].startswith("pay/tools-") for each in alertmanager.alerts())

        begin = [
            notice(who, number, TROUBLES * place + number)
            for place, who in enumerate(told)
            for number in range(TROUBLES)
        ]
        end = [notice("tools", number, len(begin) + number, "recovery") for number in range(TROUBLES)]
        with worker("dispatch") as dispatch:
            with worker("deliver") as first:
                _wait_for_markers(kafka)
                produce(kafka.bootstrap, topics.NOTICES.name, begin)
                wait_for(lambda: len(good.seen) >= KILLED_AFTER, "messages", explain=first.log_tail)
                empty(redis_server)
                first.kill()
            redis_server.kill()
            with worker("deliver", GOOD=f"{good.url}second") as second:
                found = outcomes(kafka, 3 * TROUBLES)
                wait_for(lambda: shown() == TROUBLES, "all alerts", explain=second.log_tail)
                alertmanager.restart()  # and so it has forgotten all
                wait_for(lambda: shown() == TROUBLES, "all alerts again", explain=second.log_tail)
                produce(kafka.bootstrap, topics.NOTICES.name, end)
                wait_for(lambda: shown() == 0, "all alerts to end", explain=second.log_tail)
                second.terminate()
                assert second.wait() == 0, second.log_tail()
            dispatch.terminate()
            assert dispatch.wait() == 0, dispatch.log_tail()
    assert len(found["deaf"]) == TROUBLES
    assert all(ends == {"failed"} for ends in found["deaf"].values())
    assert set(found["ops"]) == set(good.seen)  # their own, and what the deaf were not told
    assert len(good.seen) == 2 * TROUBLES
    again = {key for key, times in good.seen.items() if times > 1}
    assert again <= good.came_to["/"]  # what had no stored outcome when the first was killed, by its key
    assert max(good.seen.values()) <= 2


def test_redis_emptied_killed_and_back_loses_nothing_and_repeats_nothing(
    own_topics: Broker, redis_server: RedisServer
) -> None:
    kafka, key = own_topics, "pay/paid"
    status = {"type": "forewarn.status.v1", "data": {"dedup_key": key, "sequence": 1}}
    produce(kafka.bootstrap, topics.STATUS.name, [(key, orjson.dumps(status))])
    with ExitStack() as stack, Webhook() as good:
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "REDIS_URL": redis_server.url,
            "FOREWARN_FLUSH_INTERVAL": "1s",
            "FOREWARN_CHANNELS_ALLOW": "127.0.0.0/8",
            "GOOD": good.url,
        }
        _, deliver, project = roles = [
            stack.enter_context(Process([sys.executable, "-m", "agents", role], name=role, env=environment))
            for role in ("dispatch", "deliver", "project")
        ]

        def is_filled() -> bool:
            with redis.Redis.from_url(redis_server.url) as client:
                return bool(client.hexists(STATUS_KEY, key))

        _wait_for_markers(kafka)
        wait_for(is_filled, "the status", explain=project.log_tail)
        for times, fails in enumerate((empty, RedisServer.kill, RedisServer.start, empty)):
            told = range(times * KILLED_AFTER, (times + 1) * KILLED_AFTER)
            produce(kafka.bootstrap, topics.NOTICES.name, [notice("ops", number, number) for number in told])
            fails(redis_server)
            wait_for(lambda to=told: len(good.seen) == to.stop, "messages", explain=deliver.log_tail)
        wait_for(is_filled, "the status again", explain=project.log_tail)
        found = outcomes(kafka, 4 * KILLED_AFTER)
        for role in roles:
            role.terminate()
            assert role.wait() == 0, role.log_tail()
    assert set(found["ops"]) == set(good.seen)
    assert all(ends == {"delivered"} for ends in found["ops"].values())
    assert set(good.seen.values()) == {1}

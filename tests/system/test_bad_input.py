"""Whatever lies on the topics of live workers goes to the dead letters with its bytes; the good beside it counts."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
import yaml
from confluent_kafka import Producer

from agents.routing import FORWARDED
from schemas.topics import ALERTS, DEAD_LETTERS, NOTICES, OUTBOX, TELEMETRY
from sla.partitioner import partition_of
from sla.records import Reason
from sla.units import HOUR_MS, rfc3339
from tests.harness import Broker, consume_until, wait_for
from tests.system.recorded import OUTPUTS, live_output, read_all, replayed_output, unlike, without_own
from tests.system.workers import PARTITIONS, Workers

pytestmark = [pytest.mark.kafka, pytest.mark.redis]

SERVICE = "payments"
HOME = partition_of(SERVICE.encode(), PARTITIONS)
NAMED = {"service": SERVICE, "signal": "availability"}
MIB = 1024 * 1024
GOOD_COUNT = 10
MISROUTED_COUNT = 6
UNKNOWN_COUNT = 300
STORM_COUNT = 150

DOCUMENTS = [
    {"apiVersion": "forewarn/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    for kind, name, spec in (
        ("Settings", "detector", {"decideEvery": "1s"}),
        ("Service", SERVICE, {"owner": "payments-team"}),
        (
            "Objective",
            "payments-availability",
            {
                "service": SERVICE,
                "indicator": {"type": "ratio", "signal": "availability"},
                "target": "99%",
                "window": {"rolling": "1h"},
                "warnings": {"burnRates": "none", "budgetConsumed": "none", "forecast": "none"},
            },
        ),
    )
]


class Bad(NamedTuple):
    """A record of the home partition and why it cannot be used."""

    reason: Reason
    value: bytes | None
    key: bytes | None = SERVICE.encode()


def counts(now: int, **changed: Any) -> bytes:
    return orjson.dumps({"type": "counts", **NAMED, "at": rfc3339(now), "good": GOOD_COUNT, "bad": 0, **changed})


def every_kind(now: int) -> list[Bad]:
    exclusion = {"type": "exclusion", "service": SERVICE, "id": "x", "reason": "r", "category": "planned"}
    return [
        Bad(Reason.NOT_UTF8, b"\xff\xfe" + counts(now)),
        Bad(Reason.NOT_JSON, b"{"),
        Bad(Reason.NOT_JSON, counts(now).replace(b'"good":10', b'"good":NaN')),
        Bad(Reason.NOT_JSON, counts(now).replace(b'"good":10', b'"good":-Infinity')),
        Bad(Reason.NOT_JSON, counts(now).replace(b"payments", b"pay\\ud800")),
        Bad(Reason.TOO_LARGE, counts(now, note="x" * (3 * MIB // 2))),
        Bad(Reason.TOO_LARGE, counts(now, note="x" * (5 * MIB // 2))),
        Bad(Reason.TOO_DEEP, b"[" * 100_000),
        Bad(Reason.NULL_VALUE, None),
        Bad(Reason.MISSING_FIELD, counts(now, bad=None)),
        Bad(Reason.WRONG_TYPE, b"[]"),
        Bad(Reason.WRONG_TYPE, counts(now, good=1.0)),
        Bad(Reason.OUT_OF_RANGE, counts(now, good=-1)),
        Bad(Reason.OUT_OF_RANGE, counts(now, good=2**53)),
        Bad(Reason.OUT_OF_RANGE, counts(now, signal="x" * 201)),
        Bad(Reason.UNKNOWN_TYPE, orjson.dumps({"type": "gossip", **NAMED})),
        Bad(
            Reason.UNKNOWN_VALUE,
            orjson.dumps({**exclusion, "category": "x", "from": rfc3339(now), "to": rfc3339(now + 1)}),
        ),
        Bad(Reason.BAD_INSTANT, counts(now, at="yesterday")),
        Bad(Reason.FROM_THE_FUTURE, counts(now, at=rfc3339(now + HOUR_MS))),
        Bad(Reason.INVERTED_INTERVAL, orjson.dumps({**exclusion, "from": rfc3339(now), "to": rfc3339(now - 1)})),
        Bad(Reason.KEY_MISMATCH, counts(now, service="orders")),
        Bad(Reason.UNKNOWN_REVISION, orjson.dumps({"type": "catalogue", "revision": 10**6, "sha256": "ab"}), None),
    ]


class Scene(NamedTuple):
    """Live workers that follow the definitions."""

    workers: Workers
    folder: Path

    def send(self, topic: str, records: list[tuple[bytes | None, bytes | None]], partition: int) -> None:
        """Into a partition of the test's choice, however large."""
        bootstrap = self.workers.broker.bootstrap
        producer = Producer({"log_level": 0, "bootstrap.servers": bootstrap, "message.max.bytes": 4 * MIB})
        for key, value in records:
            producer.produce(topic, key=key, value=value, partition=partition)
        assert producer.flush(30) == 0


@pytest.fixture
def scene(kafka: Broker, redis_url: str, tmp_path: Path) -> Iterator[Scene]:
    with closing(Workers(kafka, redis_url)) as workers:
        workers.make_topics()
        definitions = tmp_path / "definitions.yaml"
        definitions.write_text(yaml.safe_dump_all(DOCUMENTS))
        workers.command("apply", str(definitions))
        for role in ("detect", "dispatch", "deliver"):
            workers.start(role, role)
        workers.wait_ready("detect", "dispatch", "deliver")
        workers.wait_marked()
        yield Scene(workers, tmp_path)


def letters(bootstrap: str, count: int) -> list[dict[str, Any]]:
    found = consume_until(bootstrap, [DEAD_LETTERS.name], lambda records: len(records) >= count)
    letters = [orjson.loads(record.value or b"") for record in found]
    return sorted(letters, key=lambda letter: (letter["topic"], letter["partition"], letter["offset"]))


def test_all_that_is_bad_is_kept_with_its_bytes_and_all_that_is_good_counts(scene: Scene) -> None:
    workers, bootstrap = scene.workers, scene.workers.broker.bootstrap
    now = int(time.time() * 1000)
    history = {"type": "history", **NAMED, "from": rfc3339(now - 2 * HOUR_MS), "to": rfc3339(now), "good": 0, "bad": 0}
    kinds = every_kind(now)
    scene.send(TELEMETRY.name, [(SERVICE.encode(), orjson.dumps(history))], HOME)
    for bad in kinds:
        scene.send(TELEMETRY.name, [(bad.key, bad.value), (SERVICE.encode(), counts(now))], HOME)
    scene.send(NOTICES.name, [(b"oncall", b"no JSON")], 0)
    scene.send(OUTBOX.name, [(b"oncall", b"\xff")], 0)

    # In a wrong partition: sent on once, and counted once; one of them has no key at all.
    elsewhere = (HOME + 1) % PARTITIONS
    misrouted = [(SERVICE.encode(), counts(now))] * (MISROUTED_COUNT - 1) + [(None, counts(now))]
    scene.send(TELEMETRY.name, misrouted, elsewhere)

    # Nobody defined these; they are told once each and not once per record.
    names = [f"nobody-{number % 3}" for number in range(UNKNOWN_COUNT)]
    for name in sorted(set(names)):
        unknown = [(name.encode(), counts(now, service=name))] * names.count(name)
        scene.send(TELEMETRY.name, unknown, partition_of(name.encode(), PARTITIONS))

    wait_for(lambda: workers.metric("detect", "forwarded_total") == MISROUTED_COUNT, "the misrouted")
    wait_for(lambda: workers.metric("detect", "unknown_service_records_total") == UNKNOWN_COUNT, "the unknown")
    wait_for(lambda: len(forwarded(bootstrap)) == MISROUTED_COUNT, "the misrouted to be sent on")
    scene.send(TELEMETRY.name, [(SERVICE.encode(), counts(now, good=0, bad=100))], HOME)

    (alert, *_) = consume_until(bootstrap, [ALERTS.name], bool)
    reason = orjson.loads(alert.value or b"")["data"]["reason"]
    assert (reason["rule"], reason["bad_count"]) == ("budget_spent", 100)
    assert reason["total_count"] == (len(kinds) + MISROUTED_COUNT) * GOOD_COUNT + 100

    # A storm makes the worker unready, and work goes on.
    scene.send(TELEMETRY.name, [(SERVICE.encode(), b"{")] * STORM_COUNT, HOME)
    found = letters(bootstrap, len(kinds) + 2 + STORM_COUNT)
    wait_for(lambda: workers.ask("detect", "readyz")[0] == 503, "the storm to be told")
    assert "dead_letter_storm" in workers.ask("detect", "readyz")[1]

    by_topic = Counter(letter["topic"] for letter in found)
    assert by_topic == {TELEMETRY.name: len(kinds) + STORM_COUNT, NOTICES.name: 1, OUTBOX.name: 1}
    told = [letter for letter in found if letter["topic"] == TELEMETRY.name][: len(kinds)]
    assert [letter["reason"] for letter in told] == [bad.reason for bad in kinds]
    for bad, letter in zip(kinds, told, strict=True):
        value = None if bad.value is None else b64encode(bad.value[: 2 * MIB]).decode()
        assert (letter["value_base64"], letter["partition"]) == (value, HOME), bad.reason
        assert letter.get("truncated", False) == (len(bad.value or b"") > 2 * MIB)
        assert (None if letter["key_base64"] is None else b64decode(letter["key_base64"])) == bad.key

    workers.stop("detect", "dispatch", "deliver")
    assert workers.logs().count("no definition names") == len(set(names))
    assert "Traceback" not in workers.logs()
    assert_replayed(scene)


def forwarded(bootstrap: str) -> list[bytes]:
    """The values that were sent on to the home partition, by the source they then carry."""
    found = [
        record for record in read_all(bootstrap, TELEMETRY.name) if b'"source":"forewarn:' in (record.value or b"")
    ]
    assert all((record.partition, record.key) == (HOME, SERVICE.encode()) for record in found)
    assert len({record.value for record in found}) == len(found), FORWARDED
    return [record.value or b"" for record in found]


def assert_replayed(scene: Scene) -> None:
    """What the live workers said is what a replay of the topics says; that may read ticks that no worker did."""
    base, output = scene.folder / "base.yaml", scene.folder / "out.jsonl"
    base.write_text(yaml.safe_dump(DOCUMENTS[0]))
    scene.workers.command("replay", "--definitions", str(base), "--from-kafka", "..", "--output", str(output))
    replayed = replayed_output(output.read_bytes())
    live = without_own(live_output(scene.workers.broker.bootstrap))
    live = {key: values for key, values in live.items() if key[2] != f"{OUTBOX.name}/0"}  # deliver's, which is no fold
    read = {key: values[: len(live.get(key, []))] for key, values in replayed.items()}
    assert unlike(live, read) == []
    # What a slow run leaves without an answer is told at such a tick, on a topic that is not compared.
    assert live.keys() >= {key for key in replayed if key[0] in OUTPUTS}

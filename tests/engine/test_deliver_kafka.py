"""`deliver` on a real Kafka: killed in the middle, with one channel down and one that hangs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from agents.delivery.lanes import AT_ONCE_MAX, UNSTORED_MAX
from schemas import topics
from tests.harness import Broker, Process, consume_until, free_port, produce, wait_for
from tests.harness.webhook import Webhook

pytestmark = [pytest.mark.kafka]

PARTITIONS = 4
MESSAGES = 400
KILLED_AFTER = 80
REPEATED_MAX = AT_ONCE_MAX + UNSTORED_MAX  # under way, or done and not yet in the table, when it was killed
FALLBACK = {"stakeholder": "lead", "audience": "owner", "channels": [{"kind": "webhook", "url": "${GOOD}"}]}


@pytest.fixture
def own_topics(kafka: Broker) -> Iterator[Broker]:
    needed = [topics.OUTBOX, topics.DELIVERIES, topics.DEAD_LETTERS, topics.BY_NAME[topics.changelog_of("deliver")]]
    names = [topic.name for topic in needed]
    kafka.delete_topics(*names)
    for topic in needed:
        kafka.create_topics({topic.name: PARTITIONS}, topic.settings())
    yield kafka
    kafka.delete_topics(*names)


def send(number: int, kind: str, url: str) -> tuple[str, bytes]:
    stakeholder = f"who-{number % 16}"
    record = {
        "type": "send",
        "id": f"{number:032x}",
        "stakeholder": stakeholder,
        "audience": "oncall",
        "channel": {"kind": kind, "url": url},
        "subject": f"message {number}",
        "text": "t",
        "event_id": "e",
        "dedup_key": f"a/{number}",
        "kind": "notice",
        "severity": "critical",
        "fallback": FALLBACK if kind == "pagerduty" else None,
        "source": "forewarn:sla.notices.v1/0",
        "sequence": number,
    }
    return stakeholder, orjson.dumps(record)


def worker(kafka: Broker, **urls: str) -> Process:
    return Process(
        [sys.executable, "-m", "agents", "deliver"],
        name="deliver",
        env={
            **urls,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "FOREWARN_FLUSH_INTERVAL": "1s",
            "FOREWARN_SESSION_TIMEOUT": "3s",
            "FOREWARN_CHANNELS_ALLOW": "127.0.0.0/8",
        },
    )


def outcomes(kafka: Broker, enough: int) -> dict[str, Counter[str]]:
    found = consume_until(
        kafka.bootstrap, [topics.DELIVERIES.name], lambda records: len(_by_id(records)) >= enough, within_s=90
    )
    return _by_id(found)


def _by_id(records: Any) -> dict[str, Counter[str]]:
    counted: dict[str, Counter[str]] = {}
    for record in records:
        value = orjson.loads(record.value or b"")
        counted.setdefault(value["id"], Counter())[value["outcome"]] += 1
    return counted


def test_killed_in_the_middle_every_message_ends_and_only_what_was_under_way_is_repeated(own_topics: Broker) -> None:
    kafka = own_topics
    with Webhook(0.02) as good, Webhook(hangs=True) as hanging:
        urls = {"GOOD": good.url, "HANGING": hanging.url, "DOWN": f"http://127.0.0.1:{free_port()}/"}
        kinds = [("webhook", "${HANGING}")] * 8 + [("webhook", "${DOWN}")] * 8 + [("pagerduty", "${KEY}")] * 8
        kinds += [("webhook", "${GOOD}")] * MESSAGES
        produce(kafka.bootstrap, topics.OUTBOX.name, [send(number, *kind) for number, kind in enumerate(kinds)])
        ids = [f"{number:032x}" for number in range(len(kinds))]
        waiting, lost, told = set(ids[:16]), set(ids[16:24]), set(ids[24:])
        with worker(kafka, **urls) as first:
            wait_for(lambda: len(good.seen) >= KILLED_AFTER, "messages to arrive", within_s=60, explain=first.log_tail)
            first.kill()
        with worker(kafka, **urls) as second:
            # The lost ones fail at once, for their key is not set, and their fallback is told by the good channel.
            found = outcomes(kafka, len(told) + 2 * len(lost))
            second.terminate()
            assert second.wait() == 0, second.log_tail()
    assert told < set(good.seen)
    assert len(good.seen) == len(told) + len(lost)  # each lost one was told to its fallback
    again = [key for key, times in good.seen.items() if times > 1]
    assert len(again) <= REPEATED_MAX, again
    assert all(set(found[key]) == {"delivered"} for key in told)
    assert all(set(found[key]) == {"failed"} for key in lost)
    assert not waiting & found.keys()  # their channels are down and hang, and that delayed nobody

"""From notices to people: how many a core decides, how few messages a storm becomes, how soon a channel is called."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from statistics import quantiles
from typing import Any, Final, NamedTuple

import orjson
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bench.lab import Lab, Scale
from bench.machine import cores
from bench.measures.measure import Found, Measure
from bench.workload.instants import START_AT
from bench.workload.notices import Desk, notice, stakeholder
from schemas import topics
from sla.units import MINUTE_MS, SECOND_MS
from tests.harness import Process, wait_for
from tests.harness.webhook import Webhook

_PARTITIONS: Final = 4
_WITHIN_S: Final = 120.0


class _Size(NamedTuple):
    notices_count: int  # for the rate
    stakeholders_count: int
    storm_count: int
    seconds: int  # of the latency
    per_second: int


_SIZES: Final = {
    Scale.FULL: _Size(20_000, 200, 10_000, 30, 50),
    Scale.SMOKE: _Size(200, 10, 100, 1, 10),
}


def _measured(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    rate, rate_by_cpu = _rates(size)
    lab.say(f"dispatch decides {rate:,.0f} notices a second")
    storm = _storm(size)
    lab.say(f"a storm of {size.storm_count:,} breaches is {max(storm.values())} messages at most for one stakeholder")
    delays = sorted(_delays(lab.broker(), size))
    p50, p99 = (quantiles(delays, n=100)[place] for place in (49, 98))
    figures = {
        "notices_per_s": rate,
        "notices_per_cpu_s": rate_by_cpu,
        "storm_messages_per_stakeholder": float(max(storm.values())),
        "critical_to_channel_p50_ms": p50 * 1000,
        "critical_to_channel_p99_ms": p99 * 1000,
    }
    return Found(figures, ("figure", "value"), [[name, f"{value:,.3f}"] for name, value in figures.items()])


def _rates(size: _Size) -> tuple[float, float]:
    """Notices a second, and a second of the processor, through the fold on one core: decoded, decided and encoded."""
    told = [stakeholder(f"who-{number}") for number in range(size.stakeholders_count)]
    desk = Desk(told)
    lines = []
    for number in range(size.notices_count):
        who, pair = told[number % len(told)].name, number // len(told)
        name = "recovery" if pair % 2 else "breach"
        at = START_AT + number * MINUTE_MS // 60
        lines.append((who, notice(number, who, at, name=name, promise=pair // 2), at))
    with cores.pinned(cores.MEASURED):
        began_at, spent_s = time.perf_counter(), time.process_time()
        for who, value, at in lines:
            for emission in desk.step(who, value, at):
                orjson.dumps(emission.value)
        elapsed_s, spent_s = time.perf_counter() - began_at, time.process_time() - spent_s
    return size.notices_count / elapsed_s, size.notices_count / spent_s


def _storm(size: _Size) -> Counter[str]:
    """Messages by stakeholder when all promises break at one instant, counted until an hour after it."""
    told = [stakeholder(f"who-{number}") for number in range(2)]
    desk = Desk(told)
    messages: Counter[str] = Counter()

    def count(emissions: Any) -> None:
        messages.update(str(each.value["stakeholder"]) for each in emissions if each.topic == topics.OUTBOX.name)

    for number in range(size.storm_count):
        for place, each in enumerate(told):
            value = notice(number * len(told) + place, each.name, START_AT, promise=number)
            count(desk.step(each.name, value, START_AT))
    for second in range(1, 3_600):
        count(desk.step(None, b'{"type":"tick"}', START_AT + second * SECOND_MS))
    return messages


def _number_of(body: Mapping[str, Any]) -> str:
    """Of the notice that a message tells of."""
    return str(int(body["event_ids"][0], 16))


def _delays(bootstrap: str, size: _Size) -> list[float]:
    """Seconds from the notice's record to the call of its channel, while every second notice's channel hangs."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wanted = [NewTopic(each.name, each.partitions or _PARTITIONS, 1, config=each.settings()) for each in topics.ALL]
    for answer in admin.create_topics(wanted).values():
        answer.result()
    with ExitStack() as stack:
        good, hanging = (stack.enter_context(Webhook(hangs=hangs, key=_number_of)) for hangs in (False, True))
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "FOREWARN_CHANNELS_ALLOW": "127.0.0.0/8",
            "GOOD": good.url,
            "HANGING": hanging.url,
        }
        with cores.pinned(cores.MEASURED):
            workers = [
                stack.enter_context(Process([sys.executable, "-m", "agents", role], name=role, env=environment))
                for role in ("dispatch", "deliver")
            ]
        sender = _Sender(bootstrap)
        sender.send(0, "${GOOD}")  # the workers have their partitions when it arrives
        wait_for(lambda: "0" in good.came_at, "the first message", within_s=_WITHIN_S, explain=workers[1].log_tail)
        numbers = range(1, size.seconds * size.per_second + 1)
        for number in numbers:
            sender.send(number, "${HANGING}" if number % 2 else "${GOOD}")
            threading.Event().wait(1 / size.per_second)
        awaited = [number for number in numbers if not number % 2]
        wait_for(
            lambda: len(good.came_at) > len(awaited), "all messages", within_s=_WITHIN_S, explain=workers[1].log_tail
        )
        return [good.came_at[str(number)] - sender.sent_at[number] for number in awaited]


class _Sender:
    """Writes notices for people whom no catalogue knows: they are told at once, by the channels of the notice."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 0, "log_level": 0}
        )
        self.sent_at: dict[int, float] = {}

    def send(self, number: int, url: str) -> None:
        who = f"who-{number % 40}"
        at = time.time_ns() // 1_000_000
        value = notice(number, who, at, promise=number, channels=[{"kind": "webhook", "url": url}])
        self.sent_at[number] = time.monotonic()
        self._producer.produce(topics.NOTICES.name, value, who)
        self._producer.poll(0)


MEASURE: Final = Measure(
    name="telling",
    asks="notices a core decides, messages a storm becomes, time from a critical notice to its channel",
    keys=(
        "notices_per_s",
        "notices_per_cpu_s",
        "storm_messages_per_stakeholder",
        "critical_to_channel_p50_ms",
        "critical_to_channel_p99_ms",
    ),
    minutes=4,
    run=_measured,
)

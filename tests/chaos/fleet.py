"""Services that get worse and better all the time, produced by two kinds of clients: half of them hash their own way.

Beside them a probe goes into each partition five times a second: a record that cannot be used, so that it comes back as
a dead letter as soon as somebody has read it. That is how a partition is seen to stand still.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import orjson
from confluent_kafka import Producer

from agents.log_clock import LogClock
from schemas.topics import TELEMETRY
from sla.partitioner import partition_of
from sla.units import rfc3339
from tests.system.services import (
    RATIO,
    SAMPLES,
    SILENCE,
    UPTIME,
    Document,
    Story,
    documents,
    exclusion,
    history,
    measured,
    ratio,
)
from tests.system.workers import PARTITIONS

SLOTS: Final = 5  # of a second
LAP: Final = 240  # seconds after which a service's story begins anew
BUSY_PER_SLOT: Final = 3
BAD_AT_MOST: Final = 7
FLUSH_WITHIN_S: Final = 120
PROBE_KEY: Final = "probe"

# By second of a lap. The bad of a lap is well below an hour's budget, so that warnings come again and again.
STORIES: Final = (
    Story("well", 4, RATIO, ratio()),
    Story("outage", 8, RATIO, ratio(), ((20, 36, 12),)),
    Story("collapse", 8, RATIO, ratio(), ((10, 20, 40),)),
    Story("silent", 6, RATIO, ratio(noData=SILENCE), ((30, 70, None),)),
    Story("gone", 2, RATIO, ratio(noData=SILENCE), ((4, 40, 30), (40, 120, None))),
    Story("excused", 4, RATIO, ratio(), ((5, 60, 60),)),
    Story("shadow", 2, RATIO, ratio(mode="shadow"), ((5, 30, 20),)),
    Story("slow", 6, SAMPLES, ratio(target="80%"), ((12, 80, 1),)),
    Story("down", 4, UPTIME, ratio(), ((6, 16, 1),)),
    Story("dark", 2, UPTIME, ratio(noData=SILENCE), ((6, 16, 1), (40, 80, None))),
)
# Every record of theirs is bad by a number of its own, and the budget is a year's: what it has consumed is the sum.
YEAR: Final = {"calendar": "year", "timezone": "UTC"}
NO_WARNINGS: Final = {"burnRates": "none", "budgetConsumed": "none", "forecast": "none"}
BUSY: Final = Story("busy", 8, RATIO, ratio(window=YEAR, warnings=NO_WARNINGS))


def definitions() -> list[Document]:
    """What the fleet is promised to be."""
    return documents((*STORIES, BUSY))


class Fleet:
    """Produces from `start` until `stop`, in a thread of its own. `probes` counts what was handed to the client."""

    def __init__(self, bootstrap: str) -> None:
        client = {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 5,
            "log_level": 0,
            "delivery.timeout.ms": 600_000,
            "reconnect.backoff.max.ms": 500,
        }
        self._clock = LogClock()
        self._right = Producer({**client, "partitioner": "murmur2_random"})
        self._own = Producer({**client, "partitioner": "consistent_random"})  # librdkafka's default
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet")
        self.refused: list[str] = []

    def load(self) -> None:
        """The past, before the first record."""
        for body in history(self._clock.now(), (*STORIES, BUSY)):
            self._send(self._right, body)
        self._right.flush(FLUSH_WITHIN_S)

    def start(self) -> None:
        """Go on by itself."""
        self._thread.start()

    def stop(self) -> None:
        """End, with every record acknowledged, and a last one in each partition."""
        self._stop.set()
        self._thread.join()
        for producer in (self._own, self._right):
            left_count = producer.flush(FLUSH_WITHIN_S)
            if left_count:
                self.refused.append(f"{left_count} records were not acknowledged")

    def say_last(self) -> None:
        """One more record into each partition: whoever has read it has read all."""
        for partition in range(PARTITIONS):
            service = next(
                name for name in map("last-{}".format, count()) if partition_of(name.encode(), PARTITIONS) == partition
            )
            at = rfc3339(self._clock.now())
            self._send(self._right, {"type": "change", "service": service, "at": at, "id": "end", "summary": "end"})
        self._right.flush(FLUSH_WITHIN_S)

    def _run(self) -> None:
        due_at = time.monotonic()
        for slot in count():
            second, part = divmod(slot, SLOTS)
            for body, is_right in self._bodies(second, part):
                self._send(self._right if is_right else self._own, body)
            probe = orjson.dumps({"type": "counts", PROBE_KEY: slot})
            for partition in range(PARTITIONS):
                self._right.produce(TELEMETRY.name, value=probe, partition=partition, on_delivery=self._noted)
            self._right.poll(0)
            self._own.poll(0)
            due_at += 1 / SLOTS
            if self._stop.wait(max(0.0, due_at - time.monotonic())):
                return

    def _bodies(self, second: int, part: int) -> Iterator[tuple[dict[str, Any], bool]]:
        at = self._clock.now()
        place = 0
        for story in STORIES:
            for number, service in enumerate(story.services):
                place += 1
                if place % SLOTS != part:
                    continue
                lap, moment = divmod(second + number * LAP // story.count, LAP)
                bad = story.trouble(moment)
                if bad is None:
                    continue
                body = {"service": service, "signal": story.indicator["signal"], "at": rfc3339(at)}
                for measure in measured(story, number, second, bad, at, body):
                    yield measure, place % 2 == 0
                if story.name == "excused" and moment == 64:
                    yield exclusion(service, at, f"CHG-{lap}"), True
        for number, service in enumerate(BUSY.services):
            for again in range(BUSY_PER_SLOT):
                bad = 1 + (second * SLOTS + part + again + number) % BAD_AT_MOST
                body = {"type": "counts", "service": service, "signal": RATIO["signal"], "at": rfc3339(at)}
                yield {**body, "good": 200, "bad": bad}, number % 2 == 0

    def _send(self, producer: Producer, body: dict[str, Any]) -> None:
        value = orjson.dumps(body)
        producer.produce(TELEMETRY.name, key=body["service"], value=value, on_delivery=self._noted)

    def _noted(self, error: object, _message: object) -> None:
        if error is not None:
            self.refused.append(str(error))

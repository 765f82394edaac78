"""Traffic at a given rate, as it happens, and single records whose append time is known."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final

import orjson
from confluent_kafka import Message

from bench.workload.backlog import PARTITIONS, flush, new_producer
from bench.workload.fleet import SIGNAL, Fleet
from bench.workload.instants import iso, now_ms
from bench.workload.traffic import Traffic
from schemas.topics import TELEMETRY
from sla.partitioner import partition_of

_TURN_S: Final = 0.01


class LiveTraffic:
    """A fleet's records, `rate` a second, for as long as `turns` is iterated."""

    def __init__(self, bootstrap: str, fleet: Fleet, rate: int) -> None:
        self._producer = new_producer(bootstrap)
        self._traffic = Traffic(fleet)
        self._places = {key: partition_of(key, PARTITIONS) for key in self._traffic.keys}
        self._rate = rate
        self._sent_count = 0

    def turns(self, seconds: float) -> Iterator[float]:
        """The seconds that have passed, a hundred times a second; sends what is due before each."""
        began_at, pause = time.monotonic(), threading.Event()
        while (passed_s := time.monotonic() - began_at) < seconds:
            self._send_to(int(passed_s * self._rate))
            yield passed_s
            pause.wait(_TURN_S)
        flush(self._producer)
        self._sent_count = 0

    def _send_to(self, due_count: int) -> None:
        at = iso(now_ms())
        for number in range(self._sent_count, due_count):
            key, value = self._traffic.record(number, at)
            self._producer.produce(TELEMETRY.name, value, key, self._places[key])
        self._sent_count = due_count
        self._producer.poll(0)


class Probes:
    """Records that break a promise, sent at once; `appended_at` has the broker's stamp of each, by service."""

    def __init__(self, bootstrap: str) -> None:
        self.appended_at: dict[str, int] = {}
        self._producer = new_producer(bootstrap, linger_ms=0)

    def send(self, service: str, bad_count: int) -> None:
        """More bad than the objective allows in all its window."""
        key = service.encode()
        record = {"type": "counts", "service": service, "signal": SIGNAL, "at": now_ms(), "good": 0, "bad": bad_count}

        def appended(error: object, message: Message) -> None:
            if error is not None:
                raise RuntimeError(f"the broker did not take a probe: {error}")
            self.appended_at[service] = message.timestamp()[1]

        place = partition_of(key, PARTITIONS)
        self._producer.produce(TELEMETRY.name, orjson.dumps(record), key, place, on_delivery=appended)
        self._producer.poll(0)

    def close(self) -> None:
        """Wait until all have been stamped."""
        flush(self._producer)

"""One run of the whole system: a fleet deteriorates, workers are stopped and killed on the way, and all settles."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import orjson
import redis
import yaml
from confluent_kafka import Producer

from agents.log_clock import LogClock
from schemas.topics import TELEMETRY
from tests.harness import Broker, wait_for
from tests.harness.process import PATIENCE_S
from tests.system import services
from tests.system.ending import Ending
from tests.system.workers import PARTITIONS, Workers


class Run:
    """The workers, the fleet's producer, and what a test does to them."""

    def __init__(self, broker: Broker, redis_url: str, clock: LogClock, folder: Path, **environment: str) -> None:
        self.broker = broker
        self.clock = clock
        self.folder = folder
        self.redis_url = redis_url
        # The embedded broker refuses for good who is late to a rebalance: there one works alone, and leaves in order.
        self.has_groups = broker.kind == "real"
        self.detectors = ("detect-a", "detect-b") if self.has_groups else ("detect-a",)
        self.workers = Workers(broker, redis_url, **environment)
        self.ending = Ending(self.workers)
        self.second = -1
        self._stop = threading.Event()
        self._producer = Producer(
            {
                "log_level": 0,
                "bootstrap.servers": broker.bootstrap,
                "partitioner": "murmur2",
                "enable.idempotence": True,
            }
        )
        self._thread = threading.Thread(target=self._live)

    def begin(self) -> None:
        """Topics, definitions, workers; returns when every partition follows the definitions and history is loaded."""
        self.workers.make_topics()
        definitions = self.folder / "definitions.yaml"
        definitions.write_text(yaml.safe_dump_all(services.documents(), sort_keys=False))
        self.workers.command("apply", str(definitions))
        for name in ("dispatch", "deliver", "project"):
            self.workers.start(name, name)
        for name in self.detectors:
            self.workers.start(name, "detect")
        self.workers.wait_ready(*self.detectors, "dispatch", "deliver", "project")
        share = PARTITIONS // len(self.detectors)
        wait_for(
            lambda: all(owned == share for owned in self.workers.owned(*self.detectors)),
            "the workers to share the partitions",
            explain=self.workers.tails,
        )
        self.workers.wait_marked()
        self._send(services.history(self.clock.now()))
        self._producer.flush(PATIENCE_S)

    # -- the fleet

    def play(self) -> None:
        """Start the fleet; `reach` waits for one of its seconds."""
        self._thread.start()

    def reach(self, second: int) -> None:
        wait_for(lambda: self.second >= second, f"second {second} of the fleet", within_s=PATIENCE_S + services.SECONDS)

    def _live(self) -> None:
        due_at = time.monotonic()
        for second in range(services.SECONDS):
            self._send(services.records(second, self.clock.now()))
            self._producer.flush(PATIENCE_S)
            self.second = second
            due_at += 1 / self.clock.speed
            if self._stop.wait(max(0.0, due_at - time.monotonic())):
                return

    def _send(self, bodies: Any) -> None:
        at = self.clock.now()
        for body in bodies:
            value = orjson.dumps(body)
            self._producer.produce(TELEMETRY.name, key=body["service"], value=value, timestamp=at)

    # -- what happens on the way

    def disturb(self) -> None:
        """One worker is stopped, one killed, Redis emptied and its writer killed; each is started again at once."""
        workers = self.workers
        self.reach(12)
        workers.stop("detect-a")
        workers.start("detect-a", "detect")
        if self.has_groups:
            self.reach(26)
            workers.kill("detect-b")
            workers.start("detect-b", "detect")
            self.reach(30)
            workers.kill("dispatch")
            workers.start("dispatch", "dispatch")
        self.reach(40)
        workers.kill("project")
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()
        workers.start("project", "project")

    def settle(self) -> None:
        """Wait until every record was read, told, delivered and shown; stop all workers, which must end well."""
        self._thread.join()
        self.ending.settle()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.workers.close()

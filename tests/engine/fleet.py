"""Workers that count, on a real Kafka, and the oracle that looks at the topics afterwards."""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from agents.changelog import is_segment
from agents.transport import unpack
from tests.engine.counting import EVERY, HEAD
from tests.harness import health
from tests.harness.broker import Broker, unique
from tests.harness.ports import free_port
from tests.harness.process import PATIENCE_S, Process, wait_for

PARTITIONS = 4
KEYS = 200
SESSION = "3s"


class Stored(NamedTuple):
    """What is on the broker, as a program that knows only the formats reads it."""

    counts: dict[str, tuple[int, int]]  # key → count, sum: of the changelog's head with the highest source offset
    wanted: dict[str, tuple[int, int]]  # the same, of the log
    events: Counter[str]
    wanted_events: set[str]
    uncommitted: dict[int, tuple[int, int]]  # partition → committed, end
    last_wins_wrong: int  # keys whose last head is not the highest


class Fleet:
    """Topics of their own, a producer in the background, and worker processes by name."""

    def __init__(self, broker: Broker, **environment: str) -> None:
        self.broker = broker
        self.name = unique("count")
        self._environment = environment
        self.workers: dict[str, Process] = {}
        self._ports: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        stamped = {"message.timestamp.type": "LogAppendTime"}
        broker.create_topics({self.source: PARTITIONS}, stamped)
        broker.create_topics({self.out: PARTITIONS})
        broker.create_topics({self.changelog: PARTITIONS}, {"cleanup.policy": "compact", **stamped})

    @property
    def source(self) -> str:
        return f"{self.name}.in"

    @property
    def out(self) -> str:
        return f"{self.name}.out"

    @property
    def changelog(self) -> str:
        return f"forewarn-{self.name}-state-changelog"

    # -- input

    def produce(self, rate: int) -> None:
        """Write `rate` records a second in the background, until `settle`: whoever starts late has its share too."""
        self._thread = threading.Thread(target=self._produce, args=(rate,))
        self._thread.start()

    def produce_now(self, count: int) -> None:
        """Write `count` records at once."""
        self._send(self._producer(), range(count)).flush(PATIENCE_S)

    def _producer(self) -> Producer:
        return Producer(
            {"log_level": 0, "bootstrap.servers": self.broker.bootstrap, "partitioner": "murmur2", "linger.ms": 5}
        )

    def _send(self, producer: Producer, numbers: Sequence[int]) -> Producer:
        for number in numbers:
            producer.produce(self.source, key=f"key-{number % KEYS}", value=orjson.dumps({"value": number}))
            if number % 500 == 0:
                producer.poll(0)
        return producer

    def _produce(self, rate: int) -> None:
        producer, sent = self._producer(), 0
        while not self._stop.wait(0.1):
            self._send(producer, range(sent, sent + rate // 10))
            sent += rate // 10
            producer.poll(0)
        producer.flush(PATIENCE_S)

    # -- workers

    def start(self, *names: str, **environment: str) -> None:
        for name in names:
            self._ports[name] = free_port()
            self.workers[name] = Process(
                [sys.executable, "-m", "tests.engine.counting"],
                name=f"{self.name}-{name}",
                env={
                    "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap,
                    "COUNTING_NAME": self.name,
                    "FOREWARN_FLUSH_INTERVAL": "1s",
                    "FOREWARN_SESSION_TIMEOUT": SESSION,
                    "FOREWARN_HEALTH_PORT": str(self._ports[name]),
                    "FOREWARN_WORKER_ID": name,
                    **self._environment,
                    **environment,
                },
            )

    def wait_ready(self, *names: str) -> None:
        for name in names:
            wait_for(
                lambda name=name: self.ask(name, "readyz")[0] == 200,
                f"{name} to be ready",
                explain=lambda name=name: self.ask(name, "readyz")[1] + self.workers[name].log_tail(),
            )

    def ask(self, name: str, path: str) -> tuple[int, str]:
        return health.ask(self._ports[name], path)

    def metric(self, name: str, metric: str) -> int:
        return health.metric(self._ports[name], metric)

    def wait_moving(self, name: str) -> None:
        """Until a worker is reading data, not only ticks."""
        wait_for(
            lambda: self.metric(name, "records_total") > 100,
            f"{name} to read records",
            explain=self.workers[name].log_tail,
        )

    def terminate(self, name: str) -> int:
        worker = self.workers.pop(name)
        worker.terminate()
        wait_for(lambda: worker.exit_code is not None, f"{name} to stop", explain=worker.log_tail)
        code = worker.exit_code
        assert code is not None
        return code

    def kill(self, name: str) -> None:
        self.workers.pop(name).kill()

    def signal(self, name: str, number: signal.Signals) -> None:
        self.workers[name].send(number)

    # -- the end

    def settle(self) -> Stored:
        """Stop the producer, wait for every record to be committed, stop the workers, and read what is stored."""
        self._produced()
        data_ends = self._ends()
        wait_for(
            lambda: all(self._committed()[at] >= end for at, end in data_ends.items()),
            "every record to be committed",
            explain=lambda: f"{self._committed()} of {data_ends}\n" + self._logs(),
        )
        for name in list(self.workers):
            assert self.workers[name].exit_code is None, self._logs()
            assert self.terminate(name) == 0
        return self._stored(data_ends)

    def _logs(self) -> str:
        return "\n".join(worker.log_tail() for worker in self.workers.values())

    def _ends(self) -> dict[int, int]:
        with self._consumer() as consumer:
            return {
                at: consumer.get_watermark_offsets(TopicPartition(self.source, at), timeout=PATIENCE_S)[1]
                for at in range(PARTITIONS)
            }

    def _committed(self) -> dict[int, int]:
        with self._consumer(f"forewarn-{self.name}") as consumer:
            wanted = [TopicPartition(self.source, at) for at in range(PARTITIONS)]
            return {found.partition: max(0, found.offset) for found in consumer.committed(wanted, timeout=PATIENCE_S)}

    @contextmanager
    def _consumer(self, group: str = "") -> Iterator[Consumer]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "group.id": group or unique("oracle"),
                "enable.auto.commit": False,
            }
        )
        try:
            yield consumer
        finally:
            consumer.close()

    def scan(self, topic: str) -> Iterator[tuple[int, int, bytes | None, bytes, int]]:
        """Partition, offset, key, value and timestamp of every record."""
        with self._consumer() as consumer:
            left = {}
            for at in range(PARTITIONS):
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, at), timeout=PATIENCE_S)
                if high > low:
                    left[at] = high
            consumer.assign([TopicPartition(topic, at, 0) for at in left])
            while left:
                for message in consumer.consume(5000, 1.0):
                    assert message.error() is None, message.error()
                    at, offset = message.partition(), message.offset()
                    assert at is not None
                    assert offset is not None
                    yield at, offset, message.key(), message.value() or b"", message.timestamp()[1]
                    if offset + 1 >= left.get(at, 0):
                        left.pop(at, None)

    def _stored(self, data_ends: dict[int, int]) -> Stored:
        count: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for _at, _offset, key, value, _ in self.scan(self.source):
            if key:
                count[key.decode()] += 1
                total[key.decode()] += orjson.loads(value)["value"]
        best: dict[str, tuple[int, int, int]] = {}
        last: dict[str, int] = {}
        for _at, _offset, key, head, _ in self.scan(self.changelog):
            if is_segment(key or b"") or key == HEAD.encode():
                continue
            name = (key or b"").decode()
            offset, body = unpack(head)
            state = orjson.loads(body)
            last[name] = offset
            if offset >= best.get(name, (-1,))[0]:
                best[name] = (offset, state["count"], state["sum"])
        events = Counter(orjson.loads(value)["id"] for _, _, _, value, _ in self.scan(self.out))
        committed = self._committed()
        return Stored(
            counts={key: (found[1], found[2]) for key, found in best.items()},
            wanted={key: (count[key], total[key]) for key in count},
            events=events,
            wanted_events={f"{key}:{n}" for key in count for n in range(EVERY, count[key] + 1, EVERY)},
            uncommitted={at: (committed[at], end) for at, end in data_ends.items() if committed[at] < end},
            last_wins_wrong=sum(last[key] < best[key][0] for key in best),
        )

    def _produced(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        self._produced()
        for worker in self.workers.values():
            worker.kill()
        if self.broker.kind == "real":
            self.broker.delete_topics(self.source, self.out, self.changelog)


def assert_exact(stored: Stored) -> None:
    """Counts, events and commits are those of the log: nothing lost, nothing doubled, nothing invented."""
    wrong = {
        key: (stored.counts.get(key), wanted)
        for key, wanted in stored.wanted.items()
        if stored.counts.get(key) != wanted
    }
    assert not wrong, f"{len(wrong)} keys: (stored, wanted) {dict(list(wrong.items())[:5])}"
    assert set(stored.events) == stored.wanted_events
    assert not stored.uncommitted

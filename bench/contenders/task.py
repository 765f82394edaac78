"""What a contender's process is told and what it tells; nothing but the standard library, for some have their own."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

MARK: Final = "BENCH "
SAMPLED_EVERY_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Task:
    """Read `records_count` records of `topic`, as the group or application `name`."""

    bootstrap: str
    topic: str
    partitions_count: int
    records_count: int
    name: str

    @classmethod
    def read(cls) -> Self:
        """From the environment."""
        environment = os.environ
        return cls(
            environment["KAFKA_BOOTSTRAP_SERVERS"],
            environment["BENCH_TOPIC"],
            int(environment["BENCH_PARTITIONS"]),
            int(environment["BENCH_RECORDS"]),
            environment["BENCH_NAME"],
        )

    def environment(self) -> Mapping[str, str]:
        """What `read` reads."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "BENCH_TOPIC": self.topic,
            "BENCH_PARTITIONS": str(self.partitions_count),
            "BENCH_RECORDS": str(self.records_count),
            "BENCH_NAME": self.name,
        }


class Stopwatch:
    """Looks at a counter from a thread of its own, and tells when it has come to the end.

    The time begins just before the first records: how long a program takes to start is another question.
    """

    def __init__(self, task: Task, counted: Callable[[], int]) -> None:
        """`counted` gives the records read so far."""
        self._records_count = task.records_count
        self._counted = counted

    def start(self) -> None:
        """Begin to look; the process goes on after the end, and is ended from outside."""
        threading.Thread(target=self._watch, name="stopwatch", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        began_at, began_cpu_s = time.monotonic(), time.process_time()
        while not self._counted():
            began_at, began_cpu_s = time.monotonic(), time.process_time()  # a first look may find all of it read
            pause.wait(SAMPLED_EVERY_S)
        while (last := self._counted()) < self._records_count:
            pause.wait(SAMPLED_EVERY_S)
        told = {
            "records_count": last,
            "seconds": time.monotonic() - began_at,
            "cpu_s": time.process_time() - began_cpu_s,
        }
        os.write(1, f"{MARK}{json.dumps(told)}\n".encode())  # some frameworks turn what is printed into log lines

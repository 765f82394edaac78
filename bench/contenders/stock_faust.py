"""Faust as it comes, a record at a time: the totals in a dict or, with BENCH_TABLE=1, in a table with its changelog."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import faust

from bench.contenders.task import Stopwatch, Task

TASK = Task.read()
WITH_TABLE = os.environ.get("BENCH_TABLE") == "1"

app = faust.App(
    TASK.name,
    broker=f"kafka://{TASK.bootstrap}",
    store="memory://",
    datadir=tempfile.mkdtemp(prefix="forewarn-bench-"),
    topic_partitions=TASK.partitions_count,
    topic_disable_leader=True,
    web_enabled=False,
)
topic = app.topic(TASK.topic, key_type=bytes, key_serializer="raw", value_serializer="json")
totals: Any = app.Table("totals", partitions=TASK.partitions_count) if WITH_TABLE else {}
read_count = 0
Stopwatch(TASK, lambda: read_count).start()


@app.agent(topic)  # type: ignore[untyped-decorator]
async def count(stream: Any) -> None:
    """The job, a record at a time."""
    global read_count  # noqa: PLW0603 - the stopwatch looks at it
    async for document in stream:
        if document["type"] == "counts":
            service = document["service"]
            records, good, bad = totals.get(service) or (0, 0, 0)
            totals[service] = [records + 1, good + document["good"], bad + document["bad"]]
        read_count += 1


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "-l", "warn", "--without-web"]
    app.main()

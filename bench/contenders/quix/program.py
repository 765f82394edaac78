"""Quix Streams as it comes: a stateful update per record, its own store and changelog. Runs in its own environment."""

from __future__ import annotations

import tempfile
from typing import Any

from quixstreams import Application, State

from bench.contenders.task import Stopwatch, Task

TASK = Task.read()
read_count = 0


def count(document: dict[str, Any], state: State) -> None:
    """The job, a record at a time."""
    global read_count  # noqa: PLW0603 - the stopwatch looks at it
    if document["type"] == "counts":
        records, good, bad = state.get("total") or (0, 0, 0)
        state.set("total", [records + 1, good + document["good"], bad + document["bad"]])
    read_count += 1


def main() -> None:
    """Run until ended from outside."""
    app = Application(
        broker_address=TASK.bootstrap,
        consumer_group=TASK.name,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        state_dir=tempfile.mkdtemp(prefix="forewarn-bench-"),
        loglevel="WARNING",
    )
    frame = app.dataframe(app.topic(TASK.topic, value_deserializer="json", key_deserializer="bytes"))
    # The markers have no key, and state belongs to keys; there are a handful of them.
    frame = frame[frame["type"] != "catalogue"]
    frame.update(count, stateful=True)
    Stopwatch(TASK, lambda: read_count).start()
    app.run()


if __name__ == "__main__":
    main()

"""The two runs of the whole system, one per broker: each is made once and looked at by many tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
import yaml

from agents.log_clock import LogClock, real_ms
from forewarn.embedded import EmbeddedBroker
from tests.harness import Broker, Received
from tests.system import services
from tests.system.recorded import Output, inputs, line_of, live_output, replayed_output
from tests.system.run import Run
from tests.system.workers import PARTITIONS

SPEED = 2  # of the log's time on the embedded broker: a minute of the fleet takes 30 s


class Finished(NamedTuple):
    """What a run leaves behind: what the folds read, what they published, and what a replay of the first prints."""

    run: Run
    input: list[Received]
    live: Output
    replayed: Output


def replay(run: Run, lines: list[dict[str, Any]]) -> Output:
    """What `forewarn replay` prints for these lines; its revision 0 promises nothing, as the workers' does."""
    base, source, output = (run.folder / f"replay.{ending}" for ending in ("yaml", "jsonl", "out"))
    base.write_text(yaml.safe_dump(services.documents()[0]))
    source.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    run.workers.command("replay", "--definitions", str(base), "--input", str(source), "--output", str(output))
    return replayed_output(output.read_bytes())


def finished(run: Run) -> Finished:
    """Play the fleet to its end, and read what is there."""
    run.begin()
    run.play()
    run.disturb()
    run.settle()
    found = inputs(run.broker.bootstrap, PARTITIONS)
    replayed = replay(run, [line_of(record) for record in found])
    return Finished(run, found, live_output(run.broker.bootstrap), replayed)


@pytest.fixture(scope="session")
def on_kafka(kafka: Broker, _redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """A run on a real Kafka, whose append time is the clock."""
    folder: Path = tmp_path_factory.mktemp("kafka")
    with closing(Run(kafka, _redis_server, LogClock(), folder, FOREWARN_SESSION_TIMEOUT="3s")) as run:
        yield finished(run)


@pytest.fixture(scope="session")
def on_embedded(_redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """A run on the embedded broker, where ticks alone move time."""
    folder: Path = tmp_path_factory.mktemp("embedded")
    start_at = real_ms()
    clock = LogClock(start_at, SPEED, start_at)
    with EmbeddedBroker.start({}) as embedded:
        broker = Broker("embedded", embedded.bootstrap, embedded.create_topics)
        environment = {"FOREWARN_CLOCK": f"{start_at},{SPEED},{start_at}"}
        with closing(Run(broker, _redis_server, clock, folder, **environment)) as run:
            yield finished(run)

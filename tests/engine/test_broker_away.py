"""The broker freezes, or dies for good: workers wait it out, or stop within their deadline."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.engine.fleet import Fleet, assert_exact
from tests.harness import Broker, Missing, require
from tests.harness.kafka import real_kafka
from tests.harness.process import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.chaos]

STOP_DEADLINE_S = 5


class Own(NamedTuple):
    """A broker that this test may harm, and its process."""

    broker: Broker
    pid: int


def java_children() -> set[int]:
    """Processes of ours that run Java."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = status.read_text().rpartition(")")
            name = (status.parent / "comm").read_text().strip()
        except OSError:
            continue  # it has ended meanwhile
        if int(rest.split()[1]) == os.getpid() and name == "java":
            found.add(int(status.parent.name))
    return found


@pytest.fixture
def own() -> Iterator[Own]:
    before = java_children()
    with ExitStack() as stack:
        try:
            bootstrap = stack.enter_context(real_kafka())
        except Missing as missing:
            require("kafka", missing)
        started = java_children() - before
        if len(started) != 1:
            pytest.skip("the broker runs in a container: this test stops its process")
        yield Own(Broker("real", bootstrap), started.pop())


def test_a_broker_that_freezes_for_ten_seconds_ends_no_worker_and_loses_nothing(own: Own) -> None:
    fleet = Fleet(own.broker)
    fleet.produce(rate=1000)
    fleet.start("a", "b")
    for name in ("a", "b"):
        fleet.wait_moving(name)
    os.kill(own.pid, signal.SIGSTOP)
    try:
        # By then the session is over, and both say that nobody has confirmed them.
        wait_for(lambda: fleet.ask("a", "readyz")[0] == 503, "a to notice")
        wait_for(lambda: fleet.ask("b", "readyz")[0] == 503, "b to notice")
    finally:
        os.kill(own.pid, signal.SIGCONT)
    fleet.wait_ready("a", "b")
    assert_exact(fleet.settle())
    fleet.close()


def test_a_stop_while_the_broker_is_gone_ends_within_its_deadline(own: Own) -> None:
    fleet = Fleet(own.broker, FOREWARN_STOP_DEADLINE=f"{STOP_DEADLINE_S}s")
    fleet.produce_now(1000)
    fleet.start("a")
    fleet.wait_moving("a")
    os.kill(own.pid, signal.SIGKILL)
    worker = fleet.workers.pop("a")
    worker.terminate()
    wait_for(lambda: worker.exit_code is not None, "the stop", explain=worker.log_tail)
    assert worker.exit_code == 75, worker.log_tail()
    assert "ended without a last commit" in worker.log.read_text()

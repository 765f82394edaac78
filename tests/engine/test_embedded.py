"""The same worker on the embedded broker, which stamps nothing: ticks alone move time, in fast motion."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

import orjson
import pytest

from tests.engine.fleet import PARTITIONS, Fleet, assert_exact
from tests.harness import Broker
from tests.harness.process import wait_for

pytestmark = pytest.mark.kafka


@pytest.fixture
def fleet(embedded_broker: Broker) -> Iterator[Fleet]:
    found = Fleet(embedded_broker, FOREWARN_CLOCK=f"{int(time.time() * 1000)},100")
    yield found
    found.close()


def test_a_killed_worker_loses_and_doubles_nothing_on_the_embedded_broker_either(fleet: Fleet) -> None:
    fleet.produce(rate=1000)
    fleet.start("a")
    fleet.wait_moving("a")
    fleet.kill("a")
    fleet.start("a")
    assert_exact(fleet.settle())


def test_ticks_are_in_log_time_and_close_enough_that_somebody_is_always_watching(fleet: Fleet) -> None:
    fleet.start("a")
    fleet.wait_ready("a")
    wait_for(lambda: fleet.metric("a", "ticks_total") >= 100 * PARTITIONS, "a hundred ticks")
    assert fleet.terminate("a") == 0
    stamps: dict[int, list[int]] = {at: [] for at in range(PARTITIONS)}
    for at, _offset, key, value, stamped_at in fleet.scan(fleet.source):
        assert not key
        assert orjson.loads(value) == {"type": "tick"}
        stamps[at].append(stamped_at)
    for found in stamps.values():
        steps = [later - earlier for earlier, later in pairwise(found)]
        assert median(steps) == 2000  # longer where a busy machine has let the broker wait
        assert all(step % 2000 == 0 < step for step in steps)

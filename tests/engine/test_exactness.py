"""Worker processes on a real Kafka, disturbed: what is stored afterwards is what the log says."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.engine.fleet import Fleet, assert_exact
from tests.harness import Broker
from tests.harness.process import wait_for

pytestmark = pytest.mark.kafka

NewFleet = Callable[..., Fleet]


@pytest.fixture
def new_fleet(kafka: Broker) -> Iterator[NewFleet]:
    fleets: list[Fleet] = []

    def new(**environment: str) -> Fleet:
        fleets.append(Fleet(kafka, **environment))
        return fleets[-1]

    yield new
    for fleet in fleets:
        fleet.close()


def test_a_worker_that_is_stopped_and_one_that_is_killed_lose_and_double_nothing(new_fleet: NewFleet) -> None:
    fleet = new_fleet()
    fleet.produce(rate=2000)
    fleet.start("a", "b", "c")
    for name in ("a", "b", "c"):
        fleet.wait_moving(name)
    assert fleet.terminate("b") == 0
    fleet.start("b")
    fleet.wait_ready("b")
    fleet.kill("c")
    fleet.start("c")
    assert_exact(fleet.settle())


def test_workers_that_join_and_leave_under_a_backlog_lose_and_double_nothing(new_fleet: NewFleet) -> None:
    fleet = new_fleet(COUNTING_SLOW_S="0.001")  # so that the agents' queues are full when they are cleared
    fleet.produce_now(60_000)
    fleet.produce(rate=3000)
    fleet.start("a")
    fleet.wait_moving("a")
    fleet.start("b")
    fleet.wait_ready("b")
    fleet.start("c")
    fleet.wait_ready("c")
    assert fleet.terminate("b") == 0
    stored = fleet.settle()
    assert_exact(stored)


def test_an_orderly_stop_leaves_nothing_to_repeat(new_fleet: NewFleet) -> None:
    fleet = new_fleet(FOREWARN_SESSION_TIMEOUT="60s")  # nobody dies: a machine that hangs for a while is no reason
    fleet.produce(rate=2000)
    fleet.start("a")
    fleet.wait_moving("a")
    assert fleet.terminate("a") == 0
    fleet.start("a")
    stored = fleet.settle()
    assert_exact(stored)
    assert max(stored.events.values()) == 1


@pytest.mark.chaos
def test_a_worker_that_was_frozen_beyond_its_session_writes_nothing_stale(new_fleet: NewFleet) -> None:
    fleet = new_fleet()
    fleet.produce(rate=3000)
    fleet.start("a", "b")
    for name in ("a", "b"):
        fleet.wait_moving(name)
    for name, other in (("a", "b"), ("b", "a")):
        before = fleet.metric(other, "records_total")
        fleet.signal(name, signal.SIGSTOP)
        # The other one has taken over when it owns all four partitions.
        wait_for(lambda other=other: fleet.metric(other, "partitions_owned") == 4, "the take-over")
        assert fleet.metric(other, "records_total") >= before
        fleet.signal(name, signal.SIGCONT)
        wait_for(lambda name=name: fleet.metric(name, "partitions_owned") == 2, "the return")
    assert_exact(fleet.settle())


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(3))
def test_rebalance_upon_rebalance_loses_nothing(new_fleet: NewFleet, seed: int) -> None:
    fleet = new_fleet()
    fleet.produce_now(100_000)
    fleet.produce(rate=3000)
    fleet.start("a", "b")
    for name in ("a", "b"):
        fleet.wait_moving(name)
    for turn in range(3):
        extra = f"x{seed}{turn}"
        fleet.start(extra)
        fleet.wait_ready(extra)
        if (seed + turn) % 2:
            fleet.kill(extra)
        else:
            fleet.terminate(extra)
        fleet.kill("a")
        fleet.start("a")
        fleet.wait_ready("a")
    assert_exact(fleet.settle())


@pytest.mark.chaos
def test_a_static_member_that_is_killed_comes_back_to_its_partitions(new_fleet: NewFleet) -> None:
    fleet = new_fleet(FOREWARN_STATIC_MEMBERSHIP="true", FOREWARN_SESSION_TIMEOUT="10s")
    fleet.produce(rate=2000)
    fleet.start("a", "b")
    for name in ("a", "b"):
        fleet.wait_moving(name)
    fleet.kill("b")
    fleet.start("b")
    fleet.wait_moving("b")
    assert fleet.terminate("a") == 0
    fleet.start("a")
    fleet.wait_moving("a")
    assert_exact(fleet.settle())


@pytest.mark.chaos
def test_without_the_seek_repair_the_same_backlog_is_not_exact(new_fleet: NewFleet) -> None:
    fleet = new_fleet(COUNTING_SLOW_S="0.002", COUNTING_WITHOUT="seek")
    fleet.produce_now(100_000)
    fleet.produce(rate=3000)
    fleet.start("a", "b")
    fleet.wait_moving("a")
    for extra in ("c", "d", "e"):
        fleet.start(extra)
        fleet.wait_ready(extra)
        fleet.terminate(extra)
    # Lost: either counts are short, or a partition is never committed again. A worker that died would prove nothing.
    with pytest.raises((AssertionError, pytest.fail.Exception), match=r"every record to be committed|\d+ keys: "):
        assert_exact(fleet.settle())
    assert all(worker.exit_code is None for worker in fleet.workers.values())

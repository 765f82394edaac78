"""Ticks and markers: when, where, and with which timestamp."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import log_clock as clock_module
from agents.log_clock import SPEED_MAX, LogClock
from agents.metrics import Metrics
from agents.shell import Activity
from agents.ticker import Ticker, is_silent
from agents.transport import Record, Sent
from sla.catalogue import Catalogue
from sla.fold import TICK
from tests.engine.parts import World
from tests.harness.process import PATIENCE_S

TOPIC = "unit.in"
T0 = 1_795_000_000_000


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the machine's clock."""

    def set_to(real_at: int) -> None:
        monkeypatch.setattr(clock_module, "real_ms", lambda: real_at)

    set_to(T0)
    return set_to


# -- the clock


@pytest.mark.parametrize(
    ("text", "real_at", "log_at"),
    [
        ("1000,60", 1000, 1000),  # both clocks agree at the start
        ("1000,60", 1500, 31_000),
        ("0,10,5000", 5100, 1000),
        ("0,1,0", 77, 77),
    ],
)
def test_log_time_runs_from_its_start_at_its_speed(text: str, real_at: int, log_at: int) -> None:
    assert LogClock.parse(text).at(real_at) == log_at


@pytest.mark.parametrize("text", ["", "1", "a,b", "1,2,3,4", "1,0", f"1,{SPEED_MAX + 1}", "1.5,2"])
def test_a_wrong_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        LogClock.parse(text)


def test_processes_that_start_one_after_the_other_share_one_clock() -> None:
    assert LogClock.parse("1000,60").at(9000) == LogClock.parse("1000,60").at(9000)


@given(st.integers(1, SPEED_MAX), st.sampled_from([100, 1000, 5000]))
def test_ticks_are_whole_steps_apart_and_never_as_far_as_a_gap(speed: int, step_ms: int) -> None:
    spacing_ms = LogClock(0, speed).spacing_ms(step_ms)
    assert spacing_ms % step_ms == 0
    assert spacing_ms < 10_000 + step_ms


def test_in_real_time_a_late_tick_is_a_gap_and_stays_one(at: Any) -> None:
    clock = LogClock()
    assert clock.due(None, 1000) == [T0]
    at(T0 + 4500)
    assert clock.due(T0, 1000) == [T0 + 4000]
    assert clock.due(T0 + 4000, 1000) == []


def test_in_fast_motion_what_was_missed_is_ticked_too(at: Any) -> None:
    clock = LogClock(T0, 100, T0)
    at(T0 + 50)  # 5 s of log time
    assert clock.due(T0, 2000) == [T0 + 2000, T0 + 4000]


# -- silence


@pytest.mark.parametrize(
    ("activity", "silent"),
    [
        (Activity(), True),  # nothing was read yet
        (Activity(data_at=9.0, append_time=True), True),
        (Activity(data_at=10.5, append_time=True), False),
        (Activity(data_at=10.5, append_time=False), True),  # a producer's stamp does not move time
    ],
)
def test_a_partition_is_silent_when_the_step_has_brought_nothing_that_moves_time(
    activity: Activity,
    silent: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert is_silent(activity, step_began_at=10.0) is silent


# -- the ticker


class Owner:
    """Partitions that are all silent, with folds at a revision."""

    def __init__(self, revision: int = 0) -> None:
        self.fold = SimpleNamespace(revision=revision)

    def activity(self, partition: int) -> Activity:
        del partition
        return Activity()

    async def fold_of(self, partition: int) -> Any:
        del partition
        return self.fold


def ticker_on(world: World, owner: Owner, *, owned: Any, revision: int = 0) -> Ticker:
    catalogue = Catalogue(revision=revision, sha256="ab" if revision else "")
    return Ticker(
        TOPIC,
        owner,
        port=world,
        clock=LogClock(),
        metrics=Metrics(),
        owned=owned,
        catalogue=lambda: catalogue,
        revision_of=lambda fold: fold.revision,  # type: ignore[attr-defined]
    )


def written(world: World) -> list[tuple[int, bytes, int]]:
    """Partition, value and timestamp of each record, all without a key."""
    assert all(entry[2] is None for entry in world.on_the_way)
    return [(entry[4], entry[3], entry[5]) for entry in world.on_the_way]


async def test_each_owned_partition_gets_a_tick_with_the_step_as_its_timestamp() -> None:
    world = World()
    await ticker_on(world, Owner(), owned=lambda: frozenset({1, 2}))._step([T0], 10.0, 10.2)
    assert written(world) == [(1, TICK, T0), (2, TICK, T0)]


async def test_nothing_is_written_while_the_partitions_may_be_somebody_elses() -> None:
    world = World()
    await ticker_on(world, Owner(), owned=frozenset)._step([T0], 10.0, 10.2)
    assert written(world) == []


async def test_a_rebalance_in_the_middle_of_a_step_ends_it() -> None:
    world = World()
    answers = iter([frozenset({1, 2}), frozenset({1, 2}), frozenset()])
    await ticker_on(world, Owner(), owned=lambda: next(answers))._step([T0], 10.0, 10.2)
    assert written(world) == [(1, TICK, T0)]


async def test_while_the_broker_is_away_ticks_do_not_pile_up() -> None:
    world = World()
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def post(waiting: deque[Record]) -> list[Sent]:
        topic, key, value, partition, timestamp_ms, _ = waiting.popleft()
        world.on_the_way.append(("sent", topic, key, value, partition, timestamp_ms, ()))
        return [(never, 0)]

    world.post = post  # type: ignore[method-assign]
    ticker = ticker_on(world, Owner(), owned=lambda: frozenset({1}))
    await ticker._step([T0], 10.0, 10.2)
    await ticker._step([T0 + 1000], 10.5, 10.7)
    for second in range(12, 30):
        await ticker._step([T0 + 1000 * second], float(second), second + 0.2)
    assert len(written(world)) == 2
    never.set_result(None)
    await ticker._step([T0 + 60_000], 70.0, 70.2)
    assert len(written(world)) == 3


async def test_a_new_revision_is_marked_once_and_again_only_when_the_fold_did_not_follow() -> None:
    world, owner = World(), Owner(revision=5)
    ticker = ticker_on(world, owner, owned=lambda: frozenset({1}), revision=17)
    await ticker._step([T0], 10.0, 10.2)
    await ticker._step([T0 + 1000], 11.0, 11.2)
    marker = orjson.dumps({"type": "catalogue", "revision": 17, "sha256": "ab"})
    assert [value for _, value, _ in written(world)] == [marker, TICK, TICK]
    await ticker._step([T0 + 20_000], 30.0, 30.2)
    assert [value for _, value, _ in written(world)][3:] == [marker, TICK]
    owner.fold.revision = 17
    await ticker._step([T0 + 60_000], 70.0, 70.2)
    assert [value for _, value, _ in written(world)][5:] == [TICK]


async def test_before_the_first_apply_there_is_no_marker() -> None:
    world = World()
    await ticker_on(world, Owner(), owned=lambda: frozenset({1}))._step([T0], 10.0, 10.2)
    assert [value for _, value, _ in written(world)] == [TICK]


async def test_it_ticks_step_after_step() -> None:
    world = World()
    ticker = ticker_on(world, Owner(), owned=lambda: frozenset({1}))
    ticker._clock = LogClock.parse(f"{clock_module.real_ms()},100")  # a step of 1 s takes 10 ms: ticks each 2 s, 20 ms
    running = asyncio.create_task(ticker.run())
    async with asyncio.timeout(PATIENCE_S):
        while len(written(world)) < 5:  # noqa: ASYNC110 - the ticker is awaited, not an event
            await asyncio.sleep(0)
    running.cancel()
    stamps = [at for _, _, at in written(world)]
    assert all(later - earlier == 2000 for earlier, later in pairwise(stamps))

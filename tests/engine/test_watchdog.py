"""The watchdog: records that wait are no reason for alarm, records that nobody touches are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace

import pytest

import agents.vitals
import agents.watchdog
from agents import vitals
from agents.metrics import Metrics
from agents.watchdog import END_AFTER_S, UNREADY_AFTER_S, Watchdog


async def until(holds: Callable[[], object]) -> None:
    """Let the loop turn until something holds."""
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0)
    pytest.fail("waited in vain")


def test_a_partition_in_which_nothing_is_done_is_found_and_those_beside_it_are_not() -> None:
    dog = Watchdog()
    dog.look({0: 10, 1: 10}, 0.0)
    dog.look({0: 20, 1: 20}, 5.0)
    dog.handled(1, 15)
    dog.look({0: 30, 1: 30}, 10.0)
    assert dog.stuck(5.0 + UNREADY_AFTER_S, UNREADY_AFTER_S) == [0]


def test_slow_work_is_no_standstill() -> None:
    dog = Watchdog()
    dog.look({0: 1_000}, 0.0)
    for step in range(100):
        dog.handled(0, 1_000 + step)
        dog.look({0: 2_000 + step}, 5.0 * step)
    assert dog.stuck(500.0, UNREADY_AFTER_S) == []


def test_an_old_log_that_holds_nothing_any_more_is_not_waited_for() -> None:
    dog = Watchdog()
    for at in range(0, 500, 5):
        dog.look({0: 1_000}, float(at))
    assert dog.stuck(500.0, UNREADY_AFTER_S) == []


def test_what_was_done_after_all_ends_the_alarm() -> None:
    dog = Watchdog()
    dog.look({0: 10}, 0.0)
    dog.look({0: 11}, 5.0)
    assert dog.stuck(200.0, END_AFTER_S) == [0]
    dog.handled(0, 10)
    dog.look({0: 11}, 200.0)
    assert dog.stuck(200.0, END_AFTER_S) == []


def test_partitions_that_moved_are_watched_anew() -> None:
    dog = Watchdog()
    dog.look({0: 10}, 0.0)
    dog.look({0: 11}, 5.0)
    dog.forget()
    dog.look({0: 11}, 200.0)
    assert dog.stuck(900.0, END_AFTER_S) == []


async def test_a_standstill_makes_unready_and_then_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.watchdog, "LOOK_EVERY_S", 0.0)
    clock, end, said = [0.0], [10], list[str]()
    monkeypatch.setattr(agents.watchdog, "monotonic", lambda: clock[0])

    async def ask(partitions: Iterable[int]) -> Mapping[int, int]:
        end[0] += 1
        clock[0] += 10.0
        return dict.fromkeys(partitions, end[0])

    dog = Watchdog()
    running = asyncio.create_task(dog.run(lambda: frozenset({3}), ask, said.append))
    await until(dog.findings)
    assert not said
    await until(lambda: said)
    running.cancel()
    assert "partitions [3]" in said[0]


async def test_a_broker_that_is_away_is_no_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.watchdog, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(agents.watchdog, "ASK_WITHIN_S", 0.0)
    asked, said = [0], list[str]()

    async def ask(partitions: Iterable[int]) -> Mapping[int, int]:
        del partitions
        asked[0] += 1
        await asyncio.Event().wait()
        raise AssertionError

    running = asyncio.create_task(Watchdog().run(lambda: frozenset({3}), ask, said.append))
    await until(lambda: asked[0] > 5)
    running.cancel()
    assert not said


def test_what_waits_is_told_from_the_first_batch_on_and_not_once_the_partition_has_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agents.watchdog, "monotonic", lambda: 100.0)
    dog = Watchdog()
    dog.look({0: 10, 1: 10}, 0.0)
    assert (dog.lag_count(), dog.idle_s(103.0)) == ({}, {})
    dog.handled(0, 5)
    dog.look({0: 10, 1: 10}, 5.0)
    assert (dog.lag_count(), dog.idle_s(103.9)) == ({0: 4}, {0: 3})
    dog.handled(0, 12)  # further than the ends that were asked for
    assert dog.lag_count() == {0: 0}
    dog.forget()
    assert (dog.lag_count(), dog.idle_s(104.0)) == ({}, {})


def test_a_worker_tells_its_pulse_and_says_nothing_of_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.watchdog, "monotonic", lambda: 100.0)
    monkeypatch.setattr(agents.vitals, "monotonic", lambda: 107.5)
    metrics, dog = Metrics(), Watchdog()
    vitals.tell(metrics, dog, None, frozenset())
    assert not re.search(r"^forewarn_(lag|last)_", metrics.text("unit"), re.MULTILINE)
    dog.handled(3, 5)
    dog.look({3: 10}, 5.0)
    vitals.tell(metrics, dog, SimpleNamespace(confirmed_at=lambda: 105.6), frozenset({3}))
    told = metrics.text("unit").splitlines()
    assert 'forewarn_lag_records{role="unit",partition="3"} 4' in told
    assert 'forewarn_last_batch_age_seconds{role="unit",partition="3"} 7' in told
    assert 'forewarn_last_heartbeat_age_seconds{role="unit"} 1' in told
    dog.forget()
    vitals.tell(metrics, dog, None, frozenset())
    assert "partition=" not in metrics.text("unit")

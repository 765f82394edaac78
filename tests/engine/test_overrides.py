"""Every override of Faust is needed: with it a law holds, and with Faust's own method in its place the law is broken.

The nine repairs that `Plan.overrides` switches are tried on and off where each is tested (`SWITCHED`); the others are
tried here, by putting Faust's method back. docs/reliability.md shows all of them, and is held to this file.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import faust
import pytest
from faust.transport.consumer import ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver

from agents.transport import BulkTable, Override, Producer, Tables, Transport
from agents.transport.consumer import Consumer
from agents.transport.thread import FencedThread
from agents.worker import App, Worker
from tests.engine.parts import new_app, record
from tests.engine.test_consumer import SOURCE, Flusher, ack, consumer_of
from tests.engine.test_producer import Kafka, is_waiting, producer_on, waiting

CLASSES = (Transport, Consumer, FencedThread, Producer, BulkTable, Tables, App, Worker)
OVERRIDDEN = {
    f"{owner.__name__}.{name}": owner
    for owner in CLASSES
    for name, found in vars(owner).items()
    if (callable(found) or isinstance(found, property))
    and not name.startswith("__")
    and any(name in vars(base) for base in owner.__mro__[1:-1])
    if not isinstance(found, type)  # Transport.Consumer and Transport.Producer only name our classes
}

Law = Callable[[pytest.MonkeyPatch], Awaitable[bool]]


# -- what is read


async def a_fetch_is_a_few_messages(patch: pytest.MonkeyPatch) -> bool:
    consumer = consumer_of(new_app())

    async def fetch(*_: Any, **__: Any) -> dict[Any, list[Any]]:
        return {SOURCE: [record(offset) for offset in range(2 * consumer.plan.batch_max_count)]}

    patch.setattr(ThreadDelegateConsumer, "_getmany", fetch)
    return len((await consumer._getmany(None, 1.0))[SOURCE]) == 2


async def a_batch_becomes_a_message(_patch: pytest.MonkeyPatch) -> bool:
    batch = [record(4), record(9)]
    try:
        message = consumer_of(new_app())._to_message(SOURCE, batch)
    except AttributeError:  # Faust looks for the timestamp of one record
        return False
    return bool(message.value is batch and message.offset == 9)


async def while_all_is_paused_nobody_sleeps_for_a_second(patch: pytest.MonkeyPatch) -> bool:
    consumer, slept = consumer_of(new_app()), list[float]()
    consumer.flow_active = True
    consumer._active_partitions = set()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    patch.setattr(consumer, "sleep", sleep)
    patch.setattr(consumer, "_get_active_partitions", set)
    await consumer._wait_next_records(1.0)
    return sum(slept) < 0.5


async def the_broker_answers_a_fetch_soon(_patch: pytest.MonkeyPatch) -> bool:
    thread = new_app().consumer._thread
    return bool(thread._create_worker_consumer(thread.transport)._fetch_max_wait_ms <= 250)


async def a_heartbeat_counts_as_contact(patch: pytest.MonkeyPatch) -> bool:
    class Coordinator:
        generation = 3

        async def _do_heartbeat(self) -> bool:
            return True

        async def _send_req(self, request: Any) -> Any:
            return request

        async def _on_join_complete(self, *_: Any) -> None:
            return

        def reset_generation(self) -> None:
            return

    async def start(self: Any) -> None:
        fetcher = SimpleNamespace(_proc_fetch_request=None, _records={})
        self._consumer = SimpleNamespace(_coordinator=Coordinator(), _fetcher=fetcher)

    patch.setattr(driver.AIOKafkaConsumerThread, "on_start", start)
    consumer = new_app().consumer
    thread = consumer._thread
    await thread.on_start()
    await thread._consumer._coordinator._do_heartbeat()
    return bool(thread.last_contact_at > 0.0)


async def the_consumer_knows_when_it_was_confirmed(_patch: pytest.MonkeyPatch) -> bool:
    return isinstance(new_app().consumer._thread, FencedThread)


async def records_that_were_brought_are_waited_for(patch: pytest.MonkeyPatch) -> bool:
    thread = new_app().consumer._thread

    async def fetch(*_: Any, **__: Any) -> dict[Any, list[Any]]:
        return {SOURCE: [record(6)]}

    async def ends(partitions: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(partitions, 8)  # behind the record stands a marker

    patch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    patch.setattr(thread, "_highwaters", ends)
    patch.setattr(thread, "_is_passed", lambda *_: True)
    await thread._fetch_records(None, {SOURCE})
    return bool((await thread._record_ends([SOURCE]))[SOURCE] == 7)


async def the_consumer_follows_the_plan_of_its_app(_patch: pytest.MonkeyPatch) -> bool:
    app = new_app()
    try:
        return bool(app.consumer.plan is app.plan)
    except TypeError:  # Faust knows of no plan
        return False


# -- what is committed


async def a_batch_in_work_is_not_committed_past(_patch: pytest.MonkeyPatch) -> bool:
    app = new_app()
    consumer, app.flusher = consumer_of(app), Flusher()
    consumer._spans[SOURCE].hand_out(0)
    consumer._spans[SOURCE].hand_out(1)
    ack(consumer, 1)
    await consumer.commit()
    return not consumer.committed


async def gaps_in_the_log_cost_nothing(_patch: pytest.MonkeyPatch) -> bool:
    consumer = consumer_of(new_app())
    for offset in range(0, 1_000, 20):
        await consumer._add_gap(SOURCE, offset, offset + 10)
    return len(consumer._gap[SOURCE]) == 0


async def state_is_written_before_its_offsets(_patch: pytest.MonkeyPatch) -> bool:
    app = new_app()
    consumer, flusher = consumer_of(app), Flusher()
    app.flusher = flusher
    consumer._spans[SOURCE].hand_out(9)
    ack(consumer, 9)
    await consumer.commit()
    return bool(consumer.committed and flusher.events == ["settle", "snapshot", "write"])


# -- what is sent


async def a_retry_keeps_the_order(_patch: pytest.MonkeyPatch) -> bool:
    producer, _ = producer_on(Kafka())
    return bool(producer._settings_extra().get("enable_idempotence"))


async def records_join_a_batch_many_at_a_time(_patch: pytest.MonkeyPatch) -> bool:
    producer, _ = producer_on(Kafka())
    return hasattr(producer._producer_type, "hand_over")


async def a_flush_waits_for_what_faust_sends(_patch: pytest.MonkeyPatch) -> bool:
    producer, _ = producer_on(Kafka())
    await producer.send("t", b"k", b"1", None, None, None)
    return await _is_waited_for(producer)


async def a_flush_waits_for_what_faust_buffers(_patch: pytest.MonkeyPatch) -> bool:
    producer, _ = producer_on(Kafka())
    producer.send_soon(asyncio.get_running_loop().create_future())
    return await _is_waited_for(producer)


async def a_flush_does_not_give_up(_patch: pytest.MonkeyPatch) -> bool:
    producer, _ = producer_on(Kafka())
    await producer.post(waiting(b"1"))
    return await _is_waited_for(producer)


async def _is_waited_for(producer: Any) -> bool:
    flush = asyncio.create_task(producer.flush())
    waits = await is_waiting(flush)
    flush.cancel()
    return waits


# -- tables


async def a_recovered_batch_is_in_the_table(_patch: pytest.MonkeyPatch) -> bool:
    app = new_app()
    app.finalize()
    table: Any = app.tables["state"]
    records = [SimpleNamespace(key=b"k", value=b"\0" * 8 + b"{}")]
    try:
        table.apply_changelog_batch([SimpleNamespace(message=SimpleNamespace(partition=1, value=records))])
    except AttributeError:  # Faust looks for one record in each event
        return False
    return bool(table.records(1))


async def a_start_does_not_sleep(patch: pytest.MonkeyPatch) -> bool:
    app, slept = new_app(), list[float]()
    app.finalize()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def nothing() -> None:
        return

    patch.setattr(app.tables, "sleep", sleep)
    patch.setattr(app.tables, "_update_channels", nothing)
    patch.setattr(app.tables.recovery, "start", nothing)
    await app.tables.on_start()
    return not slept


# -- start and stop


class _Parts:
    """What is around a role."""

    def __init__(self) -> None:
        self.events: list[str] = []

    async def prepare(self) -> None:
        self.events.append("prepare")

    async def close(self) -> None:
        self.events.append("close")

    def start(self, reason: str) -> None:
        del reason
        self.events.append("deadline")


def _app_with_parts() -> tuple[Any, _Parts]:
    app: Any = new_app()
    app.lifecycle = app.stop_deadline = parts = _Parts()
    return app, parts


async def the_world_is_looked_at_before_a_group_is_joined(_patch: pytest.MonkeyPatch) -> bool:
    app, parts = _app_with_parts()
    await app.on_first_start()
    return parts.events == ["prepare"]


async def a_stop_disconnects_what_faust_does_not_know(_patch: pytest.MonkeyPatch) -> bool:
    app, parts = _app_with_parts()
    await app.on_stop()
    return parts.events == ["close"]


async def a_part_that_fails_ends_the_worker_at_once(patch: pytest.MonkeyPatch) -> bool:
    app, _parts = _app_with_parts()
    ended: list[str] = []
    patch.setattr(app, "fatal", ended.append)
    patch.setattr(faust.App, "_crash", lambda *_: None)
    app._crash(OSError("away"))
    return ended == ["a part of the worker failed: OSError('away')"]


def _a_signal_starts_the_deadline(name: str) -> Law:
    async def law(patch: pytest.MonkeyPatch) -> bool:
        app, parts = _app_with_parts()
        worker: Any = Worker(app, quiet=True, override_logging=False, redirect_stdouts=False)
        patch.setattr(worker, "_schedule_shutdown", lambda _: None)
        getattr(worker, name)()
        return parts.events == ["deadline"]

    law.__name__ = f"the_deadline_runs_from{name}"
    return law


class Repair(NamedTuple):
    """What Faust does without it, in the words of docs/reliability.md, and the law that shows it."""

    without: str
    law: Law


REPAIRS: dict[str, Repair] = {
    "Transport.create_consumer": Repair(
        "the consumer does not start: it has no plan", the_consumer_follows_the_plan_of_its_app
    ),
    "Consumer._new_consumer_thread": Repair(
        "nobody knows when the coordinator confirmed this worker", the_consumer_knows_when_it_was_confirmed
    ),
    "Consumer._getmany": Repair("one message per record: a fortieth of the speed", a_fetch_is_a_few_messages),
    "Consumer._to_message": Repair("a batch is no message", a_batch_becomes_a_message),
    "Consumer._wait_next_records": Repair(
        "a second of standing still after each rebalance", while_all_is_paused_nobody_sleeps_for_a_second
    ),
    "FencedThread._create_worker_consumer": Repair(
        "the first record after a rebalance is up to 1.5 s late", the_broker_answers_a_fetch_soon
    ),
    "FencedThread.on_start": Repair(
        "no heartbeat counts as contact, and the worker is fenced for ever", a_heartbeat_counts_as_contact
    ),
    "FencedThread._fetch_records": Repair(
        "records before a transaction's marker count as handled before they are",
        records_that_were_brought_are_waited_for,
    ),
    "Consumer._new_offset": Repair(
        "a commit passes a message that is still being worked on", a_batch_in_work_is_not_committed_past
    ),
    "Consumer._add_gap": Repair("bookkeeping of gaps, quadratic in their number", gaps_in_the_log_cost_nothing),
    "Consumer._commit_tps": Repair(
        "offsets are committed without the state that they cover", state_is_written_before_its_offsets
    ),
    "Producer._settings_extra": Repair("a retry can change the order of records", a_retry_keeps_the_order),
    "Producer._producer_type": Repair(
        "each record has a promise of its own: twice the work", records_join_a_batch_many_at_a_time
    ),
    "Producer.send": Repair("a commit does not wait for what Faust sends", a_flush_waits_for_what_faust_sends),
    "Producer.send_soon": Repair("a commit does not wait for what Faust buffers", a_flush_waits_for_what_faust_buffers),
    "Producer.flush": Repair(
        "a commit waits for a tenth of a second, and goes on with records on their way", a_flush_does_not_give_up
    ),
    "BulkTable.apply_changelog_batch": Repair(
        "a recovery takes one record at a time: a tenth of the speed", a_recovered_batch_is_in_the_table
    ),
    "Tables.on_start": Repair("a second of sleep at each start", a_start_does_not_sleep),
    "App.on_first_start": Repair(
        "a group is joined before anybody has looked for topics and catalogue",
        the_world_is_looked_at_before_a_group_is_joined,
    ),
    "App.on_stop": Repair(
        "clients that Faust does not know of stay connected", a_stop_disconnects_what_faust_does_not_know
    ),
    "App._crash": Repair(
        "a worker with a failed part commits, and waits for the broker without bound",
        a_part_that_fails_ends_the_worker_at_once,
    ),
    "Worker._on_sigterm": Repair(
        "a stop waits for the broker without bound", _a_signal_starts_the_deadline("_on_sigterm")
    ),
    "Worker._on_sigint": Repair("the same", _a_signal_starts_the_deadline("_on_sigint")),
}


class Switched(NamedTuple):
    """A repair with a switch: the overridden methods in which it is, and the test that tries it on and off."""

    without: str
    methods: tuple[str, ...]
    test: str


SWITCHED: dict[Override, Switched] = {
    Override.FENCE: Switched(
        "who was stopped writes to partitions that have moved, or reads on behind their next owner's commit",
        (),
        "test_consumer.test_without_a_recent_heartbeat_neither_state_nor_offsets_are_written",
    ),
    Override.DROP: Switched(
        "a partition that comes back brings with it what was deleted elsewhere meanwhile",
        ("BulkTable.on_rebalance",),
        "test_table.test_what_moved_is_forgotten_in_the_table_and_in_the_ledger",
    ),
    Override.WATCH: Switched(
        "a fatal answer of the coordinator is never asked for: the worker sits for ever, joined to nothing",
        (),
        "test_consumer.test_a_fatal_answer_of_the_coordinator_ends_the_worker",
    ),
    Override.MAX: Switched(
        "the last write wins a recovery, and a zombie may have written last",
        (),
        "test_table.test_the_highest_source_offset_wins_over_the_last_write",
    ),
    Override.ADV: Switched(
        "every rebalance reads again all that the worker itself has written",
        (),
        "test_table.test_own_writes_are_not_read_again",
    ),
    Override.SEEK: Switched(
        "records fetched behind the seek at the end of a recovery are thrown away, and committed past",
        ("Consumer.perform_seek", "Consumer.seek_wait", "Consumer.getmany"),
        "test_consumer.test_what_was_fetched_before_a_seek_is_not_handed_out_after_it",
    ),
    Override.REVOKE: Switched(
        "the commit at a rebalance commits nothing, and all since the last interval is read again",
        ("Consumer.on_partitions_revoked", "Consumer.commit_and_end_transactions"),
        "test_consumer.test_the_commit_at_a_revoke_still_knows_what_was_acknowledged",
    ),
    Override.RELEASE: Switched(
        "a batch that a rebalance cleared is waited for, until `stall` ends the worker",
        (),
        "test_consumer.test_a_batch_that_was_handed_over_is_held_by_nobody_here",
    ),
    Override.STALL: Switched(
        "one slow answer ends the recovery task, and the worker heartbeats on without working",
        (),
        "test_consumer.test_a_rebalance_without_progress_ends_the_worker",
    ),
}


def test_every_override_has_a_law() -> None:
    switched = [name for each in SWITCHED.values() for name in each.methods]
    assert sorted([*REPAIRS, *switched]) == sorted(OVERRIDDEN)
    assert SWITCHED.keys() == set(Override)


@pytest.mark.parametrize("name", REPAIRS)
async def test_with_the_override_the_law_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await REPAIRS[name].law(monkeypatch)


@pytest.mark.parametrize("name", REPAIRS)
async def test_without_the_override_the_law_is_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(OVERRIDDEN[name], name.partition(".")[2])  # Faust's own stands there now
    assert not await REPAIRS[name].law(monkeypatch)


@pytest.mark.parametrize("override", Override)
def test_a_switch_is_tried_on_and_off(override: Override) -> None:
    module, _, test = SWITCHED[override].test.partition(".")
    marks = getattr(importlib.import_module(f"tests.engine.{module}"), test).pytestmark
    tried = [
        case[0] for mark in marks if mark.name == "parametrize" and "without" in mark.args[0] for case in mark.args[1]
    ]
    assert () in tried
    assert (override,) in tried

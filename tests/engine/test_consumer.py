"""The consumer without a broker: batches, spans, seeks, commits; and each repair switched off."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import ThreadDelegateConsumer
from faust.types import TP

from agents.transport import Override, Plan, Write
from agents.transport import consumer as consumer_module
from agents.transport.consumer import Passed
from agents.transport.thread import FencedThread
from agents.worker import App
from tests.engine.parts import Fatal, new_app, record
from tests.harness.process import PATIENCE_S

SOURCE = TP("unit.in", 0)
CHANGELOG = TP("forewarn-unit-state-changelog", 0)
OTHER = TP("forewarn-unit-__assignor-__leader", 0)


class Flusher:
    """Notes what happens, in order."""

    def __init__(self, *, written: bool = True, error: Exception | None = None) -> None:
        self.events: list[str] = []
        self.written = written
        self.error = error

    async def settle(self) -> None:
        self.events.append("settle")

    def snapshot(self) -> Write:
        self.events.append("snapshot")

        async def write() -> bool:
            self.events.append("write")
            if self.error is not None:
                raise self.error
            return self.written

        return write


def consumer_of(app: App, assigned: frozenset[Any] = frozenset({SOURCE})) -> Any:
    """The app's consumer, fresh from a heartbeat, its commits noted in `committed`."""
    consumer = app.consumer
    app.finalize()
    app.topics._acking_topics.add(SOURCE.topic)
    consumer._thread.last_contact_at = monotonic()
    consumer.assignment = lambda: set(assigned)
    consumer._active_partitions = set(assigned)
    consumer.committed = []

    async def commit(offsets: dict[Any, int]) -> bool:
        consumer.committed.append(dict(offsets))
        return bool(consumer.accepts)

    consumer.accepts = True
    consumer._commit = commit
    app.producer.flush = _nothing
    return consumer


async def _nothing(*_: Any, **__: Any) -> None:
    return


def ack(consumer: Any, last_offset: int, tp: Any = SOURCE) -> None:
    consumer._acked_index[tp].add(last_offset)
    consumer._acked[tp].append(last_offset)


def fetches(monkeypatch: pytest.MonkeyPatch, fetched: dict[Any, list[Any]]) -> None:
    async def getmany(*_: Any, **__: Any) -> dict[Any, list[Any]]:
        return fetched

    monkeypatch.setattr(ThreadDelegateConsumer, "_getmany", getmany)


# -- batches


async def test_sources_and_changelogs_come_in_batches_and_all_else_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(new_app())
    records = [record(offset) for offset in range(4800)]
    fetches(monkeypatch, {SOURCE: records, CHANGELOG: records, OTHER: records})
    fetched = await consumer._getmany(None, 1.0)
    assert [len(batch) for batch in fetched[SOURCE]] == [2000, 2000, 800]
    assert [len(batch) for batch in fetched[CHANGELOG]] == [2000, 2000, 800]
    assert fetched[OTHER] is records


async def test_a_batch_holds_nothing_from_before_the_read_position(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(new_app())
    consumer._read_offset[SOURCE] = 7
    fetches(monkeypatch, {SOURCE: [record(offset) for offset in range(10)]})
    fetched = await consumer._getmany(None, 1.0)
    assert [entry.offset for entry in fetched[SOURCE][0]] == [7, 8, 9]


async def test_a_batch_is_one_message_with_the_last_offset_and_this_generation() -> None:
    app = new_app()
    consumer = consumer_of(app)
    app.consumer_generation_id = 5
    batch = [record(4, timestamp=1000), record(9, timestamp=3000, append_time=False)]
    message = consumer._to_message(SOURCE, batch)
    assert (message.offset, message.timestamp, message.timestamp_type, message.value) == (9, 3.0, 0, batch)
    assert message.generation_id == 5
    assert [entry.timestamp_type for entry in message.value] == [1, 0]


# -- commits


async def hand_out(consumer: Any, *lasts: int) -> None:
    for last in lasts:
        consumer._spans[SOURCE].hand_out(last)


async def test_the_commit_is_the_exact_prefix() -> None:
    app = new_app()
    consumer, app.flusher = consumer_of(app), Flusher()
    await hand_out(consumer, 99, 199, 299)
    ack(consumer, 99)
    ack(consumer, 299)
    assert await consumer.commit()
    assert consumer.committed == [{SOURCE: 100}]


async def test_state_is_written_between_the_choice_of_the_offsets_and_their_commit() -> None:
    app = new_app()
    consumer, flusher = consumer_of(app), Flusher()
    app.flusher = flusher
    await hand_out(consumer, 99, 199)
    ack(consumer, 99)
    inner = flusher.snapshot

    def snapshot() -> Write:
        write = inner()

        async def slow_write() -> bool:
            ack(consumer, 199)  # a batch ends while the state is written: its state is not in it
            return await write()

        return slow_write

    flusher.snapshot = snapshot  # type: ignore[method-assign]
    assert await consumer.commit()
    assert consumer.committed == [{SOURCE: 100}]
    assert flusher.events == ["settle", "snapshot", "write"]


async def test_what_was_not_written_is_not_committed() -> None:
    app = new_app()
    consumer, app.flusher = consumer_of(app), Flusher(written=False)
    await hand_out(consumer, 99)
    ack(consumer, 99)
    assert not await consumer.commit()
    assert consumer.committed == []


async def test_a_failed_write_ends_the_worker_before_the_commit() -> None:
    app = new_app()
    consumer, app.flusher = consumer_of(app), Flusher(error=OSError("the broker is away"))
    await hand_out(consumer, 99)
    ack(consumer, 99)
    with pytest.raises(Fatal, match="the broker is away"):
        await consumer.commit()
    assert consumer.committed == []


async def test_a_refused_commit_is_tried_again_though_nothing_new_was_acknowledged() -> None:
    app = new_app()
    consumer, app.flusher = consumer_of(app), Flusher()
    await hand_out(consumer, 99)
    ack(consumer, 99)
    consumer.accepts = False
    assert not await consumer.commit()
    consumer.accepts = True
    assert await consumer.commit()
    assert consumer.committed == [{SOURCE: 100}, {SOURCE: 100}]


async def test_topics_that_are_no_source_keep_the_bookkeeping_of_faust() -> None:
    consumer = consumer_of(new_app(), frozenset({SOURCE, OTHER}))
    for offset in (0, 1, 2):
        ack(consumer, offset, OTHER)
    assert consumer._new_offset(OTHER) == 3


# -- fence


@pytest.mark.parametrize(("without", "writes"), [((), []), ((Override.FENCE,), ["settle", "snapshot", "write"])])
async def test_without_a_recent_heartbeat_neither_state_nor_offsets_are_written(
    without: tuple[Override, ...], writes: list[str]
) -> None:
    app = new_app(*without)
    consumer, flusher = consumer_of(app), Flusher()
    app.flusher = flusher
    await hand_out(consumer, 99)
    ack(consumer, 99)
    consumer._thread.last_contact_at = monotonic() - app.conf.broker_session_timeout / 2 - 0.1
    await consumer.commit()
    assert flusher.events == writes
    assert bool(consumer.committed) == bool(writes)


async def test_contact_is_when_the_heartbeat_was_sent_not_when_it_was_answered() -> None:
    thread = FencedThread.__new__(FencedThread)
    answered = asyncio.Event()

    class Coordinator:
        generation = 3

        async def _do_heartbeat(self) -> bool:
            await answered.wait()
            return True

        async def _send_req(self, request: Any) -> Any:
            return request

        async def _on_join_complete(self, *_: Any) -> None:
            return

        def reset_generation(self) -> None:
            self.generation = -1

    coordinator = Coordinator()
    thread.listen(coordinator)
    before = monotonic()
    beat = asyncio.create_task(coordinator._do_heartbeat())
    await asyncio.sleep(0)
    answered_at = monotonic()
    answered.set()
    assert await beat
    assert before <= thread.last_contact_at <= answered_at
    thread.last_contact_at = 0.0
    coordinator.reset_generation()
    assert thread.lost_count == 1
    await coordinator._on_join_complete(4, "member", "protocol", b"")
    assert thread.last_contact_at == 0.0  # no SyncGroup was sent: nobody has confirmed anything


# -- release


@pytest.mark.parametrize(("without", "is_held"), [((), False), ((Override.RELEASE,), True)])
async def test_a_batch_that_was_handed_over_is_held_by_nobody_here(
    monkeypatch: pytest.MonkeyPatch, without: tuple[Override, ...], *, is_held: bool
) -> None:
    consumer = consumer_of(new_app(*without))

    async def getmany(_self: Any, _timeout: float) -> AsyncIterator[tuple[Any, Any]]:
        yield SOURCE, consumer._to_message(SOURCE, [record(20)])
        waits.set()
        await asyncio.Event().wait()  # the next fetch brings nothing

    monkeypatch.setattr(BaseConsumer, "getmany", getmany)
    consumer._fetched_at = consumer._seek_count
    handed: list[Any] = []
    waits = asyncio.Event()

    async def drain() -> None:  # as Faust's loop does: its variable lives on while it waits for the next one
        async for tp, message in consumer.getmany(1.0):
            if consumer._read_offset[tp] is None or message.offset >= consumer._read_offset[tp]:
                handed.append(weakref.ref(message))
                consumer._read_offset[tp] = message.offset

    draining = asyncio.create_task(drain())
    await asyncio.wait_for(waits.wait(), PATIENCE_S)
    assert (handed[0]() is not None) is is_held
    draining.cancel()


# -- seek


async def deliver(consumer: Any, monkeypatch: pytest.MonkeyPatch, offsets: list[int], seek_after: int) -> list[int]:
    """Offsets handed out when a seek back to 10 comes while `seek_after` is being handed over."""

    async def getmany(_self: Any, _timeout: float) -> AsyncIterator[tuple[Any, Any]]:
        for offset in offsets:
            yield SOURCE, SimpleNamespace(offset=offset, topic=SOURCE.topic)

    monkeypatch.setattr(BaseConsumer, "getmany", getmany)
    consumer._fetched_at = consumer._seek_count
    got = []
    async for tp, message in consumer.getmany(1.0):
        if isinstance(message, Passed):
            assert message.offset < consumer._read_offset[tp]  # the drain loop drops it
            continue
        got.append(message.offset)
        if message.offset == seek_after:
            await consumer.perform_seek()
        consumer._read_offset[tp] = message.offset  # as Faust's drain loop does
    return got


@pytest.mark.parametrize(
    ("without", "handed", "read_to"),
    [((), [20], 10), ((Override.SEEK,), [20, 30, 40], 40)],  # then 10 to 19 are dropped as already read
)
async def test_what_was_fetched_before_a_seek_is_not_handed_out_after_it(
    without: tuple[Override, ...], handed: list[int], read_to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = consumer_of(new_app(*without))
    _seeks(consumer, monkeypatch, {SOURCE: 10})
    assert await deliver(consumer, monkeypatch, [20, 30, 40], seek_after=20) == handed
    assert consumer._read_offset[SOURCE] == read_to


def _seeks(consumer: Any, monkeypatch: pytest.MonkeyPatch, committed: dict[Any, int | None]) -> list[Any]:
    rewound: list[Any] = []

    async def seek_to_committed() -> dict[Any, int | None]:
        rewound.append(dict(committed))
        return committed

    async def seek_to_beginning(*partitions: Any) -> None:
        rewound.append({(tp.topic, tp.partition): 0 for tp in partitions})

    monkeypatch.setattr(consumer, "seek_to_committed", seek_to_committed)
    monkeypatch.setattr(consumer._thread, "seek_to_beginning", seek_to_beginning)
    return rewound


async def test_a_seek_stops_the_flow_and_waits_for_the_fetch_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(new_app())
    rewound = _seeks(consumer, monkeypatch, {SOURCE: 10})
    consumer.flow_active = True
    consumer._no_fetch.clear()
    seek = asyncio.create_task(consumer.perform_seek())
    await asyncio.sleep(0)
    assert not consumer.flow_active
    assert rewound == []
    consumer._no_fetch.set()
    await seek
    assert rewound == [{SOURCE: 10}]


async def test_a_recovery_begins_when_the_fetch_of_the_one_before_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(new_app())
    sought: list[Any] = []

    async def seek_wait(partitions: Any) -> None:
        sought.append(partitions)
        consumer._read_offset[CHANGELOG] = 7

    monkeypatch.setattr(consumer._thread, "seek_wait", seek_wait)
    consumer._fetched_at = consumer._seek_count
    consumer._no_fetch.clear()
    seek = asyncio.create_task(consumer.seek_wait({CHANGELOG: 7}))
    await asyncio.sleep(0)
    assert sought == []  # else the fetch would go on behind the seek, be dropped, and never come again
    consumer._no_fetch.set()
    await seek
    assert sought == [{CHANGELOG: 7}]
    assert consumer._stale(consumer._fetched_at)
    assert consumer._sought == {CHANGELOG: 7}


async def test_nothing_is_fetched_while_the_flow_is_stopped() -> None:
    consumer = consumer_of(new_app())
    consumer.stop_flow()
    assert await consumer._getmany({SOURCE}, 1.0) == {}


async def test_a_partition_without_a_commit_goes_to_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(new_app())
    rewound = _seeks(consumer, monkeypatch, {SOURCE: None})
    await consumer.perform_seek()
    assert rewound == [{SOURCE: None}, {("unit.in", 0): 0}]


async def test_a_member_that_may_have_been_replaced_reads_on_only_when_it_is_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = consumer_of(new_app())
    rewound = _seeks(consumer, monkeypatch, {SOURCE: 10})  # the next owner's commit, for all it knows
    consumer._thread.last_contact_at = float("-inf")
    seek = asyncio.create_task(consumer.perform_seek())
    while not rewound:  # noqa: ASYNC110 - the seek is awaited, not an event
        await asyncio.sleep(0)
    assert not seek.done()
    consumer._thread.last_contact_at = monotonic()
    await seek


async def test_without_the_seek_repair_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(new_app(Override.SEEK))
    rewound = _seeks(consumer, monkeypatch, {SOURCE: None})
    await consumer.perform_seek()
    assert rewound == [{SOURCE: None}]


async def test_after_a_seek_no_earlier_delivery_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    app = new_app()
    consumer, app.flusher = consumer_of(app), Flusher()
    _seeks(consumer, monkeypatch, {SOURCE: 10})
    await hand_out(consumer, 99, 199)
    ack(consumer, 99)
    await consumer.perform_seek()
    await consumer.commit()
    assert consumer.committed == []


async def test_an_acknowledgement_from_before_does_not_pass_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = consumer_of(new_app())
    ack(consumer, 20)
    await deliver(consumer, monkeypatch, [20], seek_after=-1)
    assert consumer._new_offset(SOURCE) is None


# -- revoke


@pytest.mark.parametrize(("without", "expected"), [((), [{SOURCE: 100}]), ((Override.REVOKE,), [])])
async def test_the_commit_at_a_revoke_still_knows_what_was_acknowledged(
    without: tuple[Override, ...], expected: list[Any]
) -> None:
    app = new_app(*without)
    consumer, app.flusher = consumer_of(app), Flusher()
    await hand_out(consumer, 99)
    ack(consumer, 99)

    async def app_callback(_revoked: set[Any]) -> None:
        await consumer.commit()

    consumer._on_partitions_revoked = app_callback
    await consumer.on_partitions_revoked({SOURCE})
    assert consumer.committed == expected
    assert SOURCE not in consumer._spans


@pytest.mark.parametrize(("without", "commits"), [((), 1), ((Override.REVOKE,), 0)])
async def test_the_last_commit_is_made_though_the_periodic_one_is_under_way(
    without: tuple[Override, ...], commits: int
) -> None:
    app = new_app(*without)
    consumer, app.flusher = consumer_of(app), Flusher()
    await hand_out(consumer, 99)
    ack(consumer, 99)
    consumer._commit_fut = (
        asyncio.get_running_loop().create_future()
    )  # the periodic one, which chose its offsets before
    last = asyncio.create_task(consumer.commit_and_end_transactions())
    await asyncio.sleep(0)
    under_way, consumer._commit_fut = consumer._commit_fut, None
    under_way.set_result(None)
    await last
    assert len(consumer.committed) == commits


# -- watch and stall


async def watched(consumer: Any, monkeypatch: pytest.MonkeyPatch, *, ends: int = 1) -> list[str]:
    """What the watch ends the worker for; where it must not, it has looked some fifty times."""
    reasons: list[str] = []

    def fatal(reason: str) -> None:
        reasons.append(reason)
        raise Fatal(reason)

    monkeypatch.setattr(consumer.app, "fatal", fatal)
    monkeypatch.setattr(consumer_module, "WATCH_EVERY_S", 0.01)
    with suppress(TimeoutError, Fatal):
        async with asyncio.timeout(PATIENCE_S if ends else 0.5):
            await type(consumer)._watch.fun(consumer)
    return reasons


@pytest.mark.parametrize(("without", "ends"), [((), 1), ((Override.WATCH,), 0)])
async def test_a_fatal_answer_of_the_coordinator_ends_the_worker(
    without: tuple[Override, ...], ends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = consumer_of(new_app(*without))

    async def call_thread(*_: Any) -> None:
        raise RuntimeError("InvalidSessionTimeout")

    monkeypatch.setattr(consumer._thread, "call_thread", call_thread)
    assert len(await watched(consumer, monkeypatch, ends=ends)) == ends


@pytest.mark.parametrize(("without", "ends"), [((), 1), ((Override.STALL,), 0)])
async def test_a_rebalance_without_progress_ends_the_worker(
    without: tuple[Override, ...], ends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = new_app(Override.WATCH, *without)
    app.plan = Plan(app.plan.sources, app.plan.changelogs, app.plan.overrides, stall_after_s=0.1)
    consumer = consumer_of(app)
    app.rebalancing = True
    assert len(await watched(consumer, monkeypatch, ends=ends)) == ends


@pytest.mark.parametrize(("recovers", "said"), [(False, "the rebalance has made"), (True, "the recovery of state has")])
async def test_the_line_says_whether_the_group_or_the_recovery_stands_still(
    recovers: bool,  # noqa: FBT001 - a row of the table
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = new_app(Override.WATCH)
    app.plan = Plan(app.plan.sources, app.plan.changelogs, app.plan.overrides, stall_after_s=0.1)
    consumer = consumer_of(app)
    app.rebalancing, app.in_recovery = True, recovers
    (reason,) = await watched(consumer, monkeypatch)
    assert said in str(reason)

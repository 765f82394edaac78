"""The coalescing consumer: one message per fetched batch, exact-prefix commits, and rebalances that lose nothing.

Each override names its reason in one line; `agents.transport.plan.Override` says what happens without it, and
docs/decisions/0010 how it was found. `tests/engine/test_pins.py` holds the signatures of all that is overridden here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from time import monotonic
from typing import Any, NamedTuple

from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage
from mode import Service

from agents.transport.plan import Override, Plan
from agents.transport.spans import Spans
from agents.transport.thread import FencedThread

POLL_S = 0.25  # the longest a seek waits for the fetch that is under way
WATCH_EVERY_S = 1.0
FLUSH_WITHIN_S = 120.0  # two requests' worth; what takes longer waits for something that does not come
CONFIRMED_EVERY_S = 0.1
PAUSED_S = 0.05


class Passed(NamedTuple):
    """Stands for a message that the drain loop has read already, and so drops."""

    offset: int
    key: None = None
    value: None = None


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Hands each agent lists of records. `app` brings `plan`, `flusher` and `fatal`."""

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        """`plan` comes first: Faust's constructor already calls what reads it."""
        self.plan = plan
        self._spans: defaultdict[Any, Spans] = defaultdict(Spans)
        self._seek_count = 0  # seeks so far
        self._fetched_at = 0  # the number of seeks when the fetch under way began
        self._sought: dict[Any, int | None] = {}
        self._no_fetch = asyncio.Event()
        self._no_fetch.set()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> FencedThread:
        return FencedThread(self, loop=self.loop, beacon=self.beacon)

    # -- fence: who was stopped or cut off must not write before the coordinator has confirmed them

    def fenced(self) -> bool:
        """Whether the last successful heartbeat was sent more than half a session ago."""
        silent_s = monotonic() - self._thread.last_contact_at
        return self.plan.has(Override.FENCE) and silent_s > self.app.conf.broker_session_timeout / 2

    def confirmed_at(self) -> float:
        """When the last successful heartbeat was sent, on the monotonic clock; 0 if none was."""
        return float(self._thread.last_contact_at)

    # -- watch, stall: a worker that hangs must end

    @Service.task  # type: ignore[untyped-decorator]
    async def _watch(self) -> None:
        last, since = None, monotonic()
        while not self.should_stop:
            await self.sleep(WATCH_EVERY_S)
            if self.should_stop or self.app.should_stop:
                return  # the thread's loop may be closed already
            if self.plan.has(Override.WATCH):
                await self._ask_coordinator()
            progress = self._progress()
            if progress != last or not self.app.rebalancing:
                last, since = progress, monotonic()
            elif self.plan.has(Override.STALL) and monotonic() - since > self.plan.stall_after_s:
                what = "recovery of state" if self.app.in_recovery else "rebalance"
                self.app.fatal(
                    f"the {what} has made no progress for {self.plan.stall_after_s:.0f} s: is the broker well?"
                )

    async def _ask_coordinator(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_WITHIN_S):  # a thread that does not answer has failed, too
                await self._thread.call_thread(self._thread.check)
        except Exception as error:  # noqa: BLE001 - whatever it is, this member is in no group any more
            if not (self.should_stop or self.app.should_stop):
                self.app.fatal(f"the consumer group's coordinator refuses this worker: {error}")

    def _progress(self) -> tuple[int, int, int]:
        recovery = self.app.tables.recovery
        read = sum(offset or 0 for offset in recovery.active_offsets.values())
        return self.app.consumer_generation_id, recovery.active_remaining_total(), read

    async def record_ends(self, *partitions: Any) -> dict[Any, int]:
        """One past the last record of each partition; the thread knows how far the fetcher has come."""
        ends: dict[Any, int] = await self._thread.record_ends(*partitions)
        return ends

    # -- coalescing: per-record work of Faust is what makes it slow

    # Faust sleeps for a second while every partition is paused, which after a rebalance is a second of standing still.
    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        if self.flow_active and not self._get_active_partitions():
            await self.sleep(PAUSED_S)
            return {}, set()
        return await super()._wait_next_records(timeout)

    def in_batches(self, topic: str) -> bool:
        """Whether a topic's records are handed out in batches."""
        return topic in self.plan.sources or topic in self.plan.changelogs

    # Slices what was fetched into batches; without what lies before the read position, so a batch never straddles it.
    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        if self.plan.has(Override.SEEK) and not self.flow_active:
            return {}  # the flow was resumed and stopped again before this fetch began
        self._no_fetch.clear()
        # Here and not in `getmany`, which may still have waited for the flow to resume.
        self._fetched_at = self._seek_count
        try:
            fetched = await super()._getmany(active_partitions, min(timeout, POLL_S))
        finally:
            self._no_fetch.set()
        return {
            tp: self._batches(tp, records) if self.in_batches(tp.topic) else records for tp, records in fetched.items()
        }

    def _batches(self, tp: Any, records: list[Any]) -> list[list[Any]]:
        position = self._read_offset[tp]
        if position is not None and records and records[0].offset < position:
            records = [record for record in records if record.offset >= position]
        size = self.plan.batch_max_count
        return [records[start : start + size] for start in range(0, len(records), size)]

    # Makes one message of a batch; the generation is mandatory, for streams drop messages of another one.
    def _to_message(self, tp: Any, record: Any) -> Any:
        if type(record) is not list:
            return super()._to_message(tp, record)
        last = record[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            (),
            None,
            record,
            None,
            0,
            len(record),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    # Keeps the order in which batches are handed out, stops handing out what was fetched before a seek, and makes the
    # drain loop let go of what it has handed over.
    async def getmany(self, timeout: float) -> AsyncIterator[tuple[Any, Any]]:  # noqa: ASYNC109 - Faust's signature
        """Yield messages; what a seek made stale is not yielded, since it will be read again."""
        async for tp, message in super().getmany(timeout):
            fetched_at = self._fetched_at
            if self._stale(fetched_at):
                break
            if tp.topic in self.plan.sources:
                position = self._read_offset[tp]
                if position is None or message.offset >= position:
                    # An acknowledgement of an earlier delivery must not pass for one of this.
                    self._acked_index[tp].discard(message.offset)
                    self._spans[tp].hand_out(message.offset)
            offset = message.offset
            yield tp, message
            del message
            if tp.topic in self.plan.sources and self.plan.has(Override.RELEASE):
                # Its loop variable would keep alive a batch that a rebalance clears from the agent's queue, and
                # `wait_empty` waits for whatever is alive. What lies before the read position is dropped there.
                yield tp, Passed(offset - 1)
            if self._stale(fetched_at):
                # The drain loop has just moved the read position past the seek, and would drop what is read again.
                if tp in self._sought:
                    self._read_offset[tp] = self._sought[tp]
                break

    def _stale(self, fetched_at: int) -> bool:
        return self.plan.has(Override.SEEK) and fetched_at != self._seek_count

    # -- commit: the exact prefix, after the state that it implies

    # Gaps need no bookkeeping with batches, and Faust's is quadratic in their number.
    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.plan.sources:
            await super()._add_gap(tp, offset_from, offset_to)

    # Faust's answer passes messages that are still being worked on.
    def _new_offset(self, tp: Any) -> int | None:
        if tp.topic not in self.plan.sources:
            offset: int | None = super()._new_offset(tp)
            return offset
        acked = self._acked_index[tp]
        done_to = self._spans[tp].settle(acked)
        self._acked[tp] = list(acked)
        return done_to

    # Between the choice of the offsets and their commit lies the state of all that they cover.
    async def _commit_tps(self, tps: Iterable[Any], start_new_transaction: bool) -> bool:  # noqa: FBT001 - Faust's
        if self.fenced():
            return False  # neither state nor offsets: the next owner does it again
        try:
            async with asyncio.timeout(FLUSH_WITHIN_S):
                await self.app.flusher.settle()
                offsets = self._filter_committable_offsets(tps)
                write = self.app.flusher.snapshot()
                if not await write() or not offsets:
                    return False
                await self._handle_attached(offsets)
                return await self._commit_chosen(offsets, start_new_transaction)
        except Exception as error:  # noqa: BLE001 - what was not written must not be acknowledged
            self.app.fatal(f"state or offsets could not be written, so nothing is acknowledged: {error!r}")
            return False

    async def _commit_chosen(self, offsets: dict[Any, int], start_new_transaction: bool) -> bool:  # noqa: FBT001
        before = {tp: self._committed_offset[tp] for tp in offsets}
        committed: bool = await self._commit_offsets(offsets, start_new_transaction=start_new_transaction)
        if not committed:
            # Faust takes a refused commit for done and never repeats it.
            self._committed_offset.update({tp: before[tp] for tp in before if tp in self._spans})
        return committed

    # -- seek: the end of a recovery throws away what was fetched behind the seek

    # Hands nothing out until the flow resumes, and lets the fetch under way end before the seek.
    async def perform_seek(self) -> None:
        """Go back to the committed offsets; partitions without one go to their beginning."""
        await self._quiet()
        await super().perform_seek()
        # What is committed may be another's by now, and ahead of the state that was recovered here: a confirmed member
        # reads on, and one that was disowned is given another recovery, which ends this wait. A stop ends it too:
        # both who call this (Faust's recovery and fetcher) are cancelled.
        while self.fenced():  # noqa: ASYNC110 - it is the clock that unfences, not an event
            await asyncio.sleep(CONFIRMED_EVERY_S)
        if self.plan.has(Override.SEEK):
            self._sought = {tp: self._read_offset[tp] for tp in self.assignment() if tp.topic in self.plan.sources}
            # aiokafka's seek_to_committed skips partitions whose commit is None or 0.
            first = [driver.ensure_aiokafka_TP(tp) for tp, offset in self._sought.items() if not offset]
            if first:
                await self._thread.seek_to_beginning(*first)
        for tp in list(self._spans):
            self._spans[tp] = Spans()
            self._acked[tp].clear()
            self._acked_index[tp].clear()

    # The same at the beginning of a recovery: what a fetch of the one before takes behind the seek never comes again,
    # and the recovery waits for it for ever.
    async def seek_wait(self, partitions: Mapping[Any, int]) -> None:
        """Go to where the recovery of each changelog begins."""
        await self._quiet()
        await super().seek_wait(partitions)
        if self.plan.has(Override.SEEK):
            self._sought = {tp: self._read_offset[tp] for tp in partitions}

    async def _quiet(self) -> None:
        """Let the fetch under way end; what it brings, and what was fetched before, is not handed out."""
        if self.plan.has(Override.SEEK):
            self.stop_flow()
            self._seek_count += 1
            # In the thread it would read on from the new position and be dropped here: a hole. Faust's own
            # wait_for_stopped_flow waits for an event that is never cleared.
            await self._no_fetch.wait()

    # -- revoke: the last commit before a partition goes

    # Faust skips the last commit when the periodic one is under way, which chose its offsets before the last batch.
    async def commit_and_end_transactions(self) -> None:
        """Commit what is done, after the commit under way if there is one."""
        if self.plan.has(Override.REVOKE):
            await self.maybe_wait_for_commit_to_finish()
        await super().commit_and_end_transactions()

    # Faust forgets the acknowledgements of revoked partitions before its callback commits them.
    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """First the callback (stop, wait for the agents, flush, commit, signal), then forget."""
        if self.plan.has(Override.REVOKE):
            self._active_partitions.difference_update(revoked)
            self._paused_partitions.difference_update(revoked)
            await self._on_partitions_revoked(revoked)
        else:
            await super().on_partitions_revoked(revoked)
        for tp in revoked:
            for ledger in (
                self._gap,
                self._acked,
                self._acked_index,
                self._read_offset,
                self._committed_offset,
                self._spans,
            ):
                ledger.pop(tp, None)

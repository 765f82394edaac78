"""A worker's life: the product's runtime, shell, consumer, producer and table, on an app that stands in for Faust's.

What is modelled here is what Faust does around them at a rebalance: `faust/app/base.py` and `faust/tables/recovery.py`.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

from faust.types import TP

from agents.role import FoldRole, changelog_of
from agents.runtime import Runtime
from agents.settings import Settings
from agents.transport import ALL, Override, Plan, Producer
from sla.catalogue import Catalogue
from tests.simulation.broker import Broker
from tests.simulation.group import Group, Verdict
from tests.simulation.loop import Ended, Process
from tests.simulation.member import Following, Thread
from tests.simulation.stand_in import StandIn, Stream, Table
from tests.simulation.wire import Wire

HEARTBEAT_S = 3.0  # rarer than in the product: a zombie hears of it later
RECOVERY_BATCH = 100


class _Runtime(Runtime):
    def _current_catalogue(self) -> Catalogue:
        """A role without a catalogue ticks each second; here less often, for the sake of time."""
        return Catalogue(decide_every_ms=5_000) if self._catalogue is None else super()._current_catalogue()


class Worker:
    """One process of a role, from its start to its end."""

    def __init__(
        self,
        process: Process,
        role: FoldRole,
        *,
        broker: Broker,
        group: Group,
        dice: random.Random,
        conf: Any,
        settings: Settings,
        overrides: frozenset[Override] = ALL,
        ended: Callable[[str, str], None],
    ) -> None:
        self.process = process
        self._role = role
        self._broker = broker
        self._group = group
        self._dice = dice
        self._ended = ended
        self._settings = settings
        self._changelog = changelog_of(role) or ""
        plan = Plan(
            sources=frozenset({role.source}),
            changelogs=frozenset({self._changelog}),
            overrides=overrides,
            batch_max_count=dice.choice([3, 40, 500]),
        )
        self._app = StandIn(conf, plan, self.end)
        self.wire = Wire(broker, process, dice, self._changelog)
        self._thread = Thread(broker, group, self._changelog, dice)
        self._stream = Stream(self._app)
        self._rejoin = asyncio.Event()
        self._recovering: asyncio.Task[None] | None = None
        self._held: set[Any] = set()
        self._is_joining = False
        process.on_kill = self.wire.ended

    def end(self, reason: str) -> NoReturn:
        """The product ends its process."""
        self._ended(self.process.name, reason)
        self.process.kill()
        raise Ended

    # -- start and stop

    async def live(self) -> None:
        """Until it is killed or told to stop."""
        await self._guarded(self._live())

    async def _live(self) -> None:
        app = self._app
        self._table = Table(app, self._changelog)
        runtime = _Runtime(app, self._role, self._settings, self._table)  # type: ignore[arg-type]
        transport: Any = SimpleNamespace(
            app=app, create_transaction_manager=lambda **_: None, driver_version="", default_port=9092, url=[]
        )
        app.producer = Producer(transport)
        app.producer._producer = self.wire
        app.consumer = Following(
            transport, self._deliver, self._revoked, self._assigned, plan=app.plan, thread=self._thread
        )
        await runtime.prepare()
        start = asyncio.create_task
        self._tasks = [
            start(self._guarded(each))
            for each in (
                app.consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event())),
                app.agent_body(self._stream),
                self._commits(),
                self._heartbeats(),
                *(body() for body in app.tasks),
            )
        ]
        self._rejoin.set()
        await self._membership()

    async def stop(self) -> None:
        """SIGTERM: what is done is flushed and committed, and the group left."""
        app = self._app
        if self.process.is_dead or app.consumer is None:
            self.process.kill()
            return
        app.should_stop = True
        await self._guarded(self._last_commit())
        await self._broker.answer()
        self._group.remove(self._thread.coordinator.name)
        self.process.kill()

    async def _last_commit(self) -> None:
        app = self._app
        app.consumer.stop_flow()
        self._stream.flow.suspend()
        self._stream.flow.clear()
        await app.consumer.wait_empty()
        await app.producer.flush()

    async def _guarded(self, coroutine: Any) -> None:
        """Faust's supervisor: whatever gets this far ends the worker."""
        try:
            await coroutine
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - it is told by a law
            self.end("".join(traceback.format_exception(error)))

    # -- records

    async def _deliver(self, message: Any) -> None:
        self._app.consumer.track_message(message)
        self._stream.queue.put_nowait(message)

    async def redeliver(self) -> None:
        """Faust seeks back to what was committed when its flow was stopped in the middle of a fetch."""
        app = self._app
        if app.consumer is None or app.rebalancing or app.in_recovery:
            return
        app.consumer.stop_flow()
        seeking = asyncio.create_task(self._guarded(app.consumer.perform_seek()))
        again = asyncio.create_task(self._rejoin.wait())
        await asyncio.wait([seeking, again], return_when=asyncio.FIRST_COMPLETED)
        seeking.cancel()  # Faust gives up a seek as soon as another rebalance begins
        again.cancel()
        if not app.rebalancing and not self._rejoin.is_set():
            app.consumer.resume_flow()

    async def _commits(self) -> None:
        await asyncio.sleep(self._dice.uniform(0, self._settings.forewarn_flush_interval))
        while True:
            await asyncio.sleep(self._settings.forewarn_flush_interval)
            await self._app.consumer.commit()

    # -- the group

    async def _heartbeats(self) -> None:
        coordinator = self._thread.coordinator
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if coordinator.generation < 0 or self._is_joining:
                continue
            await coordinator._do_heartbeat()
            if coordinator.verdict is Verdict.UNKNOWN:
                coordinator.reset_generation()
            if coordinator.verdict is not Verdict.FINE:
                self._rejoin.set()

    async def _membership(self) -> None:
        app, thread = self._app, self._thread
        while True:
            await self._rejoin.wait()
            app.rebalancing = True
            await app.consumer.on_partitions_revoked(thread.assignment())
            if app.should_stop:
                return
            self._is_joining = True
            joined = await thread.coordinator.join()
            self._is_joining = False
            app.consumer_generation_id = joined.generation
            assigned = thread.assign(joined.partitions)
            await app.consumer.on_partitions_assigned(assigned, joined.generation)
            self._rejoin.clear()

    async def _revoked(self, revoked: set[Any]) -> None:
        """`App._on_partitions_revoked`."""
        app = self._app
        if app.should_stop:
            return
        if self._recovering is not None:
            self._recovering.cancel()
        assignment = app.consumer.assignment()
        if assignment:
            app.consumer.stop_flow()
            self._stream.flow.suspend()
            app.consumer.pause_partitions(assignment)
            self._stream.flow.clear()
            await app.consumer.wait_empty()
            await app.producer.flush()
        for each in app.on_revoked:
            await each(revoked)

    async def _assigned(self, assigned: set[Any], generation: int) -> None:
        """`App._on_partitions_assigned`: then recovery runs beside the heartbeats."""
        revoked, new = self._held - assigned, assigned - self._held
        self._held = assigned
        self._app.consumer.pause_partitions(assigned)
        await self._table.on_rebalance(assigned, revoked, new, generation)
        self._app.in_recovery = True
        self._recovering = asyncio.create_task(self._guarded(self._recover(assigned, generation)))

    async def _recover(self, assigned: set[Any], generation: int) -> None:
        app, consumer = self._app, self._app.consumer
        for tp in sorted(tp for tp in assigned if tp.topic == self._changelog):
            await self._read_changelog(tp)
        app.in_recovery = False
        if app.consumer_generation_id != generation:
            return
        consumer.resume_partitions({tp for tp in assigned if tp.topic != self._changelog})
        if assigned:
            await consumer.perform_seek()
        self._stream.flow.resume()
        consumer.resume_flow()
        app.rebalancing = False

    async def _read_changelog(self, tp: Any) -> None:
        offsets = self._app.tables.recovery.active_offsets
        end = (await self._thread.highwaters(tp))[tp]
        offsets.setdefault(tp, -1)
        while offsets[tp] + 1 < end:
            await self._broker.answer()
            records = self._broker.read(tuple(tp), offsets[tp] + 1, self._dice.randint(1, RECOVERY_BATCH))
            if not records:
                return
            message = SimpleNamespace(partition=tp.partition, value=records)
            self._table.apply_changelog_batch([SimpleNamespace(message=message)])
            offsets[tp] = records[-1].offset
        assert TP(*tp) == tp

"""The parts of a running role, and how they hang together."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

import faust
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from mode import CrashingSupervisor

from agents import vitals
from agents.catalogue import LiveCatalogue
from agents.guard import guarded
from agents.heads import PartitionMoved, SourceReplaced
from agents.health import HealthServer
from agents.metrics import Metrics
from agents.port import FaustPort
from agents.preflight import Refusal, check_topics, partitions_by_topic
from agents.process import REFUSES_TO_START, leave
from agents.role import Context, FoldRole, Handle, KeepingRole, Role, WorkRole, changelog_of
from agents.routing import Place, hashed
from agents.settings import Settings
from agents.shell import Shell, StateUnreadable
from agents.storm import StormWatch
from agents.ticker import Ticker
from agents.topic_id import ask_topic_id
from agents.transport import BulkTable, raw_schema
from agents.watchdog import Watchdog
from agents.work import NoState
from agents.worker import App
from schemas.topics import CATALOGUE
from sla.catalogue import Catalogue

log = logging.getLogger("forewarn.worker")

# A batch takes milliseconds; what takes this long waits for something that does not come.
BATCH_WITHIN_S: Final = 120.0


class Runtime:
    """One role in one process. See `agents.worker.Lifecycle`."""

    def __init__(self, app: App, role: Role, settings: Settings, table: BulkTable | None) -> None:
        """Declares the agent; connects nothing."""
        self._app = app
        self._role = role
        self._settings = settings
        self._metrics = Metrics()
        self._storm = StormWatch(self._metrics)
        self._watchdog = Watchdog()
        self._port = FaustPort(app, role.source, table)
        new_log = role.catalogue_log if isinstance(role, FoldRole) else None
        self._catalogue = None if new_log is None else LiveCatalogue(new_log, settings.client())
        self._health = HealthServer(
            role.name, metrics=self._metrics, not_ready=self.not_ready, not_alive=self._not_alive
        )
        self._context = Context(settings, self._metrics, settings.forewarn_clock, self._catalogue, self._storm)
        self._kept = role.make_work(self._context) if isinstance(role, KeepingRole) else None
        self._work = role.make_work(self._context) if isinstance(role, WorkRole) else self._kept
        self._shell: Shell | None = None
        self._handle: Handle | None = None
        self._following: asyncio.Task[None] | None = None
        self._is_prepared = False
        self._ended_generation: int | None = None  # of the group, when partitions were last revoked
        self._declare_agent()
        app.on_partitions_revoked.connect(self._revoked)

    def _declare_agent(self) -> None:
        topic = self._app.topic(self._role.source, schema=raw_schema())
        self._app.agent(topic, name=self._role.name, concurrency=1, supervisor_strategy=CrashingSupervisor)(self._agent)
        self._app.task(self._watch)
        if isinstance(self._role, FoldRole):
            self._app.task(self._tick)
            self._app.task(self._pay)
        elif isinstance(self._role, KeepingRole):
            self._app.task(self._go_on)

    # -- before the start

    async def prepare(self) -> None:
        """Health, broker, topics, catalogue; leaves with code 3 and a line that says what to do."""
        settings, role = self._settings, self._role
        try:
            await self._start_health(settings.forewarn_health_port)
            found = await partitions_by_topic(settings.client(), settings.forewarn_start_deadline)
            changelog = changelog_of(role)
            needed = {role.source, *role.writes, *([changelog] if changelog else [])}
            if self._catalogue is not None:
                needed.add(CATALOGUE.name)
            check_topics(found, needed, source=role.source, changelog=changelog)
            self._port.partitions = found
            self._port.id = await self._id_of_source() if changelog else None
            await self._connect(found[role.source])
        except Refusal as refusal:
            leave(REFUSES_TO_START, f"{role.name} does not start: {refusal}")
        self._is_prepared = True
        log.info("%s: %s has %d partitions", role.name, role.source, found[role.source])

    async def _id_of_source(self) -> str | None:
        try:
            within_s = self._settings.forewarn_start_deadline
            return await ask_topic_id(self._settings.librdkafka(), self._role.source, within_s)
        except (KafkaException, TimeoutError) as error:
            why = error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
            raise Refusal(f"the broker does not describe {self._role.source}: {why}") from None

    async def _start_health(self, port: int) -> None:
        if port:
            try:
                await self._health.start(port)
            except OSError as error:
                raise Refusal(
                    f"the health server cannot listen on port {port} ({error.strerror}): each role needs a "
                    f"FOREWARN_HEALTH_PORT of its own, or 0 for none"
                ) from None

    async def _connect(self, partitions_count: int) -> None:
        if self._catalogue is not None:
            try:
                async with asyncio.timeout(self._settings.forewarn_start_deadline):
                    await self._catalogue.start()
            except (KafkaError, TimeoutError) as error:
                raise Refusal(f"the catalogue cannot be read from {CATALOGUE.name}: {error!r}") from None
            self._following = asyncio.create_task(self._follow(self._catalogue))
        if self._work is not None:
            await self._work.start(self._port)
            self._handle = self._work.handle
            self._app.flusher = self._kept or NoState(commits=not self._reads_anew)
            return
        self._shell = self._new_shell(partitions_count)
        self._handle = self._shell.handle
        self._app.flusher = self._shell

    @property
    def _reads_anew(self) -> bool:
        return isinstance(self._role, WorkRole) and self._role.from_beginning

    def _new_shell(self, partitions_count: int) -> Shell:
        role = self._fold_role
        return Shell(
            Place(role.source, partitions_count, role.key_field, hashed),
            role.make_fold(self._context),
            port=self._port,
            metrics=self._metrics,
            storm=self._storm,
            revisions=self._catalogue,
        )

    # -- while it runs

    async def _agent(self, stream: Any) -> None:
        manual = stream.noack()
        async for event in manual.events():
            if await self._handled(event.message):
                await manual.ack(event)

    async def _handled(self, message: Any) -> bool:
        """Do a batch; whether it may be acknowledged. One of a partition that moved meanwhile is its next owner's.

        An exception never reaches Faust, which would acknowledge the batch that failed.
        """
        if self._app.rebalancing and message.generation_id == self._ended_generation:
            return False  # Faust hands it out behind the last commit: with those before it, it is read again
        try:
            async with asyncio.timeout(BATCH_WITHIN_S):
                await self._the_handle(message.partition, message.value)
        except PartitionMoved:
            log.info("partition %d moved; offsets up to %d are left to its owner", message.partition, message.offset)
            return False
        except (SourceReplaced, StateUnreadable) as finding:
            leave(REFUSES_TO_START, f"{self._role.name} does not go on: {finding}")
        except Exception:
            log.exception("partition %d, offsets up to %d", message.partition, message.offset)
            self._app.fatal(f"{self._role.name} failed at a batch, so it is not acknowledged")
        self._watchdog.handled(message.partition, message.offset)
        return True

    async def _tick(self) -> None:
        role = self._fold_role
        ticker = Ticker(
            role.source,
            self._the_shell,
            port=self._port,
            clock=self._settings.forewarn_clock,
            metrics=self._metrics,
            owned=self.writable,
            catalogue=self._current_catalogue,
            revision_of=role.revision_of,
        )
        await guarded(ticker.run(), role.name, "write ticks", self._app.fatal)

    async def _go_on(self) -> None:
        if self._kept is None:
            raise TypeError(f"{self._role.name} keeps nothing")
        try:
            await self._kept.run(self.writable)
        except* SourceReplaced as found:
            leave(REFUSES_TO_START, f"{self._role.name} does not go on: {found.exceptions[0]}")
        except* Exception:
            log.exception("what is kept cannot be gone on with")
            self._app.fatal(f"{self._role.name} can no longer work off what it keeps")

    async def _watch(self) -> None:
        await self._watchdog.run(self.writable, self._port.record_ends, self._app.fatal)

    async def _pay(self) -> None:
        await guarded(self._the_shell.pay(), self._role.name, "tell what it owes", self._app.fatal)

    async def _follow(self, catalogue: LiveCatalogue) -> None:
        await guarded(catalogue.follow(), self._role.name, f"follow {CATALOGUE.name}", self._app.fatal)

    async def _revoked(self, *_args: Any, **_kwargs: Any) -> None:
        # After the last commit, and before anything of the new generation is read.
        self._ended_generation = self._app.consumer_generation_id
        self._watchdog.forget()
        if self._shell is not None:
            self._shell.forget()
        if self._work is not None:
            self._work.forget()

    async def close(self) -> None:
        """Disconnect what Faust does not know of."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        if self._catalogue is not None:
            await self._catalogue.stop()
        if self._work is not None:
            await self._work.stop()
        await self._health.stop()

    # -- what is true now

    def owned(self) -> frozenset[int]:
        """The partitions of the role's topic that the group gave to this worker."""
        consumer = self._app._consumer  # noqa: SLF001 - asking `consumer` would construct one
        if consumer is None or not self._is_prepared:
            return frozenset()
        try:
            assigned = consumer.assignment()
        except faust.exceptions.ConsumerNotStarted:
            return frozenset()
        return frozenset(tp.partition for tp in assigned if tp.topic == self._role.source)

    def writable(self) -> frozenset[int]:
        """The partitions to write to: none while they may belong to somebody else."""
        app = self._app
        if app.should_stop or app.rebalancing or app.in_recovery or app.consumer.fenced():
            return frozenset()
        return self.owned()

    def not_ready(self) -> list[str]:
        """Why the worker does not do its work now; empty when it does."""
        app = self._app
        vitals.tell(self._metrics, self._watchdog, app._consumer, self.owned())  # noqa: SLF001 - as in `owned`
        if not self._is_prepared:
            return ["starting: waiting for the broker, its topics and the catalogue"]
        checks = {
            "stopping": app.should_stop,
            "the consumer group rebalances": app.rebalancing or app.consumer_generation_id <= 0,
            "state is being recovered": app.in_recovery,
            "the coordinator has not confirmed this worker lately": app.consumer.fenced(),
            "dead_letter_storm: more than 100 records in a row could not be used": self._storm.is_on,
        }
        return [finding for finding, holds in checks.items() if holds] + self._watchdog.findings()

    def _not_alive(self) -> list[str]:
        return ["a part of the worker has failed"] if self._app.crashed else []

    def _current_catalogue(self) -> Catalogue:
        return Catalogue() if self._catalogue is None else self._catalogue.current

    @property
    def _fold_role(self) -> FoldRole:
        if not isinstance(self._role, FoldRole):
            raise TypeError(f"{self._role.name} has no fold")
        return self._role

    @property
    def _the_shell(self) -> Shell:
        if self._shell is None:
            raise RuntimeError("tasks start after preparation")
        return self._shell

    @property
    def _the_handle(self) -> Handle:
        if self._handle is None:
            raise RuntimeError("records arrived before preparation")
        return self._handle

"""A schedule: the world of a story, run to its end. What comes out is data for the laws to judge."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from agents.app import build
from agents.detect import ROLE as DETECT
from agents.dispatch import ROLE as DISPATCH
from agents.role import changelog_of
from agents.settings import Settings
from agents.transport import ALL, Override
from schemas.catalogue_log import CatalogueLog, records_of
from schemas.topics import ALL as TOPICS
from schemas.topics import CATALOGUE, NOTICES, TELEMETRY
from tests.simulation import faults as f
from tests.simulation.broker import Broker
from tests.simulation.group import Group
from tests.simulation.loop import Process, SeededLoop
from tests.simulation.outcome import Outcome
from tests.simulation.story import Sent, Story
from tests.simulation.worker import Worker

ROLES = {role.name: role for role in (DETECT, DISPATCH)}
SETTINGS = Settings(kafka_bootstrap_servers="127.0.0.1:1")
LAG_MS = 300_000
CALM_S = 75.0  # after the last trouble: sessions, rebalances, two flushes
STOP_WITHIN_S = 60.0


@cache
def _conf(role: str) -> Any:
    return build(SETTINGS, ROLES[role]).conf


class World:
    """One schedule on its loop."""

    def __init__(self, story: Story, overrides: frozenset[Override] = ALL) -> None:
        self._story = story
        self._overrides = overrides
        self._dice = random.Random(story.seed * 7919 + 1)
        self.loop = SeededLoop(self._dice)
        partitions = {topic.name: topic.partitions or story.partitions_count for topic in TOPICS}
        partitions[NOTICES.name] = partitions[changelog_of(DISPATCH) or ""] = 2
        self.broker = Broker(self.loop, self._dice, story.epoch_ms, partitions)
        for role in ROLES.values():
            self.broker.remember(changelog_of(role) or "")
        if story.append_time:
            self.broker.append_time = {topic.name for topic in TOPICS if topic.append_time}
        else:
            self.broker.append_time = {NOTICES.name}
        self._groups = {
            name: Group(self.broker, self._dice, role.source) for name, role in ROLES.items() if story.roles[name]
        }
        self._alive: dict[str, Worker] = {}
        self._kinds: dict[tuple[int, int], str] = {}
        self._ends: list[tuple[str, str]] = []
        self._injected: Counter[str] = Counter()
        self._refused: set[str] = set()
        self._is_over = False
        self._back_at: dict[str, float] = {}
        self._lives: Counter[str] = Counter()
        self._background: set[Any] = set()

    # -- run

    async def run(self) -> Outcome:
        story, loop = self._story, self.loop
        for group in self._groups.values():
            self._in_world(group.watch())
        self._apply(story.revisions[0], "apply-0", 0)
        for name in self._groups:
            for number in range(story.roles[name]):
                self._in_world(self._keep_alive(f"{name}-{number}"))
        producing = self._in_world(self._produce())
        for fault in story.faults:
            await asyncio.sleep(max(0.0, fault.at - loop.time()))
            self._strike(fault)
        await producing
        await asyncio.sleep(max(0.0, story.lasts_s - loop.time()))
        calm_from = loop.time()
        self._heal()
        await asyncio.sleep(CALM_S)
        stopped_at = loop.time()
        await self._stop_all()
        return self._outcome(calm_from, stopped_at)

    def _in_world(self, coroutine: Any) -> asyncio.Task[Any]:
        task = self.loop.start(self.loop.world, coroutine)
        self._background.add(task)
        return task

    def _outcome(self, calm_from: float, stopped_at: float) -> Outcome:
        names = {changelog_of(role) for role in ROLES.values()}
        return Outcome(
            self._story,
            {place: log for place, log in self.broker.logs.items() if place[0] not in names},
            {place: log for place, log in self.broker.logs.items() if place[0] in names},
            {place: seen for place, seen in self.broker.written.items() if place[0] in names},
            sorted(commit for group in self._groups.values() for commit in group.commits),
            {place: offset for group in self._groups.values() for place, offset in group.committed.items()},
            self._kinds,
            list(self._ends),
            [f"{error.get('message')}: {error.get('exception')!r}" for error in self.loop.errors],
            self._injected,
            calm_from,
            stopped_at,
            self._refused,
            self.loop.steps_count,
            sum(self._lives.values()),
            sum(group.generation for group in self._groups.values()),
        )

    # -- producers

    async def _produce(self) -> None:
        for sent in self._story.sent:
            await asyncio.sleep(max(0.0, sent.at - self.loop.time()))
            self._log(sent)

    def _log(self, sent: Sent) -> None:
        record = self.broker.append((TELEMETRY.name, sent.partition), sent.key, sent.value)
        if sent.kind:
            self._kinds[sent.partition, record.offset] = sent.kind
            self._injected[f"{sent.kind} record"] += 1

    def _apply(self, documents: list[dict[str, Any]], apply_id: str, base: int) -> None:
        for key, value in records_of(documents, apply_id, base):
            self.broker.append((CATALOGUE.name, 0), key.encode(), value)

    async def _change(self, number: int) -> None:
        """An apply, record by record, on top of what is in force."""
        place = CATALOGUE.name, 0
        log = CatalogueLog()
        for record in self.broker.logs[place]:
            log.feed(record.offset, record.value or b"")
        records = records_of(self._story.revisions[number + 1], f"apply-{number + 1}", log.current.revision)
        for key, value in records:
            await asyncio.sleep(self._dice.choice([0, 0, 0.1]))
            self.broker.append(place, key.encode(), value)

    # -- workers

    async def _keep_alive(self, name: str) -> None:
        """A supervisor: whenever the worker is gone, it is started anew, after a while."""
        while not self._is_over:
            gone = self._start(name)
            await gone
            await asyncio.sleep(self._dice.uniform(0.5, 6))
            await asyncio.sleep(max(0.0, self._back_at.get(name, 0.0) - self.loop.time()))

    def _start(self, name: str) -> asyncio.Future[None]:
        self._lives[name] += 1
        process = self.loop.spawn(f"{name}#{self._lives[name]}")
        role = name.partition("-")[0]
        worker = Worker(
            process,
            ROLES[role],
            broker=self.broker,
            group=self._groups[role],
            dice=self._dice,
            conf=_conf(role),
            settings=SETTINGS,
            overrides=self._overrides,
            ended=lambda who, why: self._ends.append((who, why)),
        )
        gone: asyncio.Future[None] = self.loop.create_future()
        release = process.on_kill

        def killed() -> None:
            release()
            self.loop.processes.remove(process)
            self._alive.pop(name, None)
            if not gone.done():
                gone.set_result(None)

        process.on_kill = killed
        self._alive[name] = worker
        self.loop.start(process, worker.live())
        return gone

    async def _stop_all(self) -> None:
        self._is_over = True
        deadline = self.loop.time() + STOP_WITHIN_S
        for worker in list(self._alive.values()):
            self.loop.start(worker.process, worker.stop())
        while self._alive and self.loop.time() < deadline:  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(0.5)
        for worker in list(self._alive.values()):
            worker.process.kill()

    # -- faults

    def _strike(self, fault: f.Fault) -> None:
        name = f.worker_of(fault)
        if isinstance(fault, f.Join | f.Rebalance) and fault.role not in self._groups:
            return
        worker = None if name is None else self._alive.get(name)
        if name is not None and worker is None:
            return  # it is down already
        self._injected[type(fault).__name__] += 1
        if worker is not None:
            self._strike_worker(fault, worker)
        else:
            self._strike_all(fault)

    def _strike_worker(self, fault: f.Fault, worker: Worker) -> None:
        process = worker.process
        match fault:
            case f.Crash():
                process.fuse = fault.after_callbacks
            case f.CrashInFlush():
                worker.wire.kill_after_heads = fault.after_heads
            case f.Leave():
                self._back_at[fault.worker] = self.loop.time() + fault.away_s
                self.loop.start(process, worker.stop())
            case f.Freeze():
                process.is_frozen = True
                worker.wire.froze()
                self._in_world(self._later(fault.for_s, lambda: self._thaw(process)))
            case f.Cut():
                self.broker.cut.add(process.name)
                self._in_world(self._later(fault.for_s, lambda: self._mend(process.name)))
            case f.SendsDelayed():
                self.broker.slow.add(process.name)
                self._in_world(self._later(fault.for_s, lambda: self.broker.slow.discard(process.name)))
            case f.SendFails():
                worker.wire.fails_next = True
                self._refused.add(process.name)
            case f.Redelivery():
                self.loop.start(process, worker.redeliver())
            case f.ClockStep():
                process.skew_ms += fault.by_ms
            case _:
                raise TypeError(fault)

    def _strike_all(self, fault: f.Fault) -> None:
        match fault:
            case f.Join():
                self._in_world(self._visit(f"{fault.role}-guest{self._injected['Join']}"))
            case f.Rebalance():
                self._groups[fault.role].is_sticky = fault.is_sticky
                self._groups[fault.role].rebalance()
            case f.BrokerAway():
                self.broker.is_away = True
                self._in_world(self._later(fault.for_s, self._return))
            case f.Compaction():
                for role in ROLES.values():
                    self.broker.compact(changelog_of(role) or "", LAG_MS)
            case f.VoidApply():
                self._apply(self._story.revisions[0], f"void-{self._injected['VoidApply']}", 424_242)
            case f.CatalogueChange():
                self._in_world(self._change(fault.change))
            case _:
                raise TypeError(fault)

    async def _visit(self, name: str) -> None:
        """One more worker for a minute or two."""
        gone = self._start(name)
        await asyncio.wait([gone], timeout=self._dice.uniform(20, 150))
        worker = self._alive.get(name)
        if worker is not None:
            self._thaw(worker.process)
            self.loop.start(worker.process, worker.stop())

    @staticmethod
    async def _later(after_s: float, action: Callable[[], None]) -> None:
        await asyncio.sleep(after_s)
        action()

    def _thaw(self, process: Process) -> None:
        process.is_frozen = False

    def _mend(self, name: str) -> None:
        self.broker.cut.discard(name)
        self.broker.healed()

    def _return(self) -> None:
        self.broker.is_away = False
        self.broker.healed()

    def _heal(self) -> None:
        """The end of all trouble."""
        for worker in self._alive.values():
            self._thaw(worker.process)
            worker.process.fuse = None
            worker.wire.kill_after_heads = None
            worker.wire.fails_next = False
        self.broker.cut.clear()
        self.broker.slow.clear()
        self._return()

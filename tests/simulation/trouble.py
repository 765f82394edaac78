"""How each kind of fault strikes a cluster, and how all of them end."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from tests.simulation import faults as f
from tests.simulation.cluster import CHANGELOGS, Cluster
from tests.simulation.loop import Process
from tests.simulation.story import Story
from tests.simulation.worker import Worker

LAG_MS = 300_000  # what is younger, compaction leaves alone
SHORT_LAG_MS = 120_000
PATIENCE_S = 30.0


class Trouble:
    """`injected` counts what struck, by kind.

    `excused` names the processes that have reason to end themselves: a record of theirs was refused, or they wait for
    answers for longer than requests may take.
    """

    def __init__(self, story: Story, cluster: Cluster, dice: random.Random) -> None:
        self.injected: Counter[str] = Counter()
        self.excused: set[str] = set()
        self._story = story
        self._cluster = cluster
        self._dice = dice
        self._over = asyncio.Event()
        self._lag_ms = SHORT_LAG_MS if story.is_harsh else LAG_MS

    def strike(self, fault: f.Fault) -> None:
        """Let it happen now."""
        name = f.worker_of(fault)
        if isinstance(fault, f.Join | f.Rebalance) and fault.role not in self._cluster.groups:
            return
        worker = None if name is None else self._cluster.alive.get(name)
        if name is not None and worker is None:
            return  # it is down already
        self.injected[type(fault).__name__] += 1
        if worker is not None:
            if isinstance(fault, f.SendFails) or getattr(fault, "for_s", 0.0) >= PATIENCE_S:
                self.excused.add(worker.process.name)
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
                self._cluster.back_at[fault.worker] = self._cluster.loop.time() + fault.away_s
                self._cluster.loop.start(process, worker.stop())
            case f.Freeze():
                process.is_frozen = True
                worker.wire.froze()
                self._cluster.run(self._later(fault.for_s, lambda: self._thaw(process)))
            case f.Cut():
                self._cluster.broker.cut.add(process.name)
                self._cluster.run(self._later(fault.for_s, lambda: self._mend(process.name)))
            case f.SendsDelayed():
                self._slow_down(process.name, fault)
            case f.SendFails():
                worker.wire.fails_next = True
            case f.Redelivery():
                self._cluster.loop.start(process, worker.redeliver())
            case f.ClockStep():
                process.skew_ms += fault.by_ms
            case _:
                raise TypeError(fault)

    def _strike_all(self, fault: f.Fault) -> None:
        match fault:
            case f.Join():
                self._cluster.run(self._visit(f"{fault.role}-guest{self.injected['Join']}"))
            case f.Rebalance():
                self._cluster.groups[fault.role].is_sticky = fault.is_sticky
                self._cluster.groups[fault.role].rebalance()
            case f.BrokerAway():
                self._cluster.broker.is_away = True
                self._cluster.run(self._later(fault.for_s, self._return))
            case f.Compaction():
                for changelog in sorted(CHANGELOGS):
                    self._cluster.broker.compact(changelog, self._lag_ms)
            case f.VoidApply():
                self._cluster.apply(self._story.revisions[0], f"void-{self.injected['VoidApply']}", 424_242)
            case f.CatalogueChange():
                documents = self._story.revisions[fault.change + 1]
                self._cluster.run(self._cluster.change(documents, f"apply-{fault.change + 1}"))
            case _:
                raise TypeError(fault)

    async def _visit(self, name: str) -> None:
        """One more worker for a minute or two, and no longer than there is trouble: its going is a rebalance."""
        gone, over = self._cluster.start(name), self._cluster.run(self._over.wait())
        stays_s = self._dice.uniform(20, 150)
        await asyncio.wait([gone, over], timeout=stays_s, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        worker = self._cluster.alive.get(name)
        if worker is not None:
            self._thaw(worker.process)
            self._cluster.loop.start(worker.process, worker.stop())

    @staticmethod
    async def _later(after_s: float, action: Callable[[], None]) -> None:
        await asyncio.sleep(after_s)
        action()

    def _thaw(self, process: Process) -> None:
        process.is_frozen = False

    def _mend(self, name: str) -> None:
        self._cluster.broker.cut.discard(name)
        self._cluster.broker.healed()

    def _slow_down(self, name: str, fault: f.SendsDelayed) -> None:
        self._cluster.broker.slow.add(name)
        if fault.is_full:
            self._cluster.broker.full.add(name)
        self._cluster.run(self._later(fault.for_s, lambda: self._hasten(name)))

    def _hasten(self, name: str) -> None:
        self._cluster.broker.slow.discard(name)
        self._cluster.broker.full.discard(name)

    def _return(self) -> None:
        self._cluster.broker.is_away = False
        self._cluster.broker.healed()

    def heal(self) -> None:
        """The end of all trouble."""
        self._over.set()
        for worker in self._cluster.alive.values():
            self._thaw(worker.process)
            worker.process.fuse = None
            worker.wire.kill_after_heads = None
            worker.wire.fails_next = False
        self._cluster.broker.cut.clear()
        self._cluster.broker.slow.clear()
        self._cluster.broker.full.clear()
        self._return()

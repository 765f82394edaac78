"""Time for silent partitions, and markers for new revisions: what a partition's owner writes into its log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

import orjson

from agents.heads import PartitionMoved
from agents.log_clock import LogClock
from agents.metrics import Metric, Metrics
from agents.port import Port
from agents.shell import Activity
from agents.transport import Record
from sla.catalogue import Catalogue
from sla.fold import TICK, Fold

# A partition is silent when nothing came in the first fifth of a step.
SILENT_SHARE: Final = 0.2
MARK_AGAIN_AFTER_S: Final = 10.0
AWAY_AFTER_S: Final = 1.0
WRITE_WITHIN_S: Final = 60.0


class Owner(Protocol):
    """The shell, as far as the ticker asks it."""

    def activity(self, partition: int) -> Activity:
        """What was seen of a partition."""
        ...

    async def fold_of(self, partition: int) -> Fold:
        """Its fold."""
        ...


def is_silent(activity: Activity, step_began_at: float) -> bool:
    """Whether a partition needs a tick: always where producers stamp the records, for these do not move time."""
    return not activity.append_time or activity.data_at is None or activity.data_at < step_began_at


class Ticker:
    """Writes ticks and markers into the partitions that this worker holds, and into no other."""

    def __init__(
        self,
        topic: str,
        owner: Owner,
        *,
        port: Port,
        clock: LogClock,
        metrics: Metrics,
        owned: Callable[[], frozenset[int]],
        catalogue: Callable[[], Catalogue],
        revision_of: Callable[[Fold], int] | None,
    ) -> None:
        """`owned` names the partitions to write to now: none while the group rebalances, recovers or is fenced.

        `revision_of` is None for folds that follow no catalogue.
        """
        self._topic = topic
        self._owner = owner
        self._port = port
        self._clock = clock
        self._metrics = metrics
        self._owned = owned
        self._catalogue = catalogue
        self._revision_of = revision_of
        self._waiting: dict[int, tuple[Any, float]] = {}  # partition → a tick's promise, and when it was sent
        self._marked: dict[int, tuple[int, float]] = {}  # partition → revision and when

    async def run(self) -> None:
        """Step after step until cancelled; a failed send ends the worker (the strict producer says so)."""
        loop = asyncio.get_running_loop()
        last_at: int | None = None
        while True:
            spacing_ms = self._clock.spacing_ms(self._catalogue().decide_every_ms)
            began_at = loop.time()
            await asyncio.sleep(SILENT_SHARE * spacing_ms / self._clock.speed / 1000)
            due = self._clock.due(last_at, spacing_ms)
            if due:
                last_at = due[-1]
                await self._step(due, began_at, loop.time())
            await asyncio.sleep(self._clock.real_s_until(self._clock.now() // spacing_ms * spacing_ms + spacing_ms))

    async def _step(self, due: list[int], began_at: float, now: float) -> None:
        for partition in sorted(self._owned()):
            if partition not in self._owned():
                return  # a rebalance has begun meanwhile
            try:
                await self._mark(partition, due[-1], now)
            except PartitionMoved:
                return
            if self._is_away(partition, now) or not is_silent(self._owner.activity(partition), began_at):
                continue
            for at in due:
                sent = await self._write(partition, TICK, at)
                self._waiting.setdefault(partition, (sent, now))
            self._metrics.count(Metric.TICKS, len(due))

    def _is_away(self, partition: int, now: float) -> bool:
        """Whether the broker has left a tick unanswered for so long that more of them would only pile up."""
        waiting = self._waiting.get(partition)
        if waiting is None:
            return False
        if waiting[0].done():
            del self._waiting[partition]
            return False
        return now - waiting[1] > AWAY_AFTER_S

    async def _mark(self, partition: int, at: int, now: float) -> None:
        catalogue = self._catalogue()
        if self._revision_of is None or catalogue.revision == 0:
            return
        if self._revision_of(await self._owner.fold_of(partition)) >= catalogue.revision:
            return
        revision, marked_at = self._marked.get(partition, (0, 0.0))
        if revision == catalogue.revision and now - marked_at < MARK_AGAIN_AFTER_S:
            return
        self._marked[partition] = (catalogue.revision, now)
        marker = {"type": "catalogue", "revision": catalogue.revision, "sha256": catalogue.sha256}
        await self._write(partition, orjson.dumps(marker), at)
        self._metrics.count(Metric.MARKERS)

    async def _write(self, partition: int, value: bytes, at: int) -> Any:
        async with asyncio.timeout(WRITE_WITHIN_S):
            ((promise, _),) = await self._port.post(deque([Record(self._topic, None, value, partition, at)]))
        return promise

"""A broker, the groups at it, and the workers that a supervisor keeps alive."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from functools import cache
from typing import Any

from agents.app import build
from agents.clock import ROLE as CLOCK
from agents.detect import ROLE as DETECT
from agents.dispatch import ROLE as DISPATCH
from agents.role import changelog_of
from agents.settings import Settings
from agents.transport import Override
from schemas.catalogue_log import CatalogueLog, records_of
from schemas.topics import ALL as TOPICS
from schemas.topics import CATALOGUE, NOTICES
from tests.simulation.broker import Broker
from tests.simulation.group import Group
from tests.simulation.loop import SeededLoop
from tests.simulation.story import Document, Story
from tests.simulation.worker import Worker

ROLES = {role.name: role for role in (DETECT, CLOCK, DISPATCH)}
CHANGELOGS = {changelog_of(role) or "" for role in ROLES.values()}
SETTINGS = Settings(kafka_bootstrap_servers="127.0.0.1:1")
NOTICES_PARTITIONS = 2
STOP_WITHIN_S = 60.0


@cache
def _conf(role: str) -> Any:
    return build(SETTINGS, ROLES[role]).conf


class Cluster:
    """`alive` holds the workers by name; `ends` the processes that ended themselves, and why."""

    def __init__(self, story: Story, loop: SeededLoop, dice: random.Random, overrides: frozenset[Override]) -> None:
        partitions = {topic.name: topic.partitions or story.partitions_count for topic in TOPICS}
        partitions[NOTICES.name] = partitions[changelog_of(DISPATCH) or ""] = NOTICES_PARTITIONS
        self.loop = loop
        self.broker = Broker(loop, dice, story.epoch_ms, partitions)
        for changelog in sorted(CHANGELOGS):
            self.broker.remember(changelog)
        if story.append_time:
            self.broker.append_time = {topic.name for topic in TOPICS if topic.append_time}
        else:
            self.broker.append_time = {NOTICES.name}
        self.groups = {name: Group(self.broker, dice, role.source) for name, role in ROLES.items() if story.roles[name]}
        self.alive: dict[str, Worker] = {}
        self.ends: list[tuple[str, str]] = []
        self.lives: Counter[str] = Counter()
        self.back_at: dict[str, float] = {}  # a worker that is away on purpose
        self._dice = dice
        self._overrides = overrides
        self._is_over = False
        self._background: set[Any] = set()

    def run(self, coroutine: Any) -> asyncio.Task[Any]:
        """A task of the world's own, not of any worker."""
        task = self.loop.start(self.loop.world, coroutine)
        self._background.add(task)
        return task

    def note_end(self, name: str, reason: str) -> None:
        """A process ended itself."""
        self.ends.append((name, reason))

    # -- the catalogue

    def apply(self, documents: list[Document], apply_id: str, base: int) -> None:
        """An apply in one go, on whatever base it claims."""
        for key, value in records_of(documents, apply_id, base):
            self.broker.append((CATALOGUE.name, 0), key.encode(), value)

    async def change(self, documents: list[Document], apply_id: str) -> None:
        """An apply, record by record, on top of what is in force."""
        place = CATALOGUE.name, 0
        log = CatalogueLog()
        for record in self.broker.logs[place]:
            log.feed(record.offset, record.value or b"")
        for key, value in records_of(documents, apply_id, log.current.revision):
            await asyncio.sleep(self._dice.choice([0, 0, 0.1]))
            self.broker.append(place, key.encode(), value)

    # -- workers

    async def keep_alive(self, name: str) -> None:
        """A supervisor: whenever the worker is gone, it is started anew, after a while."""
        while not self._is_over:
            gone = self.start(name)
            await gone
            await asyncio.sleep(self._dice.uniform(0.5, 6))
            await asyncio.sleep(max(0.0, self.back_at.get(name, 0.0) - self.loop.time()))

    def start(self, name: str) -> asyncio.Future[None]:
        """A new process; the future is done when it is gone."""
        self.lives[name] += 1
        process = self.loop.spawn(f"{name}#{self.lives[name]}")
        role = name.partition("-")[0]
        worker = Worker(
            process,
            ROLES[role],
            broker=self.broker,
            group=self.groups[role],
            dice=self._dice,
            conf=_conf(role),
            settings=SETTINGS,
            overrides=self._overrides,
            ended=self.note_end,
        )
        gone: asyncio.Future[None] = self.loop.create_future()
        release = process.on_kill

        def killed() -> None:
            release()
            self.loop.processes.remove(process)
            self.alive.pop(name, None)
            if not gone.done():
                gone.set_result(None)

        process.on_kill = killed
        self.alive[name] = worker
        self.loop.start(process, worker.live())
        return gone

    async def stop(self) -> None:
        """SIGTERM to all, and SIGKILL to whoever takes too long."""
        self._is_over = True
        deadline = self.loop.time() + STOP_WITHIN_S
        for worker in list(self.alive.values()):
            self.loop.start(worker.process, worker.stop())
        while self.alive and self.loop.time() < deadline:  # noqa: ASYNC110 - time is virtual
            await asyncio.sleep(0.5)
        for worker in list(self.alive.values()):
            worker.process.kill()

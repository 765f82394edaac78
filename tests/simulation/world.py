"""A schedule: the world of a story, run to its end. What comes out is data for the laws to judge."""

from __future__ import annotations

import asyncio
import random

from agents.transport import ALL, Override
from tests.simulation.cluster import CHANGELOGS, Cluster
from tests.simulation.loop import SeededLoop
from tests.simulation.outcome import Outcome
from tests.simulation.story import Sent, Story
from tests.simulation.trouble import Trouble

CALM_S = 75.0  # after the last trouble: sessions, rebalances, two flushes


class World:
    """One schedule on its loop."""

    def __init__(self, story: Story, overrides: frozenset[Override] = ALL) -> None:
        dice = random.Random(story.seed * 7919 + 1)
        self._story = story
        self.loop = SeededLoop(dice)
        self.cluster = Cluster(story, self.loop, dice, overrides)
        self._trouble = Trouble(story, self.cluster, dice)
        self._kinds: dict[tuple[int, int], str] = {}

    async def run(self) -> Outcome:
        """Until all is well again, and everybody has stopped."""
        story, loop, cluster = self._story, self.loop, self.cluster
        for group in cluster.groups.values():
            cluster.run(group.watch())
        cluster.apply(story.revisions[0], "apply-0", 0)
        for name in cluster.groups:
            for number in range(story.roles[name]):
                cluster.run(cluster.keep_alive(f"{name}-{number}"))
        producing = cluster.run(self._produce())
        for fault in story.faults:
            await asyncio.sleep(max(0.0, fault.at - loop.time()))
            self._trouble.strike(fault)
        await producing
        await asyncio.sleep(max(0.0, story.lasts_s - loop.time()))
        calm_from = loop.time()
        self._trouble.heal()
        await asyncio.sleep(CALM_S)
        stopped_at = loop.time()
        settled_from = max(group.moved_at for group in cluster.groups.values())
        await cluster.stop()
        return self._outcome(calm_from, settled_from, stopped_at)

    async def _produce(self) -> None:
        for sent in self._story.sent:
            await asyncio.sleep(max(0.0, sent.at - self.loop.time()))
            self._log(sent)

    def _log(self, sent: Sent) -> None:
        record = self.cluster.broker.append((self._story.source, sent.partition), sent.key, sent.value)
        if sent.kind:
            self._kinds[sent.partition, record.offset] = sent.kind
            self._trouble.injected[f"{sent.kind} record"] += 1

    def _outcome(self, calm_from: float, settled_from: float, stopped_at: float) -> Outcome:
        broker, groups = self.cluster.broker, self.cluster.groups.values()
        return Outcome(
            self._story,
            logs={place: log for place, log in broker.logs.items() if place[0] not in CHANGELOGS},
            changelogs={place: log for place, log in broker.logs.items() if place[0] in CHANGELOGS},
            history=dict(broker.written),
            commits=sorted(commit for group in groups for commit in group.commits),
            committed={place: offset for group in groups for place, offset in group.committed.items()},
            kinds=self._kinds,
            ends=list(self.cluster.ends),
            errors=[f"{error.get('message')}: {error.get('exception')!r}" for error in self.loop.errors],
            injected=self._trouble.injected,
            calm_from=calm_from,
            stopped_at=stopped_at,
            excused=self._trouble.excused,
            steps_count=self.loop.steps_count,
            lives_count=sum(self.cluster.lives.values()),
            generations_count=sum(group.generation for group in groups),
            settled_from=settled_from,
        )

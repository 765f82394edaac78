"""What a schedule leaves behind, for the laws to judge."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.simulation.broker import Place, Record
from tests.simulation.group import Commit
from tests.simulation.story import Story


@dataclass(slots=True)
class Outcome:
    """All that happened at the broker, and what the world knows of the records it produced."""

    story: Story
    logs: dict[Place, list[Record]]
    changelogs: dict[Place, list[Record]]  # as compaction left them
    history: dict[Place, list[Record]]  # all that was ever written to each changelog
    commits: list[Commit]
    committed: dict[Place, int]
    kinds: dict[tuple[int, int], str]  # what is wrong with a telemetry record, by partition and offset
    ends: list[tuple[str, str]]  # processes that ended themselves, and why
    errors: list[str]
    injected: Counter[str]
    calm_from: float
    stopped_at: float
    excused: set[str]  # processes that had reason to end themselves
    steps_count: int
    lives_count: int
    generations_count: int
    settled_from: float  # the last time that partitions moved

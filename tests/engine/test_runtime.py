"""What becomes of a batch, by how its handling ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from agents.heads import PartitionMoved
from tests.engine.parts import Fatal, new_app


class Batches:
    """A stream of batches; it remembers which were acknowledged."""

    def __init__(self, *offsets: int) -> None:
        self._offsets = offsets
        self.acknowledged: list[int] = []

    def noack(self) -> Batches:
        return self

    async def events(self) -> AsyncIterator[Any]:
        for offset in self._offsets:
            yield SimpleNamespace(message=SimpleNamespace(partition=3, offset=offset, value=[], generation_id=7))

    async def ack(self, event: Any) -> None:
        self.acknowledged.append(event.message.offset)


async def acknowledged(endings: list[Exception | None]) -> list[int]:
    left = iter(endings)

    async def handle(partition: int, records: Any) -> None:
        del partition, records
        if (ending := next(left)) is not None:
            raise ending

    runtime: Any = new_app().lifecycle
    runtime._handle = handle
    batches = Batches(*range(len(endings)))
    try:
        await runtime._agent(batches)
    finally:
        assert batches.acknowledged == [at for at, ending in enumerate(endings) if ending is None]
    return batches.acknowledged


async def test_a_batch_of_a_partition_that_moved_is_dropped_unacknowledged_and_the_worker_goes_on() -> None:
    assert await acknowledged([None, PartitionMoved(3), None]) == [0, 2]


async def test_a_batch_that_is_handed_out_behind_the_last_commit_is_left_to_be_read_again() -> None:
    handled: list[int] = []

    async def handle(partition: int, records: Any) -> None:
        del records
        handled.append(partition)

    app: Any = new_app()
    runtime: Any = app.lifecycle
    runtime._handle = handle
    app.consumer_generation_id, app.rebalancing = 7, True
    await runtime._revoked()
    behind = Batches(0)
    await runtime._agent(behind)
    assert (handled, behind.acknowledged) == ([], [])
    app.rebalancing = False
    after = Batches(0)
    await runtime._agent(after)
    assert (handled, after.acknowledged) == ([3], [0])


async def test_a_batch_that_failed_is_not_acknowledged_and_ends_the_worker() -> None:
    with pytest.raises(Fatal, match="not acknowledged"):
        await acknowledged([None, ValueError("a bug")])

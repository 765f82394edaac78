"""Running a schedule: the product's clocks, clients and exits are the world's while it lasts."""

from __future__ import annotations

import gc
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import agents.catalogue
import agents.guard
import agents.heads
import agents.log_clock
import agents.pace
import agents.port
import agents.runtime
import agents.shell
import agents.storm
import agents.transport.consumer
import agents.transport.table
import agents.transport.thread
import agents.watchdog
from agents.transport import ALL, Override
from tests.simulation.loop import PROCESS, Ended
from tests.simulation.member import CatalogueReader
from tests.simulation.outcome import Outcome
from tests.simulation.story import Story
from tests.simulation.world import World


@contextmanager
def virtual_time(world: World) -> Iterator[None]:
    """The product's clocks are the loop's, its clients the world's, and its exit the end of a process."""
    loop, cluster, broker = world.loop, world.cluster, world.cluster.broker

    def real_ms() -> int:
        return broker.now_ms() + PROCESS.get(loop.world).skew_ms

    async def partitions_by_topic(*_: Any) -> dict[str, int]:
        await broker.answer()
        return broker.partitions

    async def ask_topic_id(*_: Any) -> None:
        await broker.answer()  # no topic is ever made anew here

    def leave(_code: int, message: str) -> None:
        process = PROCESS.get()
        cluster.note_end(process.name, message)
        process.kill()
        raise Ended

    clocked: list[Any] = [
        agents.pace,
        agents.shell,
        agents.storm,
        agents.transport.consumer,
        agents.transport.table,
        agents.transport.thread,
        agents.watchdog,
    ]
    with ExitStack() as stack:
        for module in clocked:
            stack.enter_context(mock.patch.object(module, "monotonic", loop.time))
        for target, name, value in (
            (agents.log_clock, "real_ms", real_ms),
            (agents.runtime, "partitions_by_topic", partitions_by_topic),
            (agents.runtime, "ask_topic_id", ask_topic_id),
            (agents.runtime, "leave", leave),
            (agents.guard, "leave", leave),
            (agents.catalogue, "AIOKafkaConsumer", lambda **_: CatalogueReader(broker)),
            # There are few atoms here, and few lines: so much comes between any two.
            (agents.heads, "SERIALISED_AT_ONCE", 1),
            (agents.shell, "PAID_AT_ONCE", 1),
            (agents.port, "STORED_AT_ONCE", 2),
            (agents.pace, "PAUSE_S", 0.4),
            (agents.pace, "GAP_S", 0.4),
        ):
            stack.enter_context(mock.patch.object(target, name, value))
        yield


@contextmanager
def _quietly() -> Iterator[None]:
    """What a killed process leaves behind is thrown away in one go, and has nothing to say."""
    told = sys.unraisablehook
    gc.disable()
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            sys.unraisablehook = lambda _: None
            yield
            gc.collect()
    finally:
        sys.unraisablehook = told
        logging.disable(logging.NOTSET)
        gc.enable()


def run(story: Story, overrides: frozenset[Override] = ALL) -> Outcome:
    """The schedule of a story, from the beginning to the end."""
    with _quietly():
        return _run(story, overrides)


def _run(story: Story, overrides: frozenset[Override]) -> Outcome:
    world = World(story, overrides)
    loop = world.loop
    try:
        with virtual_time(world):
            return loop.run_until_complete(world.run())
    finally:
        loop.forget()

"""`deliver` under any order of batches, answers and crashes: no message is lost, and only a crash repeats one."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.protocol import Delivered, Failed, Outcome, Retry
from tests.engine.parts import World
from tests.engine.test_deliver import Channel, running, send

ANSWERS = st.sampled_from([Delivered(), Retry("busy"), Retry("busy", 60_000), Failed("no"), None])
SPINS_MAX = 40


class Life(NamedTuple):
    """From a start of the worker to its crash: the batches it is given, and how the channel answers meanwhile."""

    batches: list[int]
    answers: list[Outcome | None]
    spins_count: int


LIVES = st.lists(
    st.builds(
        Life,
        st.lists(st.integers(1, 5), max_size=3),
        st.lists(ANSWERS, min_size=1, max_size=8),
        st.integers(0, SPINS_MAX),
    ),
    max_size=4,
)


async def _played(lives: list[Life]) -> None:
    world, told, sent_count, at = World(), Counter[str](), 0, 0
    for life in lives:
        channel = Channel(*life.answers)
        async with running(world, good=channel) as desk:
            desk.at += at
            for count in life.batches:
                await desk.take(*(send(sent_count + place) for place in range(count)), offset=sent_count)
                sent_count += count
            for _ in range(life.spins_count):
                await asyncio.sleep(0)
            told.update(channel.seen)
        at += 60_000
    last = Channel(Delivered())
    async with running(world, good=last) as desk:
        desk.at += at
        await desk.take(*(send(number) for number in range(sent_count)))  # all offsets once more: nothing is new
        await desk.until(lambda: not desk.kept())
        outcomes = Counter(key for key, _ in desk.outcomes())
    told.update(last.seen)
    assert outcomes.keys() == {f"id-{number}" for number in range(sent_count)}
    assert all(times <= 1 + len(lives) for times in outcomes.values())  # only a crash repeats an outcome
    assert outcomes.keys() <= told.keys()


@settings(max_examples=40, deadline=None)
@given(LIVES)
def test_every_message_has_an_outcome_whatever_the_channel_answers_and_whenever_the_worker_dies(
    lives: list[Life],
) -> None:
    asyncio.run(_played(lives))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 5), max_size=6))
def test_without_a_crash_nothing_is_told_twice(batches: list[int]) -> None:
    async def played() -> Counter[str]:
        channel, sent_count = Channel(), 0
        async with running(World(), good=channel) as desk:
            for count in batches:
                await desk.take(*(send(sent_count + place) for place in range(count)), offset=sent_count)
                sent_count += count
            await desk.until(lambda: len(desk.outcomes()) == sent_count)
        return Counter(channel.seen)

    assert set(asyncio.run(played()).values()) <= {1}

"""Work that may wait (`agents.pace`): it fills the gaps that other work leaves, and grows no backlog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import agents.pace
from agents.pace import OTHERS_SHARE, Pace

TURN = 2.0


class Clock:
    """Passes when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(agents.pace, "monotonic", found)
    monkeypatch.setattr(agents.pace, "GAP_S", 0)
    return found


async def rested(pace: Pace, clock: Clock, others: Callable[[], bool]) -> float:
    """How long others worked between two turns, while `others` says that a batch has come."""
    resting = asyncio.create_task(pace.rest(TURN))
    began = clock.now
    await asyncio.sleep(0)
    while not resting.done():
        if others():
            pace.meet()
            clock.now += 1
        await asyncio.sleep(0)
    return clock.now - began


async def test_alone_it_goes_on_at_once(clock: Clock) -> None:
    assert await rested(Pace(), clock, lambda: False) == 0


async def test_it_goes_on_in_the_first_gap(clock: Clock) -> None:
    batches = iter([True, True, True])
    assert await rested(Pace(), clock, lambda: next(batches, False)) == 3


async def test_where_others_leave_no_gap_it_still_has_its_share(clock: Clock) -> None:
    pace = Pace()
    for _ in range(3):
        assert OTHERS_SHARE * TURN <= await rested(pace, clock, lambda: True) <= OTHERS_SHARE * TURN + 2


async def test_somebody_who_waits_for_the_end_of_it_leaves_others_one_turn_after_a_while(clock: Clock) -> None:
    pace = Pace()
    with pace.hurried(3):
        assert await rested(pace, clock, lambda: True) <= 3 + 1
        assert await rested(pace, clock, lambda: True) <= 1
    assert await rested(pace, clock, lambda: True) >= OTHERS_SHARE * TURN

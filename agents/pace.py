"""Long work in turns with that of others on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from time import monotonic
from typing import Final, TypeVar

Item = TypeVar("Item")

PAUSE_S: Final = 0.005
GAP_S: Final = 0.001
OTHERS_SHARE: Final = 9
"""So much longer than a turn of work that may wait others have the loop, where they never leave it a gap."""


class Pace:
    """Work that may wait, in turns that fill the gaps which other work leaves, and never grow its backlog.

    Other work that leaves no gap is behind, and needs nearly all of the loop to catch up.
    """

    def __init__(self) -> None:
        """Nothing else is going on, and nobody is in a hurry."""
        self._met_count = 0
        self._hurry_at = inf

    def meet(self) -> None:
        """Other work came."""
        self._met_count += 1

    @contextmanager
    def hurried(self, after_s: float) -> Iterator[None]:
        """Somebody waits for the end of such work: after so long it leaves others their turn, and no more."""
        self._hurry_at = monotonic() + after_s
        try:
            yield
        finally:
            self._hurry_at = inf

    async def rest(self, worked_s: float) -> None:
        """After a turn that took so long; on return it is time for the next."""
        now = monotonic()
        until, met_count = min(now + OTHERS_SHARE * worked_s, self._hurry_at), -1
        await asyncio.sleep(0)
        while met_count != self._met_count and now <= until:
            met_count = self._met_count
            await asyncio.sleep(GAP_S)
            now = monotonic()


async def in_turns(items: Iterable[Item], at_once: int) -> AsyncIterator[Item]:
    """The items, with a pause after each so many; one is taken no earlier than it is asked for."""
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(PAUSE_S)


async def in_parts(items: Sequence[Item], size: int) -> AsyncIterator[Sequence[Item]]:
    """The items in parts of this size, with a pause between two."""
    for start in range(0, len(items), size):
        if start:
            await asyncio.sleep(PAUSE_S)
        yield items[start : start + size]


async def within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, but no longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()

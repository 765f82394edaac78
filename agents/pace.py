"""Long work in turns with that of others on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
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
        """Nothing else is going on."""
        self._met_count = 0
        self._turn_at = 0.0

    def meet(self) -> None:
        """Other work came."""
        self._met_count += 1

    def begin(self) -> None:
        """The first turn begins."""
        self._turn_at = monotonic()

    async def rest(self) -> None:
        """A turn is over; on return the next begins."""
        now = monotonic()
        until, met_count = now + OTHERS_SHARE * (now - self._turn_at), -1
        while met_count != self._met_count and now <= until:
            met_count = self._met_count
            await asyncio.sleep(GAP_S)
            now = monotonic()
        self._turn_at = now


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

"""Long work in turns with that of others on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Final, TypeVar

Item = TypeVar("Item")

PAUSE_S: Final = 0.005


async def in_turns(items: Iterable[Item], at_once: int) -> AsyncIterator[Item]:
    """The items, with a pause after each so many; one is taken no earlier than it is asked for."""
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(PAUSE_S)


async def within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, but no longer than this."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()

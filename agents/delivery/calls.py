"""Calls of channels that are under way, and what becomes of them when partitions move.

At a rebalance it is not known yet which partitions come back. Until then calls go on and their outcomes are kept: most
partitions do come back, and their messages need not be sent twice. A partition that does not come back is its new
owner's, who makes the same calls.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from agents.delivery.pending import Pending, Slot
from agents.delivery.retry import Verdict


class Tried(NamedTuple):
    """A try that has ended; `mistake` is that of a template."""

    tried: Pending
    verdict: Verdict
    mistake: str | None = None


class Calls:
    """Those of one worker."""

    def __init__(self) -> None:
        """None yet."""
        self._under_way: dict[Slot, asyncio.Task[None]] = {}
        self._early: list[Tried] = []  # ended while their partition was held by nobody here

    def began(self, slot: Slot, call: asyncio.Task[None]) -> None:
        """A call is under way until it is done."""
        self._under_way[slot] = call
        call.add_done_callback(lambda _: self._under_way.pop(slot, None))

    def ended_early(self, tried: Tried) -> None:
        """A call has ended, and its partition may still come back."""
        self._early.append(tried)

    def take_early(self, partition: int) -> list[Tried]:
        """What ended while a partition was away that has come back."""
        found = [each for each in self._early if each.tried.slot.partition == partition]
        self._early = [each for each in self._early if each.tried.slot.partition != partition]
        return found

    def leave_to_others(self, owned: frozenset[int]) -> None:
        """The group has settled: for what has moved no call goes on, and no outcome is kept."""
        for slot, call in self._under_way.items():
            if slot.partition not in owned:
                call.cancel()
        self._early.clear()

    def forget(self) -> None:
        """Another rebalance: since what ended before it somebody else may have tried."""
        self._early.clear()

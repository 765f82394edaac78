"""What the transport of one app does: which topics it hands out in batches, and which repairs of Faust are on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


class Override(StrEnum):
    """The repairs of Faust 0.15.3 and aiokafka 0.14.0, each with what happens without it (docs/decisions/0010)."""

    FENCE = "fence"  # a process that was stopped or cut off writes state and ticks for a partition that has moved
    DROP = "drop"  # a partition that comes back brings old values with it, or loses those written elsewhere
    WATCH = "watch"  # a fatal answer of the coordinator is never asked for: the worker sits for ever, joined to nothing
    MAX = "max"  # the last write wins a recovery, and a zombie may have written last
    ADV = "adv"  # each rebalance reads again all that the worker itself has written
    SEEK = "seek"  # records fetched behind the seek at the end of a recovery are thrown away, and committed past
    REVOKE = "revoke"  # the commit at a rebalance commits nothing, and all since the last interval is read again
    RELEASE = "release"  # a batch that a rebalance cleared is still held, and the rebalance waits for its end for ever
    STALL = "stall"  # one slow answer ends the recovery task for good, and the worker heartbeats on


ALL: Final = frozenset(Override)

Write = Callable[[], Awaitable[bool]]
"""Puts a snapshot on the broker; False when it was held back, and then nothing may be committed."""


class Flusher(Protocol):
    """Who owns the state that a commit implies."""

    async def settle(self) -> None:
        """Say what was put off, with others in between: what is said only in `snapshot` holds them up."""
        ...

    def snapshot(self) -> Write:
        """Serialise what changed, at once: nothing is awaited between the choice of the offsets and this."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """`sources` and `changelogs` arrive in batches; every other topic passes through untouched."""

    sources: frozenset[str] = frozenset()
    changelogs: frozenset[str] = frozenset()
    overrides: frozenset[Override] = ALL
    batch_max_count: int = 2_000  # milliseconds of work; Faust's own for each message takes that of fifty records
    stall_after_s: float = 60.0

    def has(self, override: Override) -> bool:
        """Whether a repair is on; experiments and tests switch single ones off."""
        return override in self.overrides

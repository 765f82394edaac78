"""Notices records that wait while nothing is done with them: the worker is unready first, and then ends.

Faust can stop reading a partition, or an agent, without a word and with its heartbeats going on. So the broker is asked
where the log ends, the fetcher whether it has passed that, and the answer is held against what was handled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import monotonic
from typing import Final, NamedTuple

from aiokafka.errors import KafkaError

LOOK_EVERY_S: Final = 5.0
ASK_WITHIN_S: Final = 20.0
UNREADY_AFTER_S: Final = 30.0
END_AFTER_S: Final = 120.0

log = logging.getLogger("forewarn.watchdog")

AskEnds = Callable[[Iterable[int]], Awaitable[Mapping[int, int]]]
"""Partitions → one past the last record of each that can be handed over (`FaustPort.record_ends`)."""


class _Waiting(NamedTuple):
    done_to: int
    since_s: float


class Watchdog:
    """Watches the partitions that a worker holds."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._done_to: dict[int, int] = {}  # one past the last offset that was handled
        self._waiting: dict[int, _Waiting] = {}
        self._ends: dict[int, int] = {}  # as the broker said last
        self._done_at_s: dict[int, float] = {}  # when a batch was last done

    def handled(self, partition: int, last_offset: int) -> None:
        """A batch is done."""
        self._done_to[partition] = last_offset + 1
        self._done_at_s[partition] = monotonic()

    def forget(self) -> None:
        """Partitions have moved, or cannot be worked on now."""
        for ledger in (self._done_to, self._waiting, self._ends, self._done_at_s):
            ledger.clear()

    def look(self, ends: Mapping[int, int], now_s: float) -> None:
        """Hold the ends of the records against what was handled.

        What lay there before the first look is not waited for: compaction and retention may have left nothing to read.
        """
        self._ends = dict(ends)
        for partition, end in ends.items():
            done_to = self._done_to.setdefault(partition, end)
            if done_to >= end:
                self._waiting.pop(partition, None)
            elif partition not in self._waiting or self._waiting[partition].done_to != done_to:
                self._waiting[partition] = _Waiting(done_to, now_s)

    def stuck(self, now_s: float, after_s: float) -> list[int]:
        """The partitions in which nothing was done for that long although records wait."""
        return sorted(at for at, waiting in self._waiting.items() if now_s - waiting.since_s >= after_s)

    def lag_count(self) -> dict[int, int]:
        """Records that wait, by partition; of one in which nothing was done yet nobody knows where it begins."""
        ends = {at: end for at, end in self._ends.items() if at in self._done_at_s}
        return {at: max(0, end - self._done_to[at]) for at, end in ends.items()}

    def idle_s(self, now_s: float) -> dict[int, int]:
        """Whole seconds since a batch was done, by partition; one that was just given counts from its first."""
        return {at: int(now_s - done_at_s) for at, done_at_s in self._done_at_s.items()}

    def findings(self) -> list[str]:
        """Why the worker is not ready."""
        stuck = self.stuck(monotonic(), UNREADY_AFTER_S)
        return [f"records wait and nothing is done with them, in partitions {stuck}"] if stuck else []

    async def run(self, owned: Callable[[], frozenset[int]], ask: AskEnds, fatal: Callable[[str], object]) -> None:
        """Look again and again; `owned` are the partitions to be worked on now, none while they move."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            partitions = owned()
            if not partitions:
                self.forget()
                continue
            try:
                async with asyncio.timeout(ASK_WITHIN_S):
                    ends = await ask(partitions)
            except (TimeoutError, KafkaError):
                log.warning("the broker does not say where the partitions end")
                self._waiting.clear()  # it is away: that nothing is done says nothing
                continue
            self.look({at: end for at, end in ends.items() if at in owned()}, monotonic())
            stuck = self.stuck(monotonic(), END_AFTER_S)
            if stuck:
                fatal(f"records wait in partitions {stuck}, and nothing was done with them for {END_AFTER_S:.0f} s")

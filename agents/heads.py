"""The heads of the partitions that a role holds: loaded from its table once, written back in order, whoever decides.

The order is the guarantee (design.md 3): emissions are on the broker before the state that implies them, the state
before the offsets that it covers; a partition's own head comes after all that it names.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from agents.changelog import SOURCE_ID, Heads, Writing, is_segment, stages
from agents.metrics import Metric, Metrics
from agents.outbox import Outbox
from agents.pace import in_turns
from agents.port import END_OFFSET_WITHIN_S, Port
from agents.transport import Write, pack, unpack

log = logging.getLogger("forewarn.heads")

RENEW_AFTER_S: Final = 60.0  # design.md 3.4: by then a zombie's last write has arrived, or will be noticed

SERIALISED_AT_ONCE: Final = 32  # some milliseconds of work


class SourceReplaced(Exception):  # noqa: N818 - a finding about the topic
    """The topic is not the one that the stored state comes from."""


class PartitionMoved(Exception):  # noqa: N818 - no error: it happens at each rebalance
    """The partition was revoked while its state was being loaded."""


@dataclass(slots=True)
class _Kept:
    unwritten: Writing = field(default_factory=Writing)  # serialised, then held back by the fence
    expired: set[bytes] = field(default_factory=set)  # segments that no stored head can name any more
    gone: set[bytes] = field(default_factory=set)  # deleted before the renewal, which deletes them once more
    is_renewed: bool = False


class HeadStore:
    """Loads and writes the state of one role. What changed is handed in; nothing here knows what a head means."""

    def __init__(self, topic: str, *, port: Port, metrics: Metrics, outbox: Outbox) -> None:
        """`topic` is the source whose offsets the heads bear; `outbox` is emptied before anything is written."""
        self._topic = topic
        self._port = port
        self._metrics = metrics
        self._outbox = outbox
        self._kept: dict[int, _Kept] = {}
        self._generation = 0  # counts up when partitions are revoked

    async def load(self, partition: int) -> Mapping[bytes, bytes]:
        """The records of a partition (`agents.changelog`), which is held from here on.

        Raises `SourceReplaced` where they come from another topic, `PartitionMoved` where it was revoked meanwhile.
        """
        generation = self._generation
        found = self._port.records(partition)
        self._check_id(partition, found.get(SOURCE_ID))
        offsets = (unpack(head)[0] for key, head in found.items() if not is_segment(key))
        await self._check_source(partition, max(offsets, default=-1))
        if generation != self._generation:
            raise PartitionMoved(partition)
        self._kept.setdefault(partition, _Kept())
        return found

    async def _check_source(self, partition: int, highest: int) -> None:
        if highest < 0:
            return
        async with asyncio.timeout(END_OFFSET_WITHIN_S):
            end = await self._port.end_offset(partition)
        if highest >= end:
            raise self._replaced(partition, f"ends at offset {end}, but the stored state has read offset {highest}")

    def _check_id(self, partition: int, stored: bytes | None) -> None:
        """A topic that was made anew may have grown beyond what was read of the old one: its id tells."""
        now = self._port.source_id()
        if stored is None or now is None:
            return  # written before ids were kept, or the broker tells none
        was = unpack(stored)[1].decode()
        if was != now:
            raise self._replaced(partition, f"has the id {now}, but the stored state is of {was}")

    def _replaced(self, partition: int, what: str) -> SourceReplaced:
        return SourceReplaced(
            f"partition {partition} of {self._topic} {what}: the topic was deleted and made anew. Delete the role's "
            f"changelog topic and its consumer group as well, then `forewarn topics create`; state begins anew."
        )

    def snapshot(self, dirty: Mapping[int, Writing]) -> Write:
        """What changed in every partition, its own head taken already; the answer takes the rest, and writes it."""
        return partial(self._write, dirty, self._generation)

    async def _serialise(self, dirty: Iterable[Writing]) -> None:
        """A few atoms at a time, each as it stands then: batches wait meanwhile, and what they emit."""
        atoms = ((writing, atom) for writing in dirty for atom in writing.coming)
        async for writing, atom in in_turns(atoms, SERIALISED_AT_ONCE):
            writing.add([atom])

    def _gathered(self, dirty: Mapping[int, Writing]) -> tuple[dict[int, Writing], set[int]]:
        """With what was held back before, and what is written anew; and the partitions in which that is everything.

        A partition that was held for a minute has all its heads written once more: until then an earlier owner that
        was cut off may have written, and what comes last is what compaction keeps (design.md 3.4). One that slept for
        longer, and writes later, leaves a gap between two writes of our own: a minute after it all is written again.
        """
        taken: dict[int, Writing] = {}
        renewed: set[int] = set()
        for partition, kept in self._kept.items():
            writing, kept.unwritten = kept.unwritten, Writing()
            writing.follow(dirty.get(partition, Writing()))
            is_due = self._port.alone_for_s(partition) > RENEW_AFTER_S
            kept.is_renewed = kept.is_renewed and is_due
            if is_due and not kept.is_renewed:
                renewed.add(partition)
                stored: Heads = {**dict.fromkeys(kept.gone), **self._port.records(partition)}
                changed = writing.heads.keys() | writing.own.keys()
                again = {key: head for key, head in stored.items() if key not in changed and not is_segment(key)}
                writing.heads = again | writing.heads
            if writing.heads or writing.own:
                source_id = self._port.source_id()
                if source_id is not None:  # with each flush, so that the doctor finds it at the changelog's end
                    writing.segments[SOURCE_ID] = pack(0, source_id.encode())
                taken[partition] = writing
        return taken, renewed

    async def _write(self, dirty: Mapping[int, Writing], generation: int) -> bool:
        await self._serialise(dirty.values())
        if generation != self._generation:
            return False
        taken, renewed = self._gathered(dirty)
        await self._outbox.send()  # all that was said before the last atom was taken
        await self._port.delivered()
        for stage in stages(taken):
            if generation != self._generation:
                return False  # revoked meanwhile: the next owner does it again
            if self._port.fenced():
                self._hold_back(taken)
                return False
            await self._port.store(stage)
        if generation != self._generation:
            return False  # what is kept now is of another life of the partitions
        for partition, kept in self._kept.items():
            writing = taken.get(partition, Writing())
            kept.is_renewed = kept.is_renewed or partition in renewed
            deleted = {key for key, head in writing.heads.items() if head is None}
            kept.gone = set() if kept.is_renewed else kept.gone | deleted
            kept.expired |= writing.expired
        await self._delete_expired(generation)
        if taken:
            self._metrics.count(Metric.FLUSHES)
            self._metrics.count(Metric.HEADS_WRITTEN, sum(len(each.heads) + len(each.own) for each in taken.values()))
            self._metrics.count(
                Metric.SEGMENTS_WRITTEN, sum(len(each.segments.keys() - {SOURCE_ID}) for each in taken.values())
            )
        return generation == self._generation

    async def _delete_expired(self, generation: int) -> None:
        """Delete segments that expired, behind the heads that no longer name them.

        Not before the heads were renewed, lest compaction keep an earlier owner's head that still names them; and not
        while fenced: a worker that the coordinator confirmed within half a session owns its partitions for half a
        session more, so whoever owns them next begins to read after the heads arrived.
        """
        for partition, kept in list(self._kept.items()):
            if generation != self._generation:
                return  # revoked while the last were deleted
            if kept.is_renewed and kept.expired and not self._port.fenced():
                expired, kept.expired = kept.expired, set()
                await self._port.store([(partition, key, None) for key in expired])
                self._metrics.count(Metric.SEGMENTS_EXPIRED, len(expired))

    def _hold_back(self, taken: Mapping[int, Writing]) -> None:
        """Keep what was serialised for the next flush: whoever decided has forgotten that it changed."""
        self._metrics.count(Metric.HELD_BACK)
        for partition, writing in taken.items():
            kept = self._kept.get(partition)
            if kept is not None:  # else it has moved meanwhile, and its next owner does it again
                kept.unwritten = writing

    def forget(self) -> None:
        """All partitions have been revoked: what was not written is done again by whoever gets them."""
        self._generation += 1
        self._outbox.forget()
        self._kept.clear()

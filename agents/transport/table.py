"""The table of heads and segments: recovered in batches, the highest source offset wins."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from time import monotonic
from typing import Any

from faust import Table
from faust.tables import TableManager
from faust.types import TP

from agents.transport.plan import Override
from agents.transport.schema import raw_schema

_OFFSET = Struct(">q")

# Faust's default of 1,000 would hold a thousand batches of a changelog in memory before applying one.
RECOVERY_BUFFER_BATCHES = 8


def pack(offset: int, body: bytes) -> bytes:
    """A head as the changelog holds it: the source offset in front, so that comparing costs no decoding."""
    return _OFFSET.pack(offset) + body


def unpack(head: bytes) -> tuple[int, bytes]:
    """The source offset and the body of a head."""
    return _OFFSET.unpack_from(head)[0], head[_OFFSET.size :]


class Tables(TableManager):  # type: ignore[misc, unused-ignore]
    """Faust's tables of an app whose tables are all declared before it starts."""

    # Faust sleeps for a second first, in case modules that declare tables are still being imported.
    async def on_start(self) -> None:
        """Subscribe to the changelogs and get ready to recover."""
        await self._update_channels()
        await self.recovery.start()


class BulkTable(Table):  # type: ignore[misc, type-arg, unused-ignore]
    """Heads and segments by partition and key. Faust recovers it; the shell reads and writes it, and nobody else.

    It keeps its own store: Faust's forgets only keys that it has recovered, and never those the worker wrote.
    """

    def __init__(self, app: Any, **kwargs: Any) -> None:
        """Raw bytes on both sides: the shell encodes."""
        self._records: dict[int, dict[bytes, bytes]] = {}
        self._alone_since: dict[int, float] = {}
        self._written_to: dict[int, int] = {}  # partition → where in the changelog the latest write of our own is
        self._seen_lost_count = 0
        super().__init__(
            app,
            **{
                **kwargs,
                "schema": raw_schema(),
                "key_type": bytes,
                "value_type": bytes,
                "recovery_buffer_size": RECOVERY_BUFFER_BATCHES,
            },
        )

    @property
    def changelog(self) -> str:
        """The name of the changelog's topic."""
        name: str = self.changelog_topic.get_topic_name()
        return name

    def records(self, partition: int) -> dict[bytes, bytes]:
        """What the broker holds of a partition."""
        return self._records.setdefault(partition, {})

    def alone_for_s(self, partition: int) -> float:
        """How long this worker has held the partition without a break, and nobody else was seen to write to it."""
        return monotonic() - self._alone_since.setdefault(partition, monotonic())

    def stored(self, partition: int, writes: Iterable[tuple[bytes, bytes | None, int]]) -> None:
        """Writes of our own are on the broker: key, value and place in the changelog, in order.

        A later recovery of the partition begins behind them, but not behind what somebody else wrote in between, which
        is still to be read then.
        """
        records, tp = self.records(partition), TP(self.changelog, partition)
        offsets = self.app.tables.recovery.active_offsets
        seen = offsets.get(tp)
        last = self._written_to.get(partition)
        for key, value, offset in writes:
            if value is None:
                records.pop(key, None)
            else:
                records[key] = value
            # Between two writes of one writer lies nothing; else an owner of before, who was cut off, writes on.
            if last is not None and offset > last + 1:
                self._alone_since[partition] = monotonic()
            last = offset if last is None else max(last, offset)
            if seen is not None and offset == seen + 1:
                seen = offset
        if last is not None:
            self._written_to[partition] = last
        if seen is not None and self.app.plan.has(Override.ADV) and not self.app.rebalancing:
            offsets[tp] = seen

    # Applies whole batches; Faust decodes and applies one event per record.
    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take what the changelog holds; per key the highest source offset stands (a zombie may have written last).

        A segment has none, and needs none: it never changes, so what begins its bytes is the same in every copy.
        """
        highest_wins = self.app.plan.has(Override.MAX)
        for event in batch:
            table = self.records(event.message.partition)
            for record in event.message.value:
                key, value = record.key, record.value
                if value is None:
                    # A tombstone carries no offset, so it is for what nothing valid names any more: segments that
                    # expired, and entries of `deliver` that are settled, which a renewal deletes once more.
                    table.pop(key, None)
                    continue
                held = table.get(key)
                if highest_wins and held is not None and _OFFSET.unpack_from(held) > _OFFSET.unpack_from(value):
                    continue
                table[key] = value

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget partitions here and in the recovery's ledger: either alone resurrects old values or loses state."""
        for partition in partitions:
            self._records.pop(partition, None)
            self._alone_since.pop(partition, None)
            self._written_to.pop(partition, None)
            self.app.tables.recovery.revoke(TP(self.changelog, partition))

    # Faust keeps what it holds of a partition that went and came back.
    async def on_rebalance(
        self, assigned: set[Any], revoked: set[Any], newly_assigned: set[Any], generation_id: int = 0
    ) -> None:
        """Forget what was moved; all of it when the coordinator had disowned this member."""
        if self.app.plan.has(Override.DROP):
            moved = set(revoked) | set(newly_assigned)
            lost_count = self.app.consumer._thread.lost_count  # noqa: SLF001 - the thread is ours
            if lost_count != self._seen_lost_count:
                # Faust computes `revoked` from its own last assignment, and believes that it kept these.
                self._seen_lost_count = lost_count
                moved |= set(assigned)
            self.drop(tp.partition for tp in moved if tp.topic == self.changelog)
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

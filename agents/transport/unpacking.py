"""What a fetch brought, unpacked whole: records as aiokafka's parser makes them, a batch of the broker's at a time.

aiokafka passes each record through a generator and copies it into a `ConsumerRecord`, which takes as long as all that
a fold does with it. What is left out here is for transactions, which Faust does not read by (`read_uncommitted`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException


class Unpacked:
    """Takes the place of `PartitionRecords` in a fetch's result: what is unpacked of it, and what is not yet."""

    def __init__(self, fetched: PartitionRecords) -> None:
        """`fetched` must not have been begun."""
        self.next_fetch_offset: int = fetched.next_fetch_offset
        self._unpacked_to: int = fetched.next_fetch_offset
        self._place = fetched._tp  # noqa: SLF001 - aiokafka has no public way to what a fetch brought
        self._batches = fetched._records  # noqa: SLF001
        self._check_crcs: bool = fetched._check_crcs  # noqa: SLF001
        self._rest: list[Any] = []

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left to take."""
        return not self._rest and not self._batches.has_next()

    def take(self, count: int) -> list[Any]:
        """The next records, up to `count` of them; `next_fetch_offset` is then where to go on.

        Raises CorruptRecordException, which ends the worker.
        """
        found = self._rest
        while len(found) < count and self._batches.has_next():
            found += self._unpack(self._batches.next_batch())
        found, self._rest = found[:count], found[count:]
        self.next_fetch_offset = found[-1].offset + 1 if self._rest else self._unpacked_to
        return found

    def _unpack(self, batch: Any) -> list[Any]:
        if self._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"Invalid CRC - {self._place}")
        records = [] if batch.is_control_batch else list(batch)
        if records and records[0].offset < self._unpacked_to:  # the broker answers with whole batches
            records = [record for record in records if record.offset >= self._unpacked_to]
        self._unpacked_to = batch.next_offset  # behind what compaction has removed from its end
        return records


class Fetcher(Protocol):
    """aiokafka's, as far as it is needed here."""

    _records: dict[Any, Any]
    _proc_fetch_request: Callable[..., Any]


def unpack_whole(fetcher: Fetcher, is_batched: Callable[[str], bool]) -> None:
    """Have a fetcher's results of these topics unpacked whole, by wrapping the method that puts them down."""
    proceed = fetcher._proc_fetch_request  # noqa: SLF001

    async def proceed_and_replace(*args: Any) -> Any:
        answer = await proceed(*args)
        # Nothing was awaited since they were put down, so nobody has begun one.
        for place, result in fetcher._records.items():  # noqa: SLF001
            if type(result) is FetchResult and is_batched(place.topic):
                _replace(result)
        return answer

    fetcher._proc_fetch_request = proceed_and_replace  # noqa: SLF001


def _replace(result: Any) -> None:
    if type(result._partition_records) is PartitionRecords:  # noqa: SLF001
        result._partition_records = Unpacked(result._partition_records)  # noqa: SLF001
        result.getall = partial(_all_of, result)  # not by a subclass: the fetcher asks for the exact type


def _all_of(result: Any, max_records: int) -> list[Any]:
    """`FetchResult.getall`, of what is unpacked whole."""
    if not result.check_assignment(result._topic_partition) or not result.has_more():  # noqa: SLF001
        return []
    unpacked = result._partition_records  # noqa: SLF001
    found: list[Any] = unpacked.take(max_records)
    result._update_position()  # noqa: SLF001
    if unpacked.is_used_up:
        result._partition_records = None  # noqa: SLF001
    return found

"""What a fetch brought, unpacked whole: the same records as aiokafka's own, whatever is taken at a time."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, FetchError, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from agents.transport.unpacking import unpack_whole

PLACE = TopicPartition("unit.in", 0)
LZ4, ZSTD, NONE = 3, 4, 0
BASE_OFFSET, CRC, ATTRIBUTES, LAST_DELTA = (0, ">q"), (17, ">I"), (21, ">h"), (23, ">i")
APPEND_TIME, CONTROL = 0x08, 0x20


class Batch(NamedTuple):
    """A batch as a log holds it: records at these places from its base on; compaction may have taken the last away."""

    deltas: tuple[int, ...]
    length: int
    codec: int = LZ4
    attributes: int = 0

    def written(self, base: int) -> bytes:
        """Its bytes, the sum over them right."""
        builder = DefaultRecordBatchBuilder(2, self.codec, 0, -1, -1, -1, 1 << 20)
        for delta in self.deltas:
            builder.append(delta, 1_000 + delta, b"k%d" % delta, b"v%d" % base, [("h", b"x")] if delta % 2 else [])
        data = bytearray(builder.build())
        _put(data, BASE_OFFSET, base)
        _put(data, LAST_DELTA, self.length - 1)
        _put(data, ATTRIBUTES, self.codec | self.attributes)
        _put(data, CRC, calc_crc32c(data[ATTRIBUTES[0] :]))
        return bytes(data)


def _put(data: bytearray, place: tuple[int, str], value: int) -> None:
    struct.pack_into(place[1], data, place[0], value)


def log_of(batches: Sequence[Batch]) -> bytes:
    data, base = b"", 100
    for batch in batches:
        data += batch.written(base)
        base += batch.length
    return data


class Partition:
    """What the client remembers of where a partition is read."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.paused = False

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetched(data: bytes, fetch_offset: int, *, check_crcs: bool = True) -> tuple[Any, Partition]:
    """A result of a fetch as aiokafka puts it down, and where the partition is read."""
    state = Partition(fetch_offset)
    assignment = SimpleNamespace(active=True, state_value=lambda _place: state)
    records = PartitionRecords(PLACE, MemoryRecords(data), None, fetch_offset, None, None, check_crcs, READ_UNCOMMITTED)
    return FetchResult(PLACE, assignment=assignment, partition_records=records, backoff=0), state


async def replaced(result: Any, *, topic: str = PLACE.topic) -> None:
    """Put it down in a fetcher whose results of a topic are unpacked whole."""
    fetcher: Any = SimpleNamespace(_records=OrderedDict())

    async def put_down(_assignment: Any, _node: int, _request: Any) -> bool:
        fetcher._records[PLACE] = result
        return True

    fetcher._proc_fetch_request = put_down
    unpack_whole(fetcher, lambda name: name == topic)
    assert await fetcher._proc_fetch_request(None, 1, None) is True


def told(record: Any) -> tuple[Any, ...]:
    return (
        record.offset,
        record.key,
        record.value,
        record.timestamp,
        record.timestamp_type,
        list(record.headers),
    )


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    length = draw(st.integers(1, 6))
    deltas = draw(st.sets(st.integers(0, length - 1)))
    is_control = draw(st.booleans()) and len(deltas) == 1
    attributes = (CONTROL if is_control else 0) | (APPEND_TIME if draw(st.booleans()) else 0)
    return Batch(tuple(sorted(deltas)), length, draw(st.sampled_from([NONE, LZ4, ZSTD])), attributes)


@given(st.lists(batches(), min_size=1, max_size=5), st.data())
async def test_it_holds_what_aiokafka_unpacks_and_no_position_is_ahead_of_what_was_taken(
    log: list[Batch], data: st.DataObject
) -> None:
    end = 100 + sum(batch.length for batch in log)
    fetch_offset = data.draw(st.integers(100, 100 + log[0].length - 1))  # an answer begins with the batch that holds it
    theirs, their_place = fetched(log_of(log), fetch_offset)
    expected = [told(record) for record in theirs.getall(1_000)]
    result, place = fetched(log_of(log), fetch_offset)
    await replaced(result)
    found: list[Any] = []
    while result.has_more():
        before = place.position
        taken = result.getall(data.draw(st.integers(1, 8)))
        found += [told(record) for record in taken]
        left = expected[len(found) :]
        assert before <= place.position
        assert not found or place.position > found[-1][0]
        assert not left or place.position <= left[0][0]
    assert found == expected
    assert place.position == their_place.position == end


async def test_a_batch_whose_bytes_were_changed_on_the_way_is_refused() -> None:
    data = bytearray(log_of([Batch((0, 1), 2, NONE)]))
    data[-3] ^= 1
    result, place = fetched(bytes(data), 100)
    await replaced(result)
    with pytest.raises(CorruptRecordException, match="unit"):
        result.getall(10)
    assert place.position == 100


async def test_of_a_partition_that_was_moved_or_paused_nothing_is_handed_out() -> None:
    result, place = fetched(log_of([Batch((0, 1), 2)]), 100)
    await replaced(result)
    place.position = 50  # somebody has sought
    assert result.getall(10) == []
    assert not result.has_more()


async def test_other_topics_and_errors_stay_as_they_are() -> None:
    result, _ = fetched(log_of([Batch((0,), 1)]), 100)
    await replaced(result, topic="another")
    assert type(result._partition_records) is PartitionRecords
    await replaced(FetchError(error=KafkaError(), backoff=0))

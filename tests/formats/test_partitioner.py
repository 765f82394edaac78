"""Vectors of `org.apache.kafka.common.utils.Utils.murmur2`, and the library's own translation of it."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as library_murmur2
from hypothesis import given
from hypothesis import strategies as st

from sla.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_a_key_hashes_as_in_java(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


@given(st.binary(max_size=40), st.integers(1, 64))
def test_every_key_goes_where_the_library_sends_it(key: bytes, partitions_count: int) -> None:
    assert murmur2(key) == library_murmur2(key) % 2**32
    assert partition_of(key, partitions_count) == (library_murmur2(key) & 0x7FFFFFFF) % partitions_count

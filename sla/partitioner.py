"""Which partition a key belongs to: murmur2 as in Kafka's Java client, which all of Forewarn's producers use."""

from __future__ import annotations

from typing import Final

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_WORD: Final = 0xFFFFFFFF
_POSITIVE: Final = 0x7FFFFFFF


def partition_of(key: bytes, partitions_count: int) -> int:
    """The partition, from 0, of a record with this key."""
    return (murmur2(key) & _POSITIVE) % partitions_count


def murmur2(data: bytes) -> int:
    """The 32-bit hash, unsigned."""
    whole = len(data) & ~3
    digest = _SEED ^ len(data)
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _M & _WORD
        word = (word ^ word >> 24) * _M & _WORD
        digest = (digest * _M & _WORD) ^ word
    rest = data[whole:]
    if rest:
        digest = (digest ^ int.from_bytes(rest, "little")) * _M & _WORD
    digest = (digest ^ digest >> 13) * _M & _WORD
    return digest ^ digest >> 15

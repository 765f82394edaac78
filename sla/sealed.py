"""Buckets that rarely change, packed into bytes: the same bytes in memory, in the table and in the changelog.

Little-endian: the shape, the count of rows, per column first, unit and width of its codes (`sla.columns`), the sums of
total, bad and marked; then the codes, column by column, each of width 1, 2, 4 or 8 (0: codes are 0, 1, 2, …).
Any row can be read where it lies.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from struct import Struct, unpack_from
from typing import Final

from sla.columns import narrow

SHAPE: Final = 1
COLUMNS_COUNT: Final = 5  # start, length, total, bad, marked
_SUMMED: Final = (2, 3, 4)

_HEADER: Final = Struct("<BH" + "qQB" * COLUMNS_COUNT + "qqq")
_FIELDS_BEFORE: Final = 2
_CODE: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}
_LARGEST: Final = ((1, 0xFF), (2, 0xFFFF), (4, 0xFFFFFFFF), (8, 0xFFFFFFFFFFFFFFFF))

Columns = Sequence[Sequence[int]]


class UnknownShape(Exception):  # noqa: N818 - a finding about the state
    """The bytes were packed by another version."""


def seal(columns: Columns) -> Sealed:
    """Pack rows, given by column; there is one at least."""
    fields: list[int] = [SHAPE, len(columns[0])]
    packed: list[bytes] = []
    for values in columns:
        column = narrow(values)
        width = 0
        if column.codes is not None:
            largest = max(column.codes)
            width = next(width for width, limit in _LARGEST if largest <= limit)
            packed.append(array(_CODE[width], column.codes).tobytes())
        fields += (column.first, column.unit, width)
    fields += (sum(columns[number]) for number in _SUMMED)
    return Sealed(_HEADER.pack(*fields) + b"".join(packed))


class Sealed:
    """Packed rows, in order of their starts. See `sla.buckets.Loose` for those that still change."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        """Raises `UnknownShape` for what this version did not pack."""
        if len(data) < _HEADER.size or data[0] != SHAPE:
            raise UnknownShape(f"a segment of shape {data[0] if data else None}, this version reads {SHAPE}")
        self.data = data

    def __len__(self) -> int:
        """How many rows."""
        return self.data[1] | self.data[2] << 8

    def _codes(self, header: Sequence[int], number: int, first: int, last: int) -> tuple[int, int, Sequence[int]]:
        """First, unit and the codes [first, last) of a column."""
        place = _FIELDS_BEFORE + 3 * number
        base, unit, width = header[place : place + 3]
        if width == 0:
            return base, unit, range(first, last)
        at = _HEADER.size + header[1] * sum(header[4:place:3]) + width * first
        if width == 1:
            return base, unit, self.data[at : at + last - first]
        return base, unit, unpack_from(f"<{last - first}{_CODE[width]}", self.data, at)

    @property
    def start(self) -> int:
        """Of its first row, and so the least of all: codes count from it."""
        first: int = _HEADER.unpack_from(self.data)[_FIELDS_BEFORE]
        return first

    def first_from(self, at: int) -> int:
        """The place of the first row that starts at or after an instant."""
        header = _HEADER.unpack_from(self.data)
        count = header[1]
        base, unit, codes = self._codes(header, 0, 0, count)
        if unit == 0:
            return 0 if at <= base else count
        wanted = -((base - at) // unit)
        return min(max(wanted, 0), count) if isinstance(codes, range) else bisect_left(codes, wanted)

    def columns(self, first: int, last: int) -> list[list[int]]:
        """Start, length, total, bad and marked of the rows [first, last)."""
        header = _HEADER.unpack_from(self.data)
        return [_unpacked(*self._codes(header, number, first, last)) for number in range(COLUMNS_COUNT)]

    def totals(self, first: int, last: int) -> tuple[int, int, int]:
        """Total, bad and marked of the rows [first, last), added up."""
        header = _HEADER.unpack_from(self.data)
        if first == 0 and last == header[1]:
            return header[-3], header[-2], header[-1]
        total, bad, marked = [self._sum(header, number, first, last) for number in _SUMMED]
        return total, bad, marked

    def _sum(self, header: Sequence[int], number: int, first: int, last: int) -> int:
        base, unit, codes = self._codes(header, number, first, last)
        return (last - first) * base + (unit and unit * sum(codes))


def _unpacked(base: int, unit: int, codes: Sequence[int]) -> list[int]:
    """`base + unit × code` of each. Starts, lengths and marks are nearly always even, and need no look at each."""
    if unit == 0:
        return [base] * len(codes)
    if isinstance(codes, range):
        return list(range(base + unit * codes.start, base + unit * codes.stop, unit))
    return [base + unit * code for code in codes]

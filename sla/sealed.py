"""Buckets that rarely change, packed into bytes: the same bytes in memory, in the table and in the changelog.

Little-endian: the shape, the count of rows, per column first, unit and width of its codes (`sla.columns`), the sums of
total, bad and marked; then the codes, column by column, each of width 1, 2, 4 or 8 (0: codes are 0, 1, 2, …).
Any row can be read where it lies.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from struct import Struct, calcsize, unpack_from
from typing import Final, Literal

from sla.columns import narrow, spread

SHAPE: Final = 1
COLUMNS_COUNT: Final = 5  # start, length, total, bad, marked
_SUMMED: Final = (2, 3, 4)

_HEADER: Final = Struct("<BH" + "qQB" * COLUMNS_COUNT + "qqq")
_FIELDS_BEFORE: Final = 2
_START: Final = Struct("<q")
_START_AT: Final = calcsize("<BH")
_SUMS: Final = Struct("<qqq")
_SUMS_AT: Final = _HEADER.size - _SUMS.size
_CODE: Final[Mapping[int, Literal["B", "H", "I", "Q"]]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
_LARGEST: Final = ((1, 0xFF), (2, 0xFFFF), (4, 0xFFFFFFFF), (8, 0xFFFFFFFFFFFFFFFF))

Columns = Sequence[Sequence[int]]


class UnknownShape(Exception):  # noqa: N818 - a finding about the state
    """The bytes were packed by another version."""


def seal(columns: Columns) -> Sealed:
    """Pack rows, given by column; there is one at least."""
    fields: list[int] = []
    packed: list[bytes] = []
    for values in (list(each) for each in columns):  # an array would make every number anew at each look
        column = narrow(values)
        width = 0 if column.codes is None else _width_of(max(column.codes))
        packed.append(_packed(column.codes, width))
        fields += (column.first, column.unit, width)
    return _sealed(len(columns[0]), fields, (sum(columns[number]) for number in _SUMMED), packed)


def _sealed(count: int, fields: Sequence[int], sums: Iterable[int], packed: Iterable[bytes]) -> Sealed:
    return Sealed(_HEADER.pack(SHAPE, count, *fields, *sums) + b"".join(packed))


def _width_of(largest: int) -> int:
    return next(width for width, limit in _LARGEST if largest <= limit)


def _packed(codes: Sequence[int] | None, width: int) -> bytes:
    return b"" if codes is None else array(_CODE[width], codes).tobytes()


def _code(codes: bytes, at: int, width: int, row: int) -> int:
    """The code of one row, in a column whose codes begin at a place."""
    if width == 0:
        return row
    place = at + width * row
    return int.from_bytes(codes[place : place + width], "little")


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
        first: int = _START.unpack_from(self.data, _START_AT)[0]
        return first

    def first_from(self, at: int) -> int:
        """The place of the first row that starts at or after an instant."""
        return self._first_from(_HEADER.unpack_from(self.data), at)

    def _first_from(self, header: Sequence[int], at: int) -> int:
        count, base, unit, width = header[1:5]
        if unit == 0:
            return 0 if at <= base else count
        wanted = -((base - at) // unit)
        if width:
            codes = memoryview(self.data)[_HEADER.size : _HEADER.size + width * count].cast(_CODE[width])
            return bisect_left(codes, wanted)
        return 0 if wanted < 0 else min(count, wanted)

    def columns(self, first: int, last: int) -> list[list[int]]:
        """Start, length, total, bad and marked of the rows [first, last)."""
        header = _HEADER.unpack_from(self.data)
        return [spread(*self._codes(header, number, first, last)) for number in range(COLUMNS_COUNT)]

    def totals(self, first: int, last: int) -> tuple[int, int, int]:
        """Total, bad and marked of the rows [first, last), added up."""
        if first == 0 and last == len(self):
            total, bad, marked = _SUMS.unpack_from(self.data, _SUMS_AT)
            return total, bad, marked
        return self._totals(_HEADER.unpack_from(self.data), first, last)

    def between(self, start: int, end: int) -> tuple[int, int, int]:
        """The same of the rows that start in [start, end)."""
        header = _HEADER.unpack_from(self.data)
        return self._totals(header, self._first_from(header, start), self._first_from(header, end))

    def _totals(self, header: Sequence[int], first: int, last: int) -> tuple[int, int, int]:
        if last - first == 1:
            return self._row_totals(header, first)
        if first >= last:
            return 0, 0, 0
        return self._sum(header, 2, first, last), self._sum(header, 3, first, last), self._sum(header, 4, first, last)

    def _row_totals(self, header: Sequence[int], row: int) -> tuple[int, int, int]:
        """Those of one row, which is all that leaves most windows in a minute."""
        data, count = self.data, header[1]
        total, total_unit, total_width, bad, bad_unit, bad_width, marked, marked_unit, marked_width = header[8:17]
        totals_at = _HEADER.size + count * (header[4] + header[7])
        bads_at = totals_at + count * total_width
        return (
            total + total_unit * _code(data, totals_at, total_width, row),
            bad + bad_unit * _code(data, bads_at, bad_width, row),
            marked + marked_unit * _code(data, bads_at + count * bad_width, marked_width, row),
        )

    def behind(self, count: int) -> Sealed | None:
        """The rows behind the first ones, as `seal` would pack them; None where that must look at each anew."""
        header = _HEADER.unpack_from(self.data)
        left_count = header[1] - count
        fields: list[int] = []
        packed: list[bytes] = []
        for number in range(COLUMNS_COUNT):
            base, unit, codes = self._codes(header, number, count, header[1])
            width = header[_FIELDS_BEFORE + 3 * number + 2]
            if width == 0:
                fields += (base + unit * count, unit if left_count > 1 else 0, 0)
                continue
            largest = max(codes)
            if min(codes) or gcd(*codes) != 1 or _width_of(largest) != width or largest == left_count - 1:
                return None
            fields += (base, unit, width)
            packed.append(_packed(codes, width))
        gone = self.totals(0, count)
        return _sealed(left_count, fields, (a - b for a, b in zip(header[-3:], gone, strict=True)), packed)

    def with_more(self, columns: Columns) -> Sealed | None:
        """These and later rows, as `seal` would pack them; None where that must look at each anew."""
        header = _HEADER.unpack_from(self.data)
        old_count = header[1]
        count = old_count + len(columns[0])
        packed: list[bytes] = []
        for number, values in enumerate(columns):
            base, unit, codes = self._codes(header, number, 0, old_count)
            width = header[_FIELDS_BEFORE + 3 * number + 2]
            if width == 0:
                if any(value != base + unit * place for place, value in enumerate(values, old_count)):
                    return None
                continue
            more = [(value - base) // unit for value in values]
            is_whole = unit == 1 or all((value - base) % unit == 0 for value in values)
            if not is_whole or min(more) < 0 or _width_of(max(more)) > width:
                return None
            packed += (_packed(codes, width), _packed(more, width))
        sums = (old + sum(columns[number]) for old, number in zip(header[-3:], _SUMMED, strict=True))
        return _sealed(count, header[_FIELDS_BEFORE:-3], sums, packed)

    def _sum(self, header: Sequence[int], number: int, first: int, last: int) -> int:
        base, unit, codes = self._codes(header, number, first, last)
        return (last - first) * base + (unit and unit * sum(codes))

"""Whole numbers in a column, written small: what rises evenly takes no room, the rest only what its spread needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd
from typing import NamedTuple


class Column(NamedTuple):
    """The numbers `first + unit × code`. `codes` is None where they are 0, 1, 2, … (a unit of 0: all are the first)."""

    first: int
    unit: int
    codes: Sequence[int] | None


def narrow(values: Sequence[int]) -> Column:
    """The column of some numbers."""
    if not values:
        return Column(0, 0, None)
    first, last = min(values), max(values)
    if first == last:
        return Column(first, 0, None)
    above = [value - first for value in values]
    unit = gcd(*above)
    codes = above if unit == 1 else [each // unit for each in above]
    is_even = last - first == unit * (len(codes) - 1) and codes == list(range(len(codes)))
    return Column(first, unit, None if is_even else codes)


def wide(column: Iterable[object], count: int) -> list[int]:
    """The numbers of a column of so many; also of one that has been through JSON."""
    first, unit, codes = Column(*column)  # type: ignore[arg-type]
    return [first + unit * code for code in (range(count) if codes is None else codes)]

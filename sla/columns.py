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


def narrow(values: list[int]) -> Column:
    """The column of some numbers."""
    if not values:
        return Column(0, 0, None)
    first, last = min(values), max(values)
    if first == last:
        return Column(first, 0, None)
    step = values[1] - values[0]  # starts are nearly always even
    # As many as there are to be, first: a range over what lies far apart would fill the memory.
    if step > 0 and last - first == step * (len(values) - 1) and values == list(range(first, last + 1, step)):
        return Column(first, step, None)
    above = [value - first for value in values]
    unit = gcd(*above)
    return Column(first, unit, above if unit == 1 else [each // unit for each in above])


def wide(column: Iterable[object], count: int) -> list[int]:
    """The numbers of a column of so many; also of one that has been through JSON."""
    first, unit, codes = Column(*column)  # type: ignore[arg-type]
    return spread(first, unit, range(count) if codes is None else codes)


def spread(first: int, unit: int, codes: Sequence[int]) -> list[int]:
    """`first + unit × code` of each. Starts, lengths and marks are nearly always even, and need no look at each."""
    if unit == 0:
        return [first] * len(codes)
    if isinstance(codes, range):
        return list(range(first + unit * codes.start, first + unit * codes.stop, unit))
    return [first + unit * code for code in codes]

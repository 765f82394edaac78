"""Conditions over a ticket's fields: values, all/any/not, exists, comparisons. Data, so that two can be compared.

A null field is an absent one. Values compare as JSON: 1 and 1.0 are the same number, neither is true, and text is not
a number. What cannot be compared does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Fields = Mapping[str, Any]
Plain = str | int | float | bool | None


class Relation(StrEnum):
    """How a field's value stands to a number or a text."""

    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field has one of the values; None among them means that it is absent."""

    field: str
    texts: frozenset[str]
    others: tuple[Plain, ...] = ()

    def holds(self, fields: Fields) -> bool:
        """Whether it does."""
        value = fields.get(self.field)
        return value in self.texts if type(value) is str else any(_same(value, each) for each in self.others)

    @property
    def reads(self) -> frozenset[str]:
        """The fields that decide."""
        return frozenset({self.field})


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there, or is not."""

    field: str
    expected: bool

    def holds(self, fields: Fields) -> bool:
        """Whether it is as expected."""
        return (fields.get(self.field) is not None) == self.expected

    @property
    def reads(self) -> frozenset[str]:
        """The fields that decide."""
        return frozenset({self.field})


@dataclass(frozen=True, slots=True)
class Compared:
    """The field is below or above a number, or before or after a text."""

    field: str
    relation: Relation
    operand: str | int | float

    def holds(self, fields: Fields) -> bool:
        """Whether it is; a value of another kind than the operand's is not."""
        value = fields.get(self.field)
        if type(value) is bool or isinstance(value, str) != isinstance(self.operand, str):
            return False
        if not isinstance(value, str | int | float):
            return False
        order = (value > self.operand) - (value < self.operand)  # type: ignore[operator]
        return bool(_ORDERS[self.relation](order))

    @property
    def reads(self) -> frozenset[str]:
        """The fields that decide."""
        return frozenset({self.field})


@dataclass(frozen=True, slots=True)
class All:
    """Every one of them holds; of none, that is so."""

    of: tuple[Condition, ...]

    def holds(self, fields: Fields) -> bool:
        """Whether all do."""
        for each in self.of:  # noqa: SIM110 - asked at every event: a generator would cost more than what it asks
            if not each.holds(fields):
                return False
        return True

    @property
    def reads(self) -> frozenset[str]:
        """The fields that decide."""
        return frozenset().union(*(each.reads for each in self.of))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of them holds; of none, none does."""

    of: tuple[Condition, ...]

    def holds(self, fields: Fields) -> bool:
        """Whether any does."""
        for each in self.of:  # noqa: SIM110 - as in All
            if each.holds(fields):
                return True
        return False

    @property
    def reads(self) -> frozenset[str]:
        """The fields that decide."""
        return frozenset().union(*(each.reads for each in self.of))


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    of: Condition

    def holds(self, fields: Fields) -> bool:
        """Whether it does not."""
        return not self.of.holds(fields)

    @property
    def reads(self) -> frozenset[str]:
        """The fields that decide."""
        return self.of.reads


Condition = OneOf | Exists | Compared | All | AnyOf | Not

NEVER: Final = AnyOf(())

_ORDERS: Final = {
    Relation.LT: lambda order: order < 0,
    Relation.LTE: lambda order: order <= 0,
    Relation.GT: lambda order: order > 0,
    Relation.GTE: lambda order: order >= 0,
}


def _same(value: Any, wanted: Plain) -> bool:
    if type(value) is bool or type(wanted) is bool:
        return value is wanted
    return bool(value == wanted)

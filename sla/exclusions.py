"""The exclusions of a service as a log told of them, append-only, each with the offset it was read at.

An atom reads only those at or below the record being applied, so that a replay after a crash decides as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sla.intervals import Interval
from sla.records import Approval, Category, Exclusion


class InForce(NamedTuple):
    """Exclusions that hold, and when."""

    exclusions: tuple[Exclusion, ...] = ()
    intervals: tuple[Interval, ...] = ()

    @staticmethod
    def of(exclusions: Sequence[Exclusion]) -> InForce:
        """These."""
        return InForce(tuple(exclusions), tuple(each.interval for each in exclusions))


class Exclusions:
    """What was told of one service's exclusions."""

    def __init__(self) -> None:
        self._told: list[tuple[int, Exclusion]] = []

    def __len__(self) -> int:
        """How many records were kept."""
        return len(self._told)

    def add(self, offset: int, exclusion: Exclusion) -> None:
        """Remember one."""
        self._told.append((offset, exclusion._replace(command=None, by=None)))

    def last_of(self, name: str, before: int) -> Exclusion | None:
        """The last word on one of them before an offset."""
        found = [exclusion for at, exclusion in self._told if at < before and exclusion.id == name]
        return found[-1] if found else None

    def live(self, offset: int) -> list[Exclusion]:
        """Those in force at an offset: of each id the last word, if that is `approved`; by start, then id.

        One that ends where it begins, or before any log does, excludes nothing.
        """
        last: dict[str, Exclusion] = {}
        for at, exclusion in self._told:
            if at <= offset:
                last[exclusion.id] = exclusion
        approved = [e for e in last.values() if e.status is Approval.APPROVED and e.interval[0] < e.interval[1]]
        return sorted(approved, key=lambda e: (e.from_at, e.id))

    def forget_before(self, at: int, offset: int) -> None:
        """Drop what ended before an instant, of what was known at an offset.

        After a crash some may be known here that the log tells of again; they are not its past yet.
        """
        needed = {exclusion.id for read_at, exclusion in self._told if exclusion.to_at >= at or read_at > offset}
        self._told = [(read_at, each) for read_at, each in self._told if each.id in needed]

    def to_json(self) -> list[Any]:
        """The state that a restart needs."""
        return [[offset, *exclusion[:-3]] for offset, exclusion in self._told]

    def load(self, told: Iterable[Any]) -> None:
        """Take back what `to_json` gave."""
        for offset, service, name, from_at, to_at, category, status, *rest in told:
            exclusion = Exclusion(service, name, from_at, to_at, Category(category), Approval(status), *rest)
            self._told.append((offset, exclusion))

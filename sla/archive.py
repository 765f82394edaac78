"""Which segments the changelog may hold of an atom, and which of them no head can name any more.

A segment holds one cell as it is from the offset of its version up to the next change of the cell, in every run of the
log. So when a head is written behind such a change, all heads that could still name the segment have lower offsets,
and lose every recovery: then, and not before, it may go. That holds whoever writes, and in which order it arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sla.cells import YOUNG, Cell, segments_in
from sla.dedup import encoded
from sla.ledger import Ledger
from sla.sealed import Sealed


class MissingSegment(LookupError):  # noqa: N818 - a finding about the state
    """A head names a segment that is not there."""


class Turnover(NamedTuple):
    """The segments that a head needs written first, by name, and those that may go once it is written."""

    written: dict[str, bytes]
    expired: list[str]


class Archive:
    """The segments of one atom. A name is `<ledger>/<zone>/<cell>/<version>`."""

    __slots__ = ("_known", "_stood_at")

    def __init__(self) -> None:
        self._known: list[str] = []
        self._stood_at = -1  # the offset of the last head

    def turn_over(self, ledgers: Iterable[tuple[str, Ledger]], offset: int) -> Turnover:
        """Name every cell that changed since the last head; the head of `offset` is written next."""
        versions: dict[str, int] = {}
        written: dict[str, bytes] = {}
        for label, ledger in ledgers:
            for cell in ledger.cells:
                if cell.name.rank == YOUNG.rank:
                    continue
                place = f"{encoded(label)}/{cell.name.rank}/{cell.name.number}"
                if cell.version is None:
                    cell.version = offset
                    written[f"{place}/{offset}"] = cell.seal().data
                versions[place] = cell.version
        expired = [name for name in self._known if self._is_past(name, versions, offset)]
        if written or expired:
            self._known = [name for name in self._known if name not in expired and name not in written]
            self._known += written
        self._stood_at = offset
        return Turnover(written, expired)

    def _is_past(self, name: str, versions: Mapping[str, int], offset: int) -> bool:
        """Whether the cell went or changed behind the version; one that is ahead of the last head has to wait."""
        place, _, version = name.rpartition("/")
        return int(version) <= self._stood_at and versions.get(place, offset) == offset

    def know(self, names: Iterable[str], stood_at: int) -> None:
        """Take back which segments the changelog holds, named by the head of `stood_at` or not."""
        self._known = list(names)
        self._stood_at = stood_at


def cells_of(label: str, runs: Iterable[Sequence[int]], segments: Mapping[str, bytes]) -> list[Cell]:
    """The cells that a ledger's head names.

    Raises `MissingSegment` for a segment that is not there, `sla.sealed.UnknownShape` for one that cannot be read.
    """
    cells: list[Cell] = []
    ledger = encoded(label)
    for cell, version in segments_in(runs):
        name = f"{ledger}/{cell.rank}/{cell.number}/{version}"
        if name not in segments:
            raise MissingSegment(f"segment {name} is named by a head, but the changelog does not hold it")
        cells.append(Cell(cell, Sealed(segments[name]), version))
    return cells

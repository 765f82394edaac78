"""What every fold does with a line, whatever it decides: its log time, dead letters, markers, repeats, numbers.

Time first, then the record. A fold adds what time and each kind of record do to its atoms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from sla.catalogue import Catalogue
from sla.feeds import numbered
from sla.fold import TICK, AtomState, CatalogueReader, Emission, Line
from sla.records import CatalogueMarker, Reason, Rejection, Tick
from sla.storm import DeadLetterRow

Record = TypeVar("Record")
_TICK: Final = Tick()

GAP_MS: Final = 10_000
"""Longer than this between two records of a partition, and nobody was watching."""

DeadLetter = Callable[[Rejection, str, int, Line], Emission]
"""The rejection, its topic, partition and line → the record for the dead-letter topic."""


class Folding(ABC, Generic[Record]):
    """The fold of one partition, but for its atoms; see `sla.fold.Fold` for the contract.

    `decode` reads a line, given the partition's log time after it was read.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        decode: Callable[[Line, int], Record | Tick | CatalogueMarker | Rejection],
        dead_letter: DeadLetter,
        catalogue_reader: CatalogueReader,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self._source = f"forewarn:{topic}/{partition}"
        self._decode = decode
        self._dead_letter = dead_letter
        self._read_catalogue = catalogue_reader
        self._offset = -1
        self._told_up_to = -1  # the highest offset of any atom that was loaded
        self._is_changed = False

    @property
    @abstractmethod
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""

    @property
    @abstractmethod
    def catalogue(self) -> Catalogue:
        """The revision in force."""

    @property
    @abstractmethod
    def _row(self) -> DeadLetterRow:
        """The dead letters in a row."""

    @abstractmethod
    def _advance(self, now: int, offset: int) -> list[Emission]:
        """Go to a log time that is not before the present one: what was due, then what is to be decided."""

    @abstractmethod
    def _apply(self, record: Record, line: Line) -> list[Emission] | Rejection:
        """A record that was read, at the log time of its line; or why it cannot be used after all."""

    @abstractmethod
    def _follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        """Switch to a revision above the one in force."""

    @abstractmethod
    def _load(self, atoms: Sequence[AtomState]) -> int:
        """Take back every atom; the offset of the partition's own head, -1 without one."""

    @abstractmethod
    def _changes(self) -> Iterator[AtomState]:
        """What changed, the own head first; `_offset` says where each stands when it is asked for."""

    @property
    def revision(self) -> int:
        """The revision of the catalogue that this partition follows."""
        return self.catalogue.revision

    def step(self, line: Line) -> list[Emission]:
        """Advance to the line's log time, then apply it."""
        offset, _, value, stamped_at, append_at, _ = line
        if offset <= self._offset:
            return []
        self._offset = offset
        self._is_changed = True
        before = self.now
        now = append_at if append_at is not None else before if before is not None else stamped_at
        if before is not None and now < before:
            now = before
        record = _TICK if value == TICK else self._decode(line, now)
        if append_at is None and isinstance(record, Tick) and stamped_at > now:
            now = stamped_at
        emissions = self._advance(now, offset)
        emissions += self._take(record, line, now)
        if not emissions or offset <= self._told_up_to:
            # An atom is stored after all that was said up to it. Said again it would be numbered otherwise, since the
            # atoms that are ahead are silent now.
            return []
        return numbered(emissions, self._source, offset)

    def _take(self, record: Record | Tick | CatalogueMarker | Rejection, line: Line, now: int) -> list[Emission]:
        if isinstance(record, Tick):
            return []
        if isinstance(record, CatalogueMarker):
            return self._switch(record, line)
        result = record if isinstance(record, Rejection) else self._apply(record, line)
        if isinstance(result, Rejection):
            storm = self._row.take_unusable(self.topic, self.partition, now)
            return [self._dead_letter(result, self.topic, self.partition, line), *storm]
        self._row.end()
        return result

    def _switch(self, marker: CatalogueMarker, line: Line) -> list[Emission]:
        if marker.revision <= self.revision:
            return []
        catalogue = self._read_catalogue(marker.revision, marker.sha256)
        if catalogue is None:
            detail = f"revision {marker.revision} is not in the catalogue, or its hash differs"
            return [self._dead_letter(Rejection(Reason.UNKNOWN_REVISION, detail), self.topic, self.partition, line)]
        return self._follow(catalogue, line.offset)

    def changes(self) -> Iterator[AtomState]:
        """The partition's own head, then the atoms that changed, each as it stands when it is asked for."""
        if self._is_changed:
            self._is_changed = False
            yield from self._changes()

    def take_dirty(self) -> list[AtomState]:
        """All that changed, at once; the partition's own head comes last."""
        taken = list(self.changes())
        return [*taken[1:], *taken[:1]]

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back every atom of this partition, in any order; one may stand ahead of the partition's head.

        Raises `sla.fold.UnknownRevision` when the one in force is not to be had.
        """
        loaded = list(atoms)
        self._told_up_to = max((atom.offset for atom in loaded), default=-1)
        self._offset = self._load(loaded)

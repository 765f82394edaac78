"""`detect`: one partition of `sla.telemetry.v1` in, what must be said about its services out (design.md 2).

Time first, then the record: when the log's time goes from a to b, the timers due in (a, b] run, each at its own
instant, then one decision at the last whole step, then the record is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sla.catalogue import Catalogue
from sla.detect.partition import Partition
from sla.detect.publish import Publisher
from sla.feeds import numbered
from sla.fold import AtomState, CatalogueReader, Emission, Line, LogRecord, ReadPlain
from sla.records import (
    CatalogueMarker,
    Change,
    Exclusion,
    Ignored,
    Measurement,
    Reason,
    Rejection,
    TelemetryRecord,
    Tick,
)

Decode = Callable[[Line, int], TelemetryRecord | Rejection]
"""A line and the log's time after it was read → what it says."""
DeadLetter = Callable[[Rejection, str, int, Line], Emission]
"""The rejection, its topic, partition and line → the record for the dead-letter topic."""

GAP_MS: Final = 10_000
"""Longer than this between two records of a partition, and nobody was watching."""


class Detect:
    """The fold of one partition; see `sla.fold.Fold` for its contract."""

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        cluster: str,
        decode: Decode,
        dead_letter: DeadLetter,
        catalogue_reader: CatalogueReader,
        base: Catalogue,
        gap_ms: int = GAP_MS,
        read_plain: ReadPlain | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self._source = f"forewarn:{topic}/{partition}"
        self._decode = decode
        self._dead_letter = dead_letter
        self._read_catalogue = catalogue_reader
        self._read_plain = read_plain
        publisher = Publisher(cluster, topic, partition)
        self._partition = Partition(topic, partition, publisher, base, max(gap_ms, GAP_MS))
        self._offset = -1
        self._told_up_to = -1  # the highest offset of any atom that was loaded
        self._is_changed = False

    @property
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""
        return self._partition.now

    @property
    def revision(self) -> int:
        """The revision of the catalogue that this partition follows."""
        return self._partition.catalogue.revision

    @property
    def unnamed(self) -> dict[tuple[str, str], int]:
        """Records counted of services and signals that no definition names."""
        return self._partition.unnamed

    def step(self, line: Line) -> list[Emission]:
        """Advance to the line's log time, then apply it."""
        if line.offset <= self._offset:
            return []
        self._offset = line.offset
        self._is_changed = True
        partition = self._partition
        before = partition.now
        now = line.append_at if line.append_at is not None else before if before is not None else line.stamped_at
        if before is not None and now < before:
            now = before
        record = self._decode(line, now)
        if line.append_at is None and isinstance(record, Tick) and line.stamped_at > now:
            now = line.stamped_at
        emissions = partition.advance(now, line.offset)
        if isinstance(record, Rejection):
            emissions.append(self._dead_letter(record, self.topic, self.partition, line))
            emissions += partition.reject()
        elif isinstance(record, CatalogueMarker):
            emissions += self._follow(record, line)
        elif not isinstance(record, Tick):
            partition.accept()
            emissions += self._apply(record, line)
        if not emissions or line.offset <= self._told_up_to:
            # An atom is stored after all that was said up to it. Said again it would be numbered otherwise, since the
            # atoms that are ahead are silent now.
            return []
        return numbered(emissions, self._source, line.offset)

    def skim(self, records: Sequence[LogRecord], start: int) -> int:
        """See `sla.fold.SkimmingFold`: between two decisions most of the traffic is plain counts."""
        if self._read_plain is None or records[start].offset <= self._offset:
            return start
        index = self._partition.skim(records, start, self._read_plain)
        if index > start:
            self._offset = records[index - 1].offset
            self._is_changed = True
        return index

    def _apply(self, record: Measurement | Change | Exclusion | Ignored, line: Line) -> list[Emission]:
        match record:
            case Ignored():
                return []
            case Change() | Exclusion():
                return self._partition.learn(record, line.offset)
            case _:
                return self._partition.measure(record, line)

    def _follow(self, marker: CatalogueMarker, line: Line) -> list[Emission]:
        if marker.revision <= self.revision:
            return []
        catalogue = self._read_catalogue(marker.revision, marker.sha256)
        if catalogue is None:
            detail = f"revision {marker.revision} is not in the catalogue, or its hash differs"
            return [self._dead_letter(Rejection(Reason.UNKNOWN_REVISION, detail), self.topic, self.partition, line)]
        return self._partition.follow(catalogue, line.offset)

    def take_dirty(self) -> list[AtomState]:
        """The atoms that changed since the last call, the partition's own head last."""
        if not self._is_changed:
            return []
        self._is_changed = False
        return self._partition.take_dirty(self._offset)

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back every atom of this partition."""
        loaded = list(atoms)
        self._told_up_to = max((atom.offset for atom in loaded), default=-1)
        self._offset = self._partition.load(loaded, self._read_catalogue)

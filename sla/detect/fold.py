"""`detect`: one partition of `sla.telemetry.v1` in, what must be said about its services out (design.md 2).

Time first, then the record: when the log's time goes from a to b, the timers due in (a, b] run, each at its own
instant, then one decision at the last whole step, then the record is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sla.catalogue import Catalogue
from sla.detect.partition import Partition
from sla.detect.publish import Publisher
from sla.fold import AtomState, CatalogueReader, Emission, Line, LogRecord, ReadPlain
from sla.folding import GAP_MS, DeadLetter, Folding
from sla.orders import ServiceOrder
from sla.records import (
    Change,
    Counts,
    Dependency,
    Exclusion,
    History,
    Ignored,
    Measurement,
    OpenClock,
    Rejection,
    Sample,
    ServiceFact,
    State,
    TelemetryRecord,
)
from sla.storm import DeadLetterRow

Decode = Callable[[Line, int], TelemetryRecord | ServiceOrder | Rejection]
"""A line and the log's time after it was read → what it says."""


class Detect(Folding[Measurement | ServiceFact | ServiceOrder | OpenClock | Ignored]):
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
        super().__init__(topic, partition, decode=decode, dead_letter=dead_letter, catalogue_reader=catalogue_reader)
        self._read_plain = read_plain
        publisher = Publisher(cluster, topic, partition)
        self._partition = Partition(topic, partition, publisher, base, max(gap_ms, GAP_MS))

    @property
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""
        return self._partition.now

    @property
    def catalogue(self) -> Catalogue:
        """The revision in force."""
        return self._partition.catalogue

    @property
    def unnamed(self) -> dict[tuple[str, str], int]:
        """Records counted of services and signals that no definition names."""
        return self._partition.unnamed

    @property
    def _row(self) -> DeadLetterRow:
        return self._partition.row

    def skim(self, records: Sequence[LogRecord], start: int) -> int:
        """See `sla.fold.SkimmingFold`: between two decisions most of the traffic is plain counts."""
        if self._read_plain is None or records[start].offset <= self._offset:
            return start
        index = self._partition.skim(records, start, self._read_plain)
        if index > start:
            self._offset = records[index - 1].offset
            self._is_changed = True
        return index

    def step(self, line: Line) -> list[Emission]:
        """Advance to the line's log time, then apply it."""
        return [*self.pay(), *super().step(line)]

    def step_urgent(self, line: Line) -> list[Emission]:
        """See `sla.fold.DeferringFold`."""
        self._partition.defers = line.offset > self._told_up_to  # else nothing is told, and so nothing is owed
        try:
            return super().step(line)
        finally:
            self._partition.defers = False

    @property
    def owed_count(self) -> int:
        """See `sla.fold.DeferringFold`."""
        return len(self._partition.owing)

    def pay(self, most_count: int | None = None) -> list[Emission]:
        """See `sla.fold.DeferringFold`."""
        owing = self._partition.owing
        return owing.pay(len(owing) if most_count is None else most_count)

    def prepare(self) -> Iterator[None]:
        """See `sla.fold.DeferringFold`."""
        return self._partition.prepare()

    def _advance(self, now: int, offset: int) -> list[Emission]:
        return self._behind_what_it_settled(self._partition.advance(now, offset))

    def _take(self, record: Any, line: Line, now: int) -> list[Emission]:
        return self._behind_what_it_settled(super()._take(record, line, now))

    def _behind_what_it_settled(self, emissions: list[Emission]) -> list[Emission]:
        return [*settled, *emissions] if (settled := self._partition.owing.pay(0)) else emissions

    def _apply(
        self, record: Measurement | ServiceFact | ServiceOrder | OpenClock | Ignored, line: Line
    ) -> list[Emission]:
        match record:
            case Ignored():
                return []
            case OpenClock():
                self._partition.queue(record, line.offset)
                return []
            case Change() | Exclusion() | Dependency():
                return self._partition.learn(record, line.offset)
            case Counts() | Sample() | State() | History():
                return self._partition.measure(record, line)
            case _:
                return self._partition.obey(record, line.offset)

    def _follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        return self._partition.follow(catalogue, offset)

    def _changes(self) -> Iterator[AtomState]:
        if self.owed_count:
            raise RuntimeError("what is owed must be told before the state that implies it is stored")
        return self._partition.changes(lambda: self._offset)

    def _load(self, atoms: Sequence[AtomState]) -> int:
        return self._partition.load(atoms, self._read_catalogue)

"""`clock`: one partition of `sla.tickets.v1` in, what must be said about its tickets' clocks out (design.md 2).

Time first, then the record: when the log's time goes from a to b, what is due in (a, b] is told, each at its own
instant, then what was imported, then the record is applied and speaks for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sla.catalogue import Catalogue
from sla.clock.memory import Memory
from sla.clock.partition import Partition
from sla.clock.publish import Publisher
from sla.fold import AtomState, CatalogueReader, Emission, Line
from sla.folding import GAP_MS, DeadLetter, Folding
from sla.orders import TicketOrder
from sla.records import Exclusion, Rejection, Ticket, TicketsRecord
from sla.storm import DeadLetterRow

Decode = Callable[[Line, int], TicketsRecord | TicketOrder | Rejection]
"""A line and the log's time after it was read → what it says."""


class Clock(Folding[Ticket | Exclusion | TicketOrder]):
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
    ) -> None:
        super().__init__(topic, partition, decode=decode, dead_letter=dead_letter, catalogue_reader=catalogue_reader)
        publisher = Publisher(cluster, topic, partition)
        self._memory = Memory(partition, base)
        self._partition = Partition(topic, partition, publisher, self._memory, max(gap_ms, GAP_MS))

    @property
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""
        return self._memory.now

    @property
    def catalogue(self) -> Catalogue:
        """The revision in force."""
        return self._memory.catalogue

    @property
    def _row(self) -> DeadLetterRow:
        return self._memory.row

    def _advance(self, now: int, offset: int) -> list[Emission]:
        return self._partition.advance(now, offset)

    def _apply(self, record: Ticket | Exclusion | TicketOrder, line: Line) -> list[Emission] | Rejection:
        if isinstance(record, Ticket):
            return self._partition.take(record, line.offset)
        if isinstance(record, Exclusion):
            return self._partition.learn(record, line.offset)
        return self._partition.obey(record, line.offset)

    def _follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        return self._partition.follow(catalogue, offset)

    def _changes(self) -> Iterator[AtomState]:
        return self._partition.changes(lambda: self._offset)

    def _load(self, atoms: Sequence[AtomState]) -> int:
        return self._partition.load(atoms, self._read_catalogue)

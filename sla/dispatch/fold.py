"""`dispatch`: one partition of `sla.notices.v1` in, what each stakeholder is to be told out (design.md 2).

Time first, then the record: when the log's time goes from a to b, what is due in (a, b] is done, each at its own
instant, then the record is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sla.catalogue import Catalogue
from sla.dispatch.partition import Partition
from sla.dispatch.records import Notice, NoticesRecord
from sla.fold import AtomState, CatalogueReader, Emission, Line, UnknownRevision
from sla.folding import DeadLetter, Folding
from sla.orders import NoticesOrder
from sla.records import Rejection
from sla.storm import DeadLetterRow

DecodeNotice = Callable[[Line, int], NoticesRecord | Rejection]
"""A line and the partition's log time after it was read → what it says."""
SenderCatalogue = Callable[[int], Catalogue | None]
"""The catalogue of a notice's sender, by its revision."""

HEAD: Final = "partition"


def _unknown(_revision: int, _sha256: str) -> Catalogue | None:
    return None


class Dispatch(Folding[Notice | NoticesOrder]):
    """The fold of one partition; see `sla.fold.Fold` for its contract.

    `check_repeats=False` is for replay alone, which applies feeds directly and once, and `sender_catalogue` too: there
    nobody writes markers into what is fed, so the revision is that of the senders.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        decode: DecodeNotice,
        dead_letter: DeadLetter,
        catalogue_reader: CatalogueReader = _unknown,
        base: Catalogue | None = None,
        cluster: str = "default",
        check_repeats: bool = True,
        sender_catalogue: SenderCatalogue | None = None,
    ) -> None:
        super().__init__(topic, partition, decode=decode, dead_letter=dead_letter, catalogue_reader=catalogue_reader)
        self._sender_catalogue = sender_catalogue
        self._stakeholders = Partition(partition, base or Catalogue(), cluster, check_repeats=check_repeats)
        self._now: int | None = None
        self._letters = DeadLetterRow()

    @property
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""
        return self._now

    @property
    def catalogue(self) -> Catalogue:
        """The revision in force."""
        return self._stakeholders.catalogue

    @property
    def _row(self) -> DeadLetterRow:
        return self._letters

    def _advance(self, now: int, offset: int) -> list[Emission]:
        before, self._now = self._now, now
        return [] if before is None else self._stakeholders.run_due(now, offset)

    def _apply(self, record: Notice | NoticesOrder, line: Line) -> list[Emission]:
        now = self._now or 0
        if not isinstance(record, Notice):
            return self._stakeholders.command(record, now, line.offset)
        followed = self._follow_sender(record, line.offset)
        return [*followed, *self._stakeholders.notice(record, now, line.offset)]

    def _follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        return self._stakeholders.follow(catalogue, self._now or 0, offset)

    def _follow_sender(self, notice: Notice, offset: int) -> list[Emission]:
        if self._sender_catalogue is None or notice.revision <= self.revision:
            return []
        catalogue = self._sender_catalogue(notice.revision)
        return [] if catalogue is None else self._follow(catalogue, offset)

    # -- state

    def _load(self, atoms: Sequence[AtomState]) -> int:
        offset = -1
        for head in atoms:
            if head.body["type"] == HEAD:
                offset, self._now = head.offset, head.body["now"]
                self._letters = DeadLetterRow(*head.body["row"])
                self._stakeholders.load_head(head.body, self._catalogue_at(head))
        self._stakeholders.load(atom for atom in atoms if atom.body["type"] != HEAD)
        return offset

    def _catalogue_at(self, head: AtomState) -> Catalogue:
        revision = head.body.get("revision", 0)
        if revision == self.revision:
            return self._stakeholders.catalogue
        catalogue = self._read_catalogue(revision, head.body["sha256"])
        if catalogue is None:
            raise UnknownRevision(self.partition, revision)
        return catalogue

    def _changes(self) -> Iterator[AtomState]:
        head = {
            "type": HEAD,
            "topic": self.topic,
            "partition": self.partition,
            "now": self._now,
            "row": [self._row.count, self._row.since_at],
            **self._stakeholders.to_json(),
        }
        yield AtomState(f"{HEAD}/{self.partition}", self._offset, head)
        yield from self._stakeholders.changes(lambda: self._offset)

"""`dispatch`: one partition of `sla.notices.v1` in, what each stakeholder is to be told out (design.md 2).

Time first, then the record: when the log's time goes from a to b, what is due in (a, b] is done, each at its own
instant, then the record is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sla.catalogue import Catalogue
from sla.dispatch.partition import Partition
from sla.dispatch.records import Notice, NoticesRecord
from sla.feeds import numbered
from sla.fold import AtomState, CatalogueReader, Emission, Line
from sla.records import CatalogueMarker, Reason, Rejection, Tick
from sla.storm import DeadLetterRow

DecodeNotice = Callable[[Line, int], NoticesRecord | Rejection]
"""A line and the partition's log time after it was read → what it says."""
DeadLetter = Callable[[Rejection, str, int, Line], Emission]
"""The rejection, its topic, partition and line → the record for the dead-letter topic."""
SenderCatalogue = Callable[[int], Catalogue | None]
"""The catalogue of a notice's sender, by its revision."""

HEAD: Final = "partition"


def _unknown(_revision: int, _sha256: str) -> Catalogue | None:
    return None


class Dispatch:
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
        self.topic = topic
        self.partition = partition
        self._source = f"forewarn:{topic}/{partition}"
        self._decode = decode
        self._dead_letter = dead_letter
        self._read_catalogue = catalogue_reader
        self._sender_catalogue = sender_catalogue
        self._stakeholders = Partition(base or Catalogue(), cluster, check_repeats=check_repeats)
        self._now: int | None = None
        self._offset = -1
        self._told_up_to = -1  # the highest offset of any atom that was loaded
        self._row = DeadLetterRow()

    @property
    def now(self) -> int | None:
        """The partition's log time; None before its first line."""
        return self._now

    @property
    def revision(self) -> int:
        """The revision of the catalogue that this partition follows."""
        return self._stakeholders.catalogue.revision

    def step(self, line: Line) -> list[Emission]:
        """Advance to the line's log time, then apply it."""
        if line.offset <= self._offset:
            return []
        self._offset = line.offset
        before = self._now
        now = line.append_at if line.append_at is not None else before if before is not None else line.stamped_at
        record = self._decode(line, now if before is None else max(now, before))
        if isinstance(record, Tick):
            now = max(now, line.stamped_at)
        self._now = now if before is None else max(now, before)
        emissions = [] if before is None else self._stakeholders.run_due(self._now, line.offset)
        emissions += self._apply(record, line, self._now)
        if line.offset <= self._told_up_to:
            # An atom is stored after all that was said up to it. Said again it would be numbered otherwise, since the
            # atoms that are ahead are silent now.
            return []
        return numbered(emissions, self._source, line.offset)

    def _apply(self, record: NoticesRecord | Rejection, line: Line, now: int) -> list[Emission]:
        match record:
            case Rejection():
                storm = self._row.take_unusable(self.topic, self.partition, now)
                return [self._dead_letter(record, self.topic, self.partition, line), *storm]
            case Tick():
                return []
            case CatalogueMarker():
                return self._follow(record, line, now)
            case Notice():
                self._row.end()
                followed = self._follow_sender(record, now, line.offset)
                return [*followed, *self._stakeholders.notice(record, now, line.offset)]
            case _:
                self._row.end()
                return self._stakeholders.command(record, now, line.offset)

    def _follow(self, marker: CatalogueMarker, line: Line, now: int) -> list[Emission]:
        if marker.revision <= self.revision:
            return []
        catalogue = self._read_catalogue(marker.revision, marker.sha256)
        if catalogue is None:
            detail = f"revision {marker.revision} is not in the catalogue, or its hash differs"
            return [self._dead_letter(Rejection(Reason.UNKNOWN_REVISION, detail), self.topic, self.partition, line)]
        return self._stakeholders.follow(catalogue, now, line.offset)

    def _follow_sender(self, notice: Notice, now: int, offset: int) -> list[Emission]:
        if self._sender_catalogue is None or notice.revision <= self.revision:
            return []
        catalogue = self._sender_catalogue(notice.revision)
        return [] if catalogue is None else self._stakeholders.follow(catalogue, now, offset)

    # -- state

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back stakeholders and head, in any order; a stakeholder may stand ahead of the head.

        Raises LookupError when the revision that was in force is not to be had.
        """
        loaded = list(atoms)
        self._told_up_to = max((atom.offset for atom in loaded), default=-1)
        for head in loaded:
            if head.body["type"] == HEAD:
                self._offset, self._now = head.offset, head.body["now"]
                self._row = DeadLetterRow(*head.body["row"])
                self._stakeholders.load_head(head.body, self._catalogue_at(head))
        self._stakeholders.load(atom for atom in loaded if atom.body["type"] != HEAD)

    def _catalogue_at(self, head: AtomState) -> Catalogue:
        revision = head.body.get("revision", 0)
        if revision == self.revision:
            return self._stakeholders.catalogue
        catalogue = self._read_catalogue(revision, head.body["sha256"])
        if catalogue is None:
            raise LookupError(f"partition {self.partition} follows revision {revision}, which is not there")
        return catalogue

    def take_dirty(self) -> list[AtomState]:
        """The stakeholders that changed, by name, then the partition's head."""
        if self._now is None:
            return []
        states = self._stakeholders.take_dirty(self._offset)
        head = {
            "type": HEAD,
            "topic": self.topic,
            "partition": self.partition,
            "now": self._now,
            "row": [self._row.count, self._row.since_at],
            **self._stakeholders.to_json(),
        }
        return [*states, AtomState(f"{HEAD}/{self.partition}", self._offset, head)]

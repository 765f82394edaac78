"""What a partition remembers, and how it gets into the table and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from sla.catalogue import Catalogue
from sla.detect.codec import SHAPE, check_shape, stream_of, stream_state
from sla.detect.facts import ServiceFacts
from sla.detect.moment import Moment
from sla.detect.stream import Stream
from sla.facts_by_service import FactsByService
from sla.fold import AtomState, CatalogueReader, Json, Offset, UnknownRevision
from sla.intervals import Interval
from sla.queue import Queues
from sla.silences import Silences
from sla.storm import DeadLetterRow
from sla.units import DAY_MS, floor_to

StreamName = tuple[str, str]
"""(service, signal)"""

UNNAMED_MAX: Final = 1_000
FACTS_KEPT_MS: Final = 32 * DAY_MS
"""For services without a stream: one may still begin."""
HEAD: Final = "partition"
STREAM: Final = "stream"


class Memory:
    """The atoms of one partition, and which of them changed since they were last taken."""

    def __init__(self, number: int, base: Catalogue) -> None:
        self._number = number
        self.catalogue = base
        self.now: int | None = None
        self.streams: dict[StreamName, Stream] = {}
        self.gaps: list[Interval] = []
        self.row = DeadLetterRow()
        self.silences = Silences()
        self.queues = Queues()
        self.sequences: dict[str, int] = {}  # of what concerns the whole partition
        self.unnamed: dict[StreamName, int] = {}
        self.dirty: set[StreamName] = set()
        self.facts = FactsByService(ServiceFacts)
        self._strays: dict[str, Mapping[str, bytes]] = {}  # segments of streams that have no head yet

    def begin(self, stream: Stream) -> None:
        """A stream has its first record; a life that a crash has ended may have stored segments of it."""
        self.streams[stream.service, stream.signal] = stream
        stream.archive.know(self._strays.pop(stream.atom_key, ()), stream.offset)

    def moment(self, service: str, at: int, offset: int) -> Moment:
        """What is judged by, of a service at an instant."""
        return Moment(self.catalogue, self.facts.of(service), self.silences, at, self.now or at, offset)

    def forget_facts(self, at: int, offset: int) -> None:
        """Drop the facts that no stream of their service can reach any more."""
        keep_ms: dict[str, int] = {}
        for stream in self.streams.values():
            keep_ms[stream.service] = max(stream.keep_ms, keep_ms.get(stream.service, 0))
        for service, facts in self.facts.known.items():
            if facts.forget_before(at - keep_ms.get(service, FACTS_KEPT_MS), offset):
                self.facts.dirty.add(service)

    def count_unnamed(self, name: StreamName) -> None:
        """A record that no definition names is accepted and counted."""
        if name in self.unnamed or len(self.unnamed) < UNNAMED_MAX:
            self.unnamed[name] = self.unnamed.get(name, 0) + 1

    def changes(self, offset: Offset, leave: Callable[[Stream], None]) -> Iterator[AtomState]:
        """The own head, then the entries that changed: facts before the streams that know them.

        A stream is left before it is taken: whatever still counts into it says so.
        """
        streams = sorted(self.dirty)
        yield AtomState(f"{HEAD}/{self._number}", offset(), self._head_to_json())
        yield from self.facts.changes(offset)
        for name in streams:
            yield from self.facts.changes(offset)
            stream = self.streams[name]
            leave(stream)
            self.dirty.discard(name)
            yield stream_state(stream, offset(), self.now or 0)
        yield from self.queues.changes(offset)

    def _head_to_json(self) -> Json:
        return {
            "shape": SHAPE,
            "now": self.now,
            "revision": self.catalogue.revision,
            "sha256": self.catalogue.sha256,
            "gaps": self.gaps,
            "row": [self.row.count, self.row.since_at],
            "silences": self.silences.to_json(),
            "heard": self.silences.heard,
            "sequences": self.sequences,
            "unnamed": [[*name, count] for name, count in self.unnamed.items()],
        }

    def load(self, atoms: Sequence[AtomState], read_catalogue: CatalogueReader) -> int:
        """Take back the table's entries; returns the offset that the whole partition stands at.

        Raises `UnknownRevision` when the one in force is not to be had, `MissingSegment` for a segment that is not,
        `UnknownShape` for what another version wrote.
        """
        head = next((atom for atom in atoms if atom.key.startswith(f"{HEAD}/")), None)
        if head is not None:
            self._load_head(head, read_catalogue)
        others = [atom for atom in atoms if not self.facts.load(atom)]
        for atom in others:
            if atom.key.startswith(f"{STREAM}/"):
                if not atom.body:
                    self._strays[atom.key] = atom.segments
                    continue
                exclusions = self.facts.of(atom.body["service"]).live(atom.offset)
                catalogue = self._at(atom.body, read_catalogue)
                stream = stream_of(atom, catalogue, exclusions)
                self._catch_up(stream, atom)
                self.streams[stream.service, stream.signal] = stream
        self.queues.load(atoms)
        return -1 if head is None else head.offset

    def _catch_up(self, stream: Stream, atom: AtomState) -> None:
        """Decisions that only let time pass write no entry; what they counted is counted again."""
        if self.now is not None:
            decided_at = floor_to(self.now, self.catalogue.decide_every_ms)
            if decided_at > atom.body["now"]:
                stream.settle(decided_at)

    def _at(self, body: Json, read_catalogue: CatalogueReader) -> Catalogue:
        """The revision that an entry was written under: a stream may be ahead of its partition's head."""
        revision = body["revision"]
        if revision == self.catalogue.revision:
            return self.catalogue
        catalogue = read_catalogue(revision, body["sha256"])
        if catalogue is None:
            raise UnknownRevision(self._number, revision)
        return catalogue

    def _load_head(self, head: AtomState, read_catalogue: CatalogueReader) -> None:
        body = head.body
        check_shape(head)
        self.catalogue = self._at(body, read_catalogue)
        self.now = body["now"]
        self.gaps = [(a, b) for a, b in body["gaps"]]
        self.row = DeadLetterRow(*body["row"])
        self.silences.load(body["silences"], body["heard"])
        self.sequences = dict(body.get("sequences", {}))
        self.unnamed = {(service, signal): count for service, signal, count in body["unnamed"]}

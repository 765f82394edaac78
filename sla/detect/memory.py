"""What a partition remembers, and how it gets into the table and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sla.catalogue import Catalogue
from sla.detect.codec import SHAPE, stream_from_json, stream_to_json
from sla.detect.facts import ServiceFacts
from sla.detect.stream import Stream
from sla.fold import AtomState, CatalogueReader
from sla.intervals import Interval

StreamName = tuple[str, str]
"""(service, signal)"""

UNNAMED_MAX: Final = 1_000
HEAD: Final = "partition"
FACTS: Final = "facts"
STREAM: Final = "stream"


class Memory:
    """The atoms of one partition, and which of them changed since they were last taken."""

    def __init__(self, number: int, base: Catalogue) -> None:
        self._number = number
        self.catalogue = base
        self.now: int | None = None
        self.streams: dict[StreamName, Stream] = {}
        self.gaps: list[Interval] = []
        self.retired: dict[str, list[Any]] = {}  # dedup key → [sequences, episode, opened_at] of what was removed
        self.unnamed: dict[StreamName, int] = {}
        self.dirty: set[StreamName] = set()
        self.dirty_facts: set[str] = set()
        self.fact_offsets: dict[str, int] = {}  # where a service's facts stood when they were loaded
        self._facts: dict[str, ServiceFacts] = {}

    def facts_of(self, service: str) -> ServiceFacts:
        """The facts about a service, none at first."""
        return self._facts.setdefault(service, ServiceFacts())

    def forget_facts_before(self, at: int) -> None:
        """Drop the facts that nothing can reach any more."""
        for service, facts in self._facts.items():
            if facts.forget_before(at):
                self.dirty_facts.add(service)

    def count_unnamed(self, name: StreamName) -> None:
        """A record that no definition names is accepted and counted."""
        if name in self.unnamed or len(self.unnamed) < UNNAMED_MAX:
            self.unnamed[name] = self.unnamed.get(name, 0) + 1

    def take_dirty(self, offset: int) -> list[AtomState]:
        """The table entries that changed, and the partition's own head last."""
        atoms = [
            AtomState(self.streams[name].atom_key, offset, stream_to_json(self.streams[name], self.now or 0))
            for name in sorted(self.dirty)
        ]
        atoms += [
            AtomState(f"{FACTS}/{service}", offset, {"service": service, **self._facts[service].to_json()})
            for service in sorted(self.dirty_facts)
        ]
        self.dirty.clear()
        self.dirty_facts.clear()
        head = {
            "shape": SHAPE,
            "now": self.now,
            "revision": self.catalogue.revision,
            "sha256": self.catalogue.sha256,
            "gaps": self.gaps,
            "retired": self.retired,
            "unnamed": [[*name, count] for name, count in self.unnamed.items()],
        }
        atoms.append(AtomState(f"{HEAD}/{self._number}", offset, head))
        return atoms

    def load(self, atoms: Sequence[AtomState], read_catalogue: CatalogueReader) -> int:
        """Take back the table's entries; returns the offset that the whole partition stands at.

        Raises LookupError when the revision that was in force is not to be had.
        """
        head = next((atom for atom in atoms if atom.key.startswith(f"{HEAD}/")), None)
        if head is not None:
            self._load_head(head, read_catalogue)
        for atom in atoms:
            if atom.key.startswith(f"{FACTS}/"):
                self.fact_offsets[atom.body["service"]] = atom.offset
                self.facts_of(atom.body["service"]).load(atom.body)
        for atom in atoms:
            if atom.key.startswith(f"{STREAM}/"):
                exclusions = self.facts_of(atom.body["service"]).live(atom.offset)
                stream = stream_from_json(atom.body, atom.offset, self.catalogue, exclusions)
                stream.set_gaps(self.gaps)
                self.streams[stream.service, stream.signal] = stream
        return -1 if head is None else head.offset

    def _load_head(self, head: AtomState, read_catalogue: CatalogueReader) -> None:
        body = head.body
        if body["revision"]:
            catalogue = read_catalogue(body["revision"], body["sha256"])
            if catalogue is None:
                raise LookupError(f"partition {self._number} follows revision {body['revision']}, which is not there")
            self.catalogue = catalogue
        self.now = body["now"]
        self.gaps = [(a, b) for a, b in body["gaps"]]
        self.retired = dict(body["retired"])
        self.unnamed = {(service, signal): count for service, signal, count in body["unnamed"]}

"""The table of one partition, as a changelog leaves it; a flush that is cut short writes its first records alone."""

from __future__ import annotations

from collections.abc import Iterable

from agents.changelog import Writing, atoms_of, is_segment
from agents.transport import unpack
from sla.fold import AtomState


class Table:
    """Per key the highest source offset stands; segments that expired go behind the heads."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}

    def write(self, atoms: Iterable[AtomState], reached: int | None = None) -> None:
        """So many records of a flush arrive (None: all)."""
        writing = Writing()
        writing.add(atoms)
        for key, value in [*writing.segments.items(), *writing.heads.items()][:reached]:
            assert value is not None
            held = self.records.get(key)
            if held is None or is_segment(key) or unpack(held)[0] <= unpack(value)[0]:
                self.records[key] = value
        if reached is None:
            for key in writing.expired:
                self.records.pop(key, None)

    def atoms(self) -> list[AtomState]:
        """What a restart finds."""
        return atoms_of(self.records)

    @property
    def segments_count(self) -> int:
        return sum(is_segment(key) for key in self.records)

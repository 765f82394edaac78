"""An atom in the changelog: one record for its head, and one for each segment that the head names.

`<atom>` → source offset (8 bytes, big-endian) and the head as JSON; `<atom>`, the byte FF, `<segment>` → the segment's
bytes. No UTF-8 text holds an FF, so whatever atoms are named after, none is taken for a segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import orjson

from agents.port import TableWrite
from agents.transport import pack, unpack
from sla.fold import AtomState

_MARK: Final = b"\xff"
SOURCE_ID: Final = _MARK + b"source"
"""The key of the id of the topic that the offsets are of, kept like a segment: an atom has a name."""

Heads = dict[bytes, bytes | None]
"""By key, in the order of writing. None deletes."""


def segment_key(atom: str, name: str) -> bytes:
    """The key of an atom's segment."""
    return atom.encode() + _MARK + name.encode()


def is_segment(key: bytes) -> bool:
    """Whether a record holds a segment, and not a head."""
    return _MARK in key


def parts_of(key: bytes) -> tuple[str, str | None]:
    """The atom that a record belongs to, and the name of the segment; None for a head."""
    atom, mark, name = key.partition(_MARK)
    return atom.decode(), name.decode() if mark else None


def atoms_of(table: Mapping[bytes, bytes]) -> list[AtomState]:
    """The atoms that a partition of the changelog holds; each has all of its segments, named by its head or not."""
    segments: dict[str, dict[str, bytes]] = {}
    heads: dict[str, bytes] = {}
    for key, value in table.items():
        if key == SOURCE_ID:
            continue
        atom, name = parts_of(key)
        if name is None:
            heads[atom] = value
        else:
            segments.setdefault(atom, {})[name] = value
    atoms = []
    for atom, head in heads.items():
        offset, body = unpack(head)
        atoms.append(AtomState(atom, offset, orjson.loads(body), segments.pop(atom, {})))
    return [*atoms, *(AtomState(atom, -1, {}, found) for atom, found in segments.items())]


@dataclass(slots=True)
class Writing:
    """What a partition has to write: segments, then heads, then its own; then what expired is deleted.

    `coming` is what has still to be asked for and serialised.
    """

    segments: dict[bytes, bytes] = field(default_factory=dict)
    heads: Heads = field(default_factory=dict)
    own: Heads = field(default_factory=dict)  # the one that makes the others valid, if it changed
    expired: set[bytes] = field(default_factory=set)
    coming: Iterator[AtomState] = field(default_factory=lambda: iter(()))

    @classmethod
    def begun(cls, changes: Iterator[AtomState]) -> Writing:
        """Take the partition's own head, which a fold gives first, as it stands now; the atoms are still to come."""
        writing = cls(coming=changes)
        for own in islice(changes, 1):
            writing.own[own.key.encode()] = pack(own.offset, orjson.dumps(own.body))
        return writing

    def add(self, atoms: Iterable[AtomState]) -> None:
        """Take what a fold has given: it is serialised now."""
        for key, offset, body, segments, expired in atoms:
            for name, content in segments.items():
                self.segments[segment_key(key, name)] = content
            self.expired.update(segment_key(key, name) for name in expired)
            self.heads[key.encode()] = pack(offset, orjson.dumps(body))

    def follow(self, later: Writing) -> None:
        """Take what came after this was held back; its heads take the place of earlier ones, and come last."""
        self.segments |= later.segments
        self.heads = {key: head for key, head in self.heads.items() if key not in later.heads} | later.heads
        self.own |= later.own
        self.expired |= later.expired


def stages(taken: Mapping[int, Writing]) -> Iterable[list[TableWrite]]:
    """What partitions write, each stage waited for before the next: segments, heads, the partitions' own heads."""
    yield [(at, key, content) for at, each in taken.items() for key, content in each.segments.items()]
    yield [(at, key, head) for at, each in taken.items() for key, head in each.heads.items()]
    yield [(at, key, head) for at, each in taken.items() for key, head in each.own.items()]

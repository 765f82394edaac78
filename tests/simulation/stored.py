"""State: what a changelog holds of it after a recovery, and what a fold has of it, in a form that can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from agents.changelog import atoms_of
from agents.transport import unpack
from sla.clock import Clock
from sla.detect import Detect
from sla.dispatch import Dispatch
from sla.fold import AtomState, Fold
from tests.simulation.broker import Record


def heads(log: Iterable[Record]) -> list[AtomState]:
    """What a changelog holds: of each atom the head with the highest source offset, and all of its segments."""
    return atoms_of(table(log))


def table(log: Iterable[Record]) -> dict[bytes, bytes]:
    """A changelog as a recovery reads it."""
    found: dict[bytes, bytes] = {}
    for record in log:
        key, value = record.key or b"", record.value
        if value is None:
            found.pop(key, None)
        elif key not in found or unpack(found[key])[0] <= unpack(value)[0]:
            found[key] = value
    return found


def dump(fold: Fold) -> bytes:
    """The whole state of a fold."""
    if isinstance(fold, Dispatch):
        fold._stakeholders._dirty = set(fold._stakeholders._atoms)
    elif isinstance(fold, Clock):
        tickets = fold._partition._memory
        tickets.dirty = set(tickets.tickets)
        tickets.facts.dirty = set(tickets.facts.known)
        fold._is_changed = True
    elif isinstance(fold, Detect):
        memory = fold._partition._memory
        memory.dirty = set(memory.streams)
        memory.facts.dirty = set(memory.facts.known)
        fold._is_changed = True
    atoms = {atom.key: {**_due(atom.body, fold.now or 0), "rows": _rows(fold, atom.key)} for atom in fold.take_dirty()}
    return orjson.dumps([*atoms.items()], option=orjson.OPT_SORT_KEYS)


def _rows(fold: Fold, key: str) -> list[Any]:
    """The counts of a stream: heads name the segments that hold them, by versions that depend on when was flushed."""
    streams = fold._partition._memory.streams.values() if isinstance(fold, Detect) else ()
    found = next((stream for stream in streams if stream.atom_key == key), None)
    return (
        [] if found is None else [[label, [list(row) for row in ledger.rows()]] for label, ledger in found.labelled()]
    )


def _due(body: Any, now: int) -> Any:
    """Without the names of segments, and the cuts to come: a fold notes those of the next days when it is made."""
    if not isinstance(body, dict):
        return body
    return {
        name: [at for at in value if at <= now] if name == "cuts" else _due(value, now)
        for name, value in body.items()
        if name != "segments"
    }

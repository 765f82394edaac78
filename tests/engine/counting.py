"""A fold small enough to have an oracle in two lines, and the role that runs it in a real worker process.

Per key it counts records and adds up their values; every tenth record of a key is an event with a deterministic id.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator

import orjson

from agents.app import run
from agents.role import Context, FoldRole
from agents.settings import read
from agents.shell import MakeFold
from agents.transport import ALL, Override
from sla.fold import AtomState, Emission, Line

EVERY = 10
HEAD = "@partition"
SLOW_S = float(os.environ.get("COUNTING_SLOW_S", "0"))  # per 50 records: keeps the agent's queue full


_WORK = threading.Event()  # never set: stands for work


class Counting:
    """See the module. The atom is a key; the partition's head holds the last offset and the log time."""

    def __init__(self, topic: str, partition: int, out: str) -> None:
        self.topic = topic
        self.partition = partition
        self._out = out
        self._now: int | None = None
        self._offset = -1
        self._atoms: dict[str, list[int]] = {}  # key → offset, count, sum
        self._dirty: set[str] = set()

    def load(self, atoms: Iterable[AtomState]) -> None:
        for atom in atoms:
            if atom.key == HEAD:
                self._offset, self._now = atom.offset, atom.body["now"]
            else:
                self._atoms[atom.key] = [atom.offset, atom.body["count"], atom.body["sum"]]

    def step(self, line: Line) -> list[Emission]:
        if SLOW_S and line.offset % 50 == 0:
            _WORK.wait(SLOW_S)
        if line.append_at is not None:
            self._now = max(self._now or 0, line.append_at)
        if line.offset > self._offset:
            self._offset = line.offset
            self._dirty.add(HEAD)
        if not line.key or line.value is None:
            return []
        key = line.key.decode()
        atom = self._atoms.setdefault(key, [-1, 0, 0])
        if line.offset <= atom[0]:
            return []
        atom[0] = line.offset
        atom[1] += 1
        atom[2] += orjson.loads(line.value)["value"]
        self._dirty.add(key)
        return [Emission(self._out, key, {"id": f"{key}:{atom[1]}"})] if atom[1] % EVERY == 0 else []

    def changes(self) -> Iterator[AtomState]:
        dirty, self._dirty = self._dirty, set()
        if dirty:
            yield AtomState(HEAD, self._offset, {"now": self._now})
        for key in sorted(dirty - {HEAD}):
            self._dirty.discard(key)
            yield AtomState(key, self._atoms[key][0], {"count": self._atoms[key][1], "sum": self._atoms[key][2]})

    @property
    def now(self) -> int | None:
        return self._now


def role(name: str) -> FoldRole:
    """The counting role, all of its topics named after it."""

    def make_fold(_context: Context) -> MakeFold:
        return lambda topic, partition: Counting(topic, partition, f"{name}.out")

    return FoldRole(name=name, source=f"{name}.in", writes=(f"{name}.out",), key_field="key", make_fold=make_fold)


if __name__ == "__main__":
    switched_off = {Override(name) for name in os.environ.get("COUNTING_WITHOUT", "").split(",") if name}
    sys.exit(run(read(), role(os.environ["COUNTING_NAME"]), overrides=ALL - switched_off))

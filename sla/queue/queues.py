"""The queues of one partition: which queue a clock is in, and what is said of each at whole minutes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sla.catalogue import Catalogue
from sla.feeds import is_repeat
from sla.fold import AtomState, Emission
from sla.queue.queue import Queue, QueueName, Told
from sla.queue.report import publish
from sla.records import OpenClock

QUEUE: Final = "queue"


class Queues:
    """Atoms by name. A queue whose table entry was written behind the line before a crash is passed over."""

    def __init__(self) -> None:
        self._queues: dict[QueueName, Queue] = {}
        self._of_objective: dict[tuple[str, str], dict[QueueName, Queue]] = {}
        self._dirty: set[QueueName] = set()

    def take(self, clock: OpenClock, now: int, offset: int) -> None:
        """What the fold of tickets tells of a clock; one that has changed its team or priority changes its queue."""
        own = QueueName(clock.service, clock.objective, clock.team, clock.priority)
        self._add(own)
        for name, queue in self._of_objective[own[:2]].items():
            is_concerned = name == own or clock.ticket in queue.open
            if not is_concerned or queue.offset >= offset or is_repeat(queue.sequences, clock.feed):
                continue
            if name == own:
                queue.take(clock, now)
            else:
                queue.leave(clock.ticket)
            self._dirty.add(name)

    def _add(self, name: QueueName, queue: Queue | None = None) -> None:
        if name not in self._queues:
            found = queue or Queue(name)
            self._queues[name] = self._of_objective.setdefault(name[:2], {})[name] = found

    def forecast(self, cluster: str, catalogue: Catalogue, at: int, now: int, offset: int) -> list[Emission]:
        """At a whole minute: what is news of each queue, by name."""
        emissions: list[Emission] = []
        for queue in self._busy():
            outlook = None if queue.offset >= offset else queue.outlook(at)
            if outlook is None or not queue.is_news(outlook.quantile(50), at):
                continue
            emissions += publish(cluster, catalogue, queue, outlook, at, now)
            queue.told = Told(outlook.quantile(50), at)
            self._dirty.add(queue.name)
        return emissions

    def _busy(self) -> Iterator[Queue]:
        busy = (queue for queue in self._queues.values() if not queue.is_idle)
        return iter(sorted(busy, key=lambda queue: tuple(part or "" for part in queue.name)))

    # -- state

    def take_dirty(self, offset: int) -> list[AtomState]:
        """The table entries that changed since the last call."""
        dirty = sorted(self._dirty, key=_atom_key)
        self._dirty.clear()
        return [AtomState(_atom_key(name), offset, self._queues[name].to_json()) for name in dirty]

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back every queue among the table's entries."""
        for atom in atoms:
            if atom.key.startswith(f"{QUEUE}/"):
                queue = Queue.from_json(atom.body, atom.offset)
                self._add(queue.name, queue)


def _atom_key(name: QueueName) -> str:
    # A missing team is not a team of that name.
    return "/".join([QUEUE, *(repr(part) for part in name)])

"""The queues of one partition: which queue a clock is in, and what is said of each at whole minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from sla.catalogue import Catalogue
from sla.feeds import is_repeat
from sla.fold import AtomState, Emission, Offset
from sla.queue.queue import Queue, QueueName, Told
from sla.queue.report import publish
from sla.records import OpenClock

QUEUE: Final = "queue"
QUEUES_MAX: Final = 1_000
"""Of one objective: teams and priorities are what the tickets say they are."""
OTHER: Final = "__other__"


class Queues:
    """Atoms by name. A queue whose table entry was written behind the line before a crash is passed over."""

    def __init__(self) -> None:
        self._queues: dict[QueueName, Queue] = {}
        self._counts: Counter[tuple[str, str]] = Counter()  # of the queues of an objective
        # Where a ticket is. After a crash one of two queues may stand ahead of the change that moved it.
        self._places: dict[tuple[str, str, str], set[QueueName]] = {}
        self._dirty: set[QueueName] = set()

    def take(self, clock: OpenClock, now: int, offset: int) -> None:
        """What the fold of tickets tells of a clock; one that has changed its team or priority changes its queue."""
        own = self._own(clock)
        ticket = (clock.service, clock.objective, clock.ticket)
        places = self._places.setdefault(ticket, set())
        for name in sorted({own, *places}, key=_atom_key):
            queue = self._queues[name]
            if queue.offset >= offset or is_repeat(queue.sequences, clock.feed):
                continue
            if name == own:
                queue.take(clock, now)
            else:
                queue.leave(clock.ticket)
            (places.add if clock.ticket in queue.open else places.discard)(name)
            self._dirty.add(name)
        if not places:
            del self._places[ticket]

    def _own(self, clock: OpenClock) -> QueueName:
        """The queue that a clock belongs into; one more than an objective may have is that of all others."""
        objective = (clock.service, clock.objective)
        name = QueueName(*objective, clock.team, clock.priority)
        if name not in self._queues:
            if self._counts[objective] >= QUEUES_MAX:
                name = QueueName(*objective, OTHER, OTHER)
            if name not in self._queues:
                self._add(Queue(name))
        return name

    def _add(self, queue: Queue) -> None:
        self._queues[queue.name] = queue
        self._counts[queue.name[:2]] += 1
        for ticket in queue.open:
            self._places.setdefault((*queue.name[:2], ticket), set()).add(queue.name)

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
        return iter(sorted(busy, key=lambda queue: _atom_key(queue.name)))

    # -- state

    def changes(self, offset: Offset) -> Iterator[AtomState]:
        """The table entries that changed since they were last taken."""
        for name in sorted(self._dirty, key=_atom_key):
            self._dirty.discard(name)
            yield AtomState(_atom_key(name), offset(), self._queues[name].to_json())

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back every queue among the table's entries."""
        for atom in atoms:
            if atom.key.startswith(f"{QUEUE}/"):
                self._add(Queue.from_json(atom.body, atom.offset))


def _atom_key(name: QueueName) -> str:
    # A missing team is not a team of that name.
    return "/".join([QUEUE, *(repr(part) for part in name)])

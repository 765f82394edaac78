"""What a role is: the topic it reads, and what it makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agents.catalogue import CatalogueLog, LiveCatalogue
from agents.log_clock import LogClock
from agents.metrics import Metrics
from agents.port import Port
from agents.settings import Settings
from agents.shell import MakeFold
from agents.storm import StormWatch
from agents.transport import Flusher
from schemas import topics
from sla.fold import Fold


@dataclass(frozen=True, slots=True)
class Context:
    """What the composition root hands to a role."""

    settings: Settings
    metrics: Metrics
    clock: LogClock
    catalogue: LiveCatalogue | None
    storm: StormWatch


class Work(Protocol):
    """A role without a fold: what it does with a batch."""

    async def start(self, port: Port) -> None:
        """Connect; raises `agents.preflight.Refusal` when it cannot."""
        ...

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Do the work of a batch; on return it may be acknowledged. An exception ends the worker."""
        ...

    def forget(self) -> None:
        """All partitions have been revoked."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


class KeepingWork(Work, Flusher, Protocol):
    """Work that keeps in its role's table what it has not finished."""

    async def run(self, owned: Callable[[], frozenset[int]]) -> None:
        """Go on with what is kept, until cancelled. `owned` names the partitions to write to now, if any.

        An exception ends the worker.
        """
        ...


@dataclass(frozen=True, slots=True)
class FoldRole:
    """A role that runs a fold: it has state, ticks and, with `revision_of`, the catalogue's markers.

    `key_field` is the field of a body that repeats the record's key.
    """

    name: str
    source: str
    writes: tuple[str, ...]
    key_field: str
    make_fold: Callable[[Context], MakeFold]
    revision_of: Callable[[Fold], int] | None = None
    catalogue_log: Callable[[], CatalogueLog] | None = None


@dataclass(frozen=True, slots=True)
class WorkRole:
    """A role that acts on records, without state of its own."""

    name: str
    source: str
    writes: tuple[str, ...]
    make_work: Callable[[Context], Work]
    from_beginning: bool = False  # reads its compacted topic anew at each start; no offset counts


@dataclass(frozen=True, slots=True)
class KeepingRole:
    """A role that acts on records and keeps what it has not finished in a table."""

    name: str
    source: str
    writes: tuple[str, ...]
    make_work: Callable[[Context], KeepingWork]


Role = FoldRole | WorkRole | KeepingRole
Handle = Callable[[int, Sequence[Any]], Awaitable[None]]


def changelog_of(role: Role) -> str | None:
    """The topic that holds the role's state; None for a role without."""
    return None if isinstance(role, WorkRole) else topics.changelog_of(role.name)


def written_by(name: str) -> tuple[str, ...]:
    """The topics that a role writes, as `schemas.topics` declares them."""
    return tuple(topic.name for topic in topics.ALL if name in topic.writers)

"""The shell: runs any fold on Kafka. Batch of one partition → lines → step → emissions → state → acknowledgement.

In which order that reaches the broker is told in `agents/heads.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Protocol

from agents.changelog import Writing, atoms_of
from agents.heads import HeadStore
from agents.metrics import Metric, Metrics
from agents.outbox import Outbox
from agents.pace import Pace, within
from agents.port import Port
from agents.process import uncollected
from agents.routing import Place, marker, misplaced, own_type
from agents.storm import StormWatch
from agents.transport import Write
from schemas.topics import CATALOGUE
from sla.archive import MissingSegment
from sla.fold import (
    APPEND_TIME,
    AtomState,
    DeferringFold,
    Emission,
    Fold,
    Line,
    LogRecord,
    SkimmingFold,
    UnknownRevision,
)
from sla.sealed import UnknownShape

log = logging.getLogger("forewarn.shell")

HOME_KEYS_MAX: Final = 100_000
PAID_AT_ONCE: Final = 8
"""Of so many atoms is told what they owe, before others have their turn: some milliseconds of work."""
SETTLED_WITHIN_S: Final = 5.0
"""A flush waits so long for gaps: with what it holds it is to end well before `consumer.FLUSH_WITHIN_S`."""
PREPARED_EVERY_S: Final = 2.0
"""Seldom enough to cost nothing where nothing is to be done; a stream's first minute takes longer to come."""

MakeFold = Callable[[str, int], Fold]
Skim = Callable[[Sequence[LogRecord], int], int]


class StateUnreadable(Exception):  # noqa: N818 - a finding about the changelog
    """The stored state is in a shape that this version does not read, or not all there."""


class Revisions(Protocol):
    """The catalogue's reader, as far as the shell waits for it."""

    async def reach(self, revision: int) -> None:
        """Return once the catalogue's log was read up to a revision, or ends before it."""
        ...


@dataclass(slots=True)
class _Partition:
    fold: Fold
    home_keys: set[bytes]  # keys known to belong here: hashing each record's key costs more than stepping it
    skim: Skim | None
    step: Callable[[Line], list[Emission]]
    owing: DeferringFold | None  # the fold, where it may tell some things later

    @property
    def owed_count(self) -> int:
        """How many atoms owe something."""
        return 0 if self.owing is None else self.owing.owed_count

    def pay(self, most_count: int | None = None) -> list[Emission]:
        """What is owed, of so many atoms at most."""
        return [] if self.owing is None else self.owing.pay(most_count)

    def prepare(self) -> Iterator[None]:
        """Work ahead."""
        return iter(()) if self.owing is None else self.owing.prepare()


@dataclass(slots=True)
class Activity:
    """What the ticker asks about a partition. `data_at` is on the monotonic clock."""

    data_at: float | None = None
    append_time: bool | None = None  # None: nothing was read yet


def line_of(record: Any) -> Line:
    """A Kafka record as the folds see it; only the broker's own stamp moves time."""
    stamped_at = record.timestamp
    return Line(
        record.offset,
        record.key,
        record.value,
        stamped_at,
        stamped_at if record.timestamp_type == APPEND_TIME else None,
        record.headers,
    )


class Shell:
    """The folds of all partitions that this worker holds of one topic. See `agents.transport.Flusher`."""

    def __init__(
        self,
        place: Place,
        make_fold: MakeFold,
        *,
        port: Port,
        metrics: Metrics,
        storm: StormWatch,
        revisions: Revisions | None = None,
    ) -> None:
        """`revisions` is None where markers need no catalogue."""
        self._place = place
        self._make_fold = make_fold
        self._port = port
        self._metrics = metrics
        self._storm = storm
        self._revisions = revisions
        self._outbox = Outbox(port, metrics)
        self._heads = HeadStore(place.topic, port=port, metrics=metrics, outbox=self._outbox)
        self._partitions: dict[int, _Partition] = {}
        self._activity: dict[int, Activity] = {}
        self._is_owed = asyncio.Event()
        self._pace = Pace()
        self._paying = asyncio.Lock()

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Step a batch and hand over what it emitted; on return it may be acknowledged.

        Its emissions may still be on their way: a flush waits for them before it writes state, and a commit waits for
        the flush.
        """
        held = await self._held(partition)
        self._pace.meet()
        activity = self._activity.setdefault(partition, Activity())
        activity.append_time = records[-1].timestamp_type == APPEND_TIME
        if any(record.key for record in records):
            activity.data_at = monotonic()
        self._metrics.count(Metric.RECORDS, len(records), topic=self._place.topic)
        skim = held.skim
        index, end = 0, len(records)
        while index < end:
            if skim is not None and (index := skim(records, index)) == end:
                break
            line = line_of(records[index])
            index += 1
            if line.key not in held.home_keys and await self._is_elsewhere(held, partition, line, activity):
                continue
            emissions = held.step(line)
            if emissions:
                self._storm.saw(emissions)
                self._outbox.add(emissions)
        await self._outbox.send()
        if held.owed_count:
            self._is_owed.set()

    async def pay(self) -> None:
        """Tell what folds owe, and work ahead, a little at a time and with batches in between, until cancelled."""
        while True:
            await within(PREPARED_EVERY_S, self._is_owed)
            self._is_owed.clear()
            await self._tell_owed()
            await self._prepare()

    async def settle(self) -> None:
        """Before a flush: tell what is owed by now; whoever waits for the loop goes first, but not for long."""
        with self._pace.hurried(SETTLED_WITHIN_S):
            await self._tell_owed()

    async def _tell_owed(self) -> None:
        """What comes to be owed meanwhile is left: of a log that is caught up with that is more than is told."""
        async with self._paying:  # a flush goes on behind what is being told already: two would take twice the share
            for partition, held in list(self._partitions.items()):
                left_count = held.owed_count
                # Fenced: it might come behind what another owner says. The next batch asks again.
                while left_count > 0 and self._partitions.get(partition) is held and not self._port.fenced():
                    began_at = monotonic()
                    self._outbox.add(held.pay(PAID_AT_ONCE))
                    worked_s = monotonic() - began_at
                    left_count -= PAID_AT_ONCE
                    await self._outbox.send()
                    await self._pace.rest(worked_s)

    async def _prepare(self) -> None:
        for partition, held in list(self._partitions.items()):
            began_at = monotonic()
            for _ in held.prepare():
                await self._pace.rest(monotonic() - began_at)
                if self._is_owed.is_set() or self._paying.locked() or self._partitions.get(partition) is not held:
                    return  # it goes on from there the next time
                began_at = monotonic()

    async def _is_elsewhere(self, held: _Partition, partition: int, line: Line, activity: Activity) -> bool:
        """Send on what belongs elsewhere; wait for the catalogue where a marker asks for it."""
        kind = own_type(line)
        if kind is None:
            activity.data_at = monotonic()
            found = misplaced(self._place, partition, line)
            if found is not None:
                self._metrics.count(Metric.FORWARDED)
                self._outbox.forward(self._place.topic, found)
                return True
            if line.key and not line.headers:
                self._remember(held, line.key)
        elif kind == "catalogue" and self._revisions is not None:
            asked = marker(line)
            if asked is not None:
                await self._revisions.reach(asked.revision)
        return False

    @staticmethod
    def _remember(held: _Partition, key: bytes) -> None:
        if len(held.home_keys) >= HOME_KEYS_MAX:
            held.home_keys.clear()
        held.home_keys.add(key)

    # -- state

    async def fold_of(self, partition: int) -> Fold:
        """The fold of an owned partition, loaded from the table when it is first asked for."""
        return (await self._held(partition)).fold

    async def _held(self, partition: int) -> _Partition:
        held = self._partitions.get(partition)
        if held is not None:
            return held
        table = await self._heads.load(partition)
        found = self._partitions.get(partition)  # the ticker may have asked for it meanwhile
        if found is not None:
            return found
        with uncollected():
            held = self._partitions[partition] = self._loaded(partition, table)
        return held

    def _loaded(self, partition: int, table: Mapping[bytes, bytes]) -> _Partition:
        atoms, fold = atoms_of(table), self._make_fold(self._place.topic, partition)
        try:
            fold.load(atoms)
        except UnknownShape as finding:
            raise self._unreadable(partition, finding, "Run the version of Forewarn that wrote it") from None
        except MissingSegment as finding:
            cure = "Something else deleted it (`forewarn topics check` looks at its settings): restore the changelog"
            raise self._unreadable(partition, finding, cure) from None
        except UnknownRevision as finding:
            cure = f"{CATALOGUE.name} was deleted and made anew: restore it"
            raise self._unreadable(partition, finding, cure) from None
        skim = fold.skim if isinstance(fold, SkimmingFold) else None
        log.info("partition %d: %d atoms loaded, log time %s", partition, len(atoms), fold.now)
        owing = fold if isinstance(fold, DeferringFold) else None
        return _Partition(fold, set(), skim, fold.step if owing is None else owing.step_urgent, owing)

    def _unreadable(self, partition: int, finding: Exception, cure: str) -> StateUnreadable:
        return StateUnreadable(
            f"partition {partition} of {self._place.topic}: {finding}. {cure}, or delete the role's changelog topic "
            f"and its consumer group, then `forewarn topics create`; state begins anew."
        )

    def snapshot(self) -> Write:
        """Take every partition's own head at once; the answer serialises what changed, and writes it."""
        for held in self._partitions.values():
            self._outbox.add(held.pay())  # what `settle` has left
        dirty = {partition: Writing.begun(self._changes(held)) for partition, held in self._partitions.items()}
        return self._heads.snapshot(dirty)

    def _changes(self, held: _Partition) -> Iterator[AtomState]:
        """With what is owed behind the last: a restart passes over all that was said up to the newest atom (0012)."""
        yield from held.fold.changes()
        self._outbox.add(held.pay())

    def forget(self) -> None:
        """All partitions have been revoked: what was not flushed is done again by whoever gets them."""
        self._heads.forget()
        self._partitions.clear()
        self._activity.clear()

    def activity(self, partition: int) -> Activity:
        """What was seen of a partition since it was assigned."""
        return self._activity.setdefault(partition, Activity())

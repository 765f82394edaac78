"""The shell: runs any fold on Kafka. Batch of one partition → lines → step → emissions → state → acknowledgement.

The order is the guarantee (design.md 3): emissions are on the broker before the state that implies them, the state
before the offsets that it covers; a partition's own head comes after all its other atoms.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, Final, Protocol

import orjson

from agents.metrics import Metric, Metrics
from agents.outbox import Outbox
from agents.port import END_OFFSET_WITHIN_S, Port
from agents.routing import Place, marker, misplaced, own_type
from agents.storm import StormWatch
from agents.transport import Write, pack, unpack
from sla.fold import APPEND_TIME, AtomState, Fold, Line, LogRecord, SkimmingFold

log = logging.getLogger("forewarn.shell")

RENEW_AFTER_S: Final = 60.0  # design.md 3.4: by then a zombie's last write has arrived
HOME_KEYS_MAX: Final = 100_000

Heads = dict[bytes, bytes]
MakeFold = Callable[[str, int], Fold]
Skim = Callable[[Sequence[LogRecord], int], int]


class SourceReplaced(Exception):  # noqa: N818 - a finding about the topic
    """The topic is not the one that the stored state comes from."""


class PartitionMoved(Exception):  # noqa: N818 - no error: it happens at each rebalance
    """The partition was revoked while its state was being loaded."""


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
    unwritten: Heads = field(default_factory=dict)  # serialised, then held back by the fence
    is_renewed: bool = False


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
        self._partitions: dict[int, _Partition] = {}
        self._activity: dict[int, Activity] = {}
        self._generation = 0  # counts up when partitions are revoked

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Step a batch and hand over what it emitted; on return it may be acknowledged.

        Its emissions may still be on their way: a flush waits for them before it writes state, and a commit waits for
        the flush.
        """
        held = await self._held(partition)
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
            emissions = held.fold.step(line)
            if emissions:
                self._storm.saw(emissions)
                self._outbox.add(emissions)
        await self._outbox.send()

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
        generation = self._generation
        atoms = [_atom(key, head) for key, head in self._port.heads(partition).items()]
        await self._check_source(partition, atoms)
        if generation != self._generation:
            raise PartitionMoved(partition)
        found = self._partitions.get(partition)  # the ticker may have asked for it meanwhile
        if found is not None:
            return found
        fold = self._make_fold(self._place.topic, partition)
        fold.load(atoms)
        skim = fold.skim if isinstance(fold, SkimmingFold) else None
        held = self._partitions[partition] = _Partition(fold, set(), skim)
        log.info("partition %d: %d atoms loaded, log time %s", partition, len(atoms), fold.now)
        return held

    async def _check_source(self, partition: int, atoms: Iterable[AtomState]) -> None:
        highest = max((atom.offset for atom in atoms), default=-1)
        if highest < 0:
            return
        async with asyncio.timeout(END_OFFSET_WITHIN_S):
            end = await self._port.end_offset(partition)
        if highest >= end:
            raise SourceReplaced(
                f"partition {partition} of {self._place.topic} ends at offset {end}, but the stored state has read "
                f"offset {highest}: the topic was deleted and made anew. Delete the role's changelog topic and its "
                f"consumer group as well, then `forewarn topics create`; state begins anew."
            )

    def snapshot(self) -> Write:
        """Serialise what changed in every partition, at once; the answer writes it.

        A partition that was held for a minute has all its heads written once more: until then an earlier owner that
        was cut off may have written, and what comes last is what compaction keeps (design.md 3.4).
        """
        taken: dict[int, Heads] = {}
        renewed: set[int] = set()
        for partition, held in self._partitions.items():
            heads, held.unwritten = held.unwritten, {}
            for atom in held.fold.take_dirty():
                key = atom.key.encode()
                heads.pop(key, None)  # the partition's own head stays last
                heads[key] = pack(atom.offset, orjson.dumps(atom.body))
            if not held.is_renewed and self._port.owned_for_s(partition) > RENEW_AFTER_S:
                renewed.add(partition)
                heads = {
                    **{key: head for key, head in self._port.heads(partition).items() if key not in heads},
                    **heads,
                }
            if heads:
                taken[partition] = heads
        return partial(self._write, taken, renewed)

    async def _write(self, taken: Mapping[int, Heads], renewed: set[int]) -> bool:
        await self._outbox.send()
        await self._port.delivered()
        last = {partition: next(reversed(heads)) for partition, heads in taken.items()}
        atoms = [(at, key, head) for at, heads in taken.items() for key, head in heads.items() if key != last[at]]
        for writes in (atoms, [(at, last[at], taken[at][last[at]]) for at in taken]):
            if self._port.fenced():
                self._hold_back(taken)
                return False
            await self._port.store(writes)
        for partition in renewed & self._partitions.keys():
            self._partitions[partition].is_renewed = True
        if taken:
            self._metrics.count(Metric.FLUSHES)
            self._metrics.count(Metric.HEADS_WRITTEN, sum(len(heads) for heads in taken.values()))
        return True

    def _hold_back(self, taken: Mapping[int, Heads]) -> None:
        """Keep what was serialised for the next flush: the folds have forgotten that it changed."""
        self._metrics.count(Metric.HELD_BACK)
        for partition, heads in taken.items():
            held = self._partitions.get(partition)
            if held is not None:  # else it has moved meanwhile, and its next owner does it again
                held.unwritten = heads

    def forget(self) -> None:
        """All partitions have been revoked: what was not flushed is done again by whoever gets them."""
        self._generation += 1
        self._outbox.forget()
        self._partitions.clear()
        self._activity.clear()

    def activity(self, partition: int) -> Activity:
        """What was seen of a partition since it was assigned."""
        return self._activity.setdefault(partition, Activity())


def _atom(key: bytes, head: bytes) -> AtomState:
    offset, body = unpack(head)
    return AtomState(key.decode(), offset, orjson.loads(body))

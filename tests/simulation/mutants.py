"""Bugs planted on purpose, one at a time, to show that the laws catch what they are there for.

Each replaces one decision of the product by the mistake that somebody could make there. `python -m
tests.simulation.planted` runs them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import orjson

import agents.heads
import sla.clock.correcting
import sla.detect.owing
import sla.detect.partition
from agents.heads import HeadStore
from agents.outbox import Outbox
from agents.port import FaustPort
from agents.runtime import Runtime
from agents.shell import Shell
from agents.transport import ALL, BulkTable, Override, Producer, pack
from schemas.topics import DEAD_LETTERS
from sla.cells import Cell
from sla.detect.fold import Detect
from sla.detect.memory import STREAM, Memory
from sla.detect.owing import Owing
from sla.detect.partition import Partition
from sla.records import CatalogueMarker
from tests.simulation.planting import (
    Mutant,
    after_loading,
    cut_off_for_long,
    frozen_in_recoveries,
    in_place_of,
    killed_after_exclusions,
    killed_in_flushes,
    moved_in_batches,
    often_cut,
)
from tests.simulation.ticket_mutants import TICKET_MUTANTS

# -- order: emissions, then state, then offsets


def _committed_before_the_flush(right: Any) -> Any:
    def snapshot(self: Shell) -> Any:
        write = right(self)

        async def later() -> bool:
            async def flush() -> None:
                await asyncio.sleep(4)
                await write()

            self.flushing = asyncio.get_running_loop().create_task(flush())  # type: ignore[attr-defined]
            return True

        return later

    return snapshot


async def _not_waited_for(_self: FaustPort) -> None:
    return


def _nothing(*_: Any) -> None:
    return


def _head_first(right: Any) -> Any:
    def stages(taken: Any) -> Any:
        segments, heads, own = right(taken)
        return [segments, own, heads]

    return stages


def _head_taken_after_its_atoms(right: Any) -> Any:
    async def serialise(self: HeadStore, dirty: Any) -> None:
        changed = [(writing, writing.coming.gi_frame.f_locals["held"].fold) for writing in dirty if writing.own]
        await right(self, dirty)
        for writing, fold in changed:
            own = next(fold._changes())
            writing.own = {own.key.encode(): pack(own.offset, orjson.dumps(own.body))}

    return serialise


def _waited_before_the_atoms_are_taken(right: Any) -> Any:
    async def serialise(self: HeadStore, dirty: Any) -> None:
        port: Any = self._port
        await self._outbox.send()
        await port.delivered()
        await right(self, dirty)

        async def waited_already() -> None:
            del port.delivered

        port.delivered = waited_already

    return serialise


def _facts_taken_before_all_streams(right: Any) -> Any:
    def changes(self: Memory, *arguments: Any) -> Any:
        late: set[str] = set()
        is_behind_a_stream = False
        for atom in right(self, *arguments):
            is_behind_a_stream |= atom.key.startswith(f"{STREAM}/")
            if is_behind_a_stream and atom.key.startswith("facts/"):
                late.add(atom.body["service"])
            else:
                yield atom
        self.facts.dirty |= late

    return changes


def _segments_last(right: Any) -> Any:
    def stages(taken: Any) -> Any:
        segments, *others = right(taken)
        return [*others, segments]

    return stages


def _expired_first(right: Any) -> Any:
    def stages(taken: Any) -> Any:
        gone = [(at, key, None) for at, each in taken.items() for key in each.expired]
        return [gone, *right(taken)]

    return stages


async def _never_deleted(_self: HeadStore) -> None:
    return


def _under_its_old_name(right: Any) -> Any:
    def loosen(self: Cell) -> Any:
        version = self.version
        rows = right(self)
        self.version = version
        return rows

    return loosen


def _not_all_is_dirty(right: Any) -> Any:
    def changes(self: Memory, *arguments: Any) -> Any:
        streams_count = 0
        for atom in right(self, *arguments):
            streams_count += atom.key.startswith(f"{STREAM}/")
            if not atom.key.startswith(f"{STREAM}/") or streams_count > 1 or atom.offset % 2:
                yield atom

    return changes


# -- memory


def _sequences_start_anew(memory: Memory) -> None:
    for stream in memory.streams.values():
        for track in stream.tracks.values():
            track.sequences = {}


def _time_goes_back(memory: Memory) -> None:
    if memory.now is not None:
        memory.now -= 30_000


def _gaps_are_forgotten(memory: Memory) -> None:
    memory.gaps = []
    for stream in memory.streams.values():
        stream.set_gaps([])


def _facts_are_forgotten(memory: Memory) -> None:
    for facts in memory.facts.known.values():
        facts.forget_before(2**62, 2**62)


def _the_atoms_own_offset_is_ignored(memory: Memory) -> None:
    for stream in memory.streams.values():
        stream.offset = -1


# -- what is read


def _read_twice_is_counted_twice(right: Any) -> Any:
    def step_urgent(self: Detect, line: Any) -> Any:
        self._offset = min(self._offset, line.offset - 1)
        for stream in self._partition._memory.streams.values():
            stream.offset = -1
        return right(self, line)

    return step_urgent


def _a_feed_is_taken_twice(_right: Any) -> Any:
    return lambda *_: False


def _markers_are_passed_over(_right: Any) -> Any:
    def switch(_self: Detect, _marker: CatalogueMarker, _line: Any) -> list[Any]:
        return []

    return switch


def _no_dead_letters_beside_others(right: Any) -> Any:
    def add(self: Outbox, emissions: Any) -> None:
        told = list(emissions)
        right(self, [each for each in told if each.topic != DEAD_LETTERS.name or (len(told) == 1 and len(self) == 0)])

    return add


# -- who owns what


def _no_tick_for_what_is_taken_over(right: Any) -> Any:
    def writable(self: Runtime) -> frozenset[int]:
        now: frozenset[int] = right(self)
        first: frozenset[int] | None = getattr(self, "first_owned", None)
        if first is None and now:
            self.first_owned = first = now  # type: ignore[attr-defined]
        return now & (first or frozenset())

    return writable


def _keeps_its_place(self: BulkTable, partitions: Iterable[int]) -> None:
    for partition in partitions:
        self._records.pop(partition, None)
        self._alone_since.pop(partition, None)


@contextmanager
def _failed_sends_are_swallowed() -> Iterator[None]:
    def settled(self: Producer, sent: Any) -> None:
        self._on_the_way.discard(sent)
        if not sent.cancelled():
            sent.exception()

    with mock.patch.object(Producer, "_settled", settled):
        yield


def _without(*repairs: Override) -> frozenset[Override]:
    return ALL - set(repairs)


MUTANTS: dict[str, Mutant] = {
    mutant.name: mutant
    for mutant in (
        Mutant("offsets committed before the flush", in_place_of(Shell, "snapshot", _committed_before_the_flush)),
        Mutant(
            "state stored before emissions arrived",
            lambda: mock.patch.object(FaustPort, "delivered", _not_waited_for),
            provoke=killed_in_flushes,
        ),
        Mutant("partition head written before its atoms", in_place_of(agents.heads, "stages", _head_first)),
        Mutant(
            "partition head taken after its atoms", in_place_of(HeadStore, "_serialise", _head_taken_after_its_atoms)
        ),
        Mutant(
            "emissions awaited before atoms are taken",
            in_place_of(HeadStore, "_serialise", _waited_before_the_atoms_are_taken),
            provoke=killed_in_flushes,
        ),
        Mutant(
            "facts taken before all streams",
            in_place_of(Memory, "changes", _facts_taken_before_all_streams),
            provoke=killed_after_exclusions,
        ),
        Mutant("heads written before their segments", in_place_of(agents.heads, "stages", _segments_last)),
        Mutant("segments deleted before the heads", in_place_of(agents.heads, "stages", _expired_first)),
        Mutant(
            "expired segments kept for ever", lambda: mock.patch.object(HeadStore, "_delete_expired", _never_deleted)
        ),
        Mutant("a changed cell not written anew", in_place_of(Cell, "loosen", _under_its_old_name)),
        Mutant("a changed atom not written", in_place_of(Memory, "changes", _not_all_is_dirty)),
        Mutant(
            "a flush held back is forgotten",
            lambda: mock.patch.object(HeadStore, "_hold_back", _nothing),
            provoke=often_cut,
        ),
        Mutant("folds kept when partitions go", lambda: mock.patch.object(Shell, "forget", _nothing)),
        Mutant("a failed send swallowed", _failed_sends_are_swallowed),
        Mutant("sequences reset by a restart", after_loading(Partition, _sequences_start_anew)),
        Mutant("now goes back at a restart", after_loading(Partition, _time_goes_back)),
        Mutant("gaps forgotten by a restart", after_loading(Partition, _gaps_are_forgotten)),
        Mutant("facts forgotten by a restart", after_loading(Partition, _facts_are_forgotten)),
        Mutant("an atom's own offset ignored", after_loading(Partition, _the_atoms_own_offset_is_ignored)),
        Mutant("a record read twice counted twice", in_place_of(Detect, "step_urgent", _read_twice_is_counted_twice)),
        Mutant("told later with later counts", in_place_of(sla.detect.owing, "_reopen", lambda _: _nothing)),
        Mutant("told later than what came after", in_place_of(Owing, "settle", lambda _: _nothing)),
        Mutant("a repeated sequence counted", in_place_of(sla.detect.partition, "is_repeat", _a_feed_is_taken_twice)),
        Mutant("catalogue markers passed over", in_place_of(Detect, "_switch", _markers_are_passed_over)),
        Mutant("dead letters lost in company", in_place_of(Outbox, "add", _no_dead_letters_beside_others)),
        Mutant("misrouted records not sent on", lambda: mock.patch.object(Outbox, "forward", _nothing)),
        Mutant("ticks lost on hand-over", in_place_of(Runtime, "writable", _no_tick_for_what_is_taken_over)),
        *TICKET_MUTANTS,
        Mutant("recovery takes the last write", overrides=_without(Override.MAX), provoke=cut_off_for_long),
        Mutant("a zombie may write", overrides=_without(Override.FENCE), provoke=frozen_in_recoveries),
        Mutant("recovery goes on in its middle", lambda: mock.patch.object(BulkTable, "drop", _keeps_its_place)),
        Mutant("fetched behind a seek", overrides=_without(Override.SEEK)),
        Mutant("a cleared batch is held", overrides=_without(Override.RELEASE), provoke=moved_in_batches),
    )
}

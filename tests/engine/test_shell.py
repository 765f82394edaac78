"""The shell around a fold, in memory: the order of emissions, state and acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

import agents.heads
from agents.changelog import SOURCE_ID, is_segment, segment_key
from agents.heads import PartitionMoved, SourceReplaced
from agents.metrics import Metric, Metrics
from agents.port import TableWrite
from agents.routing import FORWARDED, Place
from agents.shell import Shell, StateUnreadable, line_of
from agents.storm import StormWatch
from agents.transport import pack, unpack
from sla.archive import MissingSegment
from sla.events import watch_record
from sla.fold import AtomState, Emission, Line, UnknownRevision
from sla.partitioner import partition_of
from sla.sealed import UnknownShape
from tests.engine.counting import HEAD, Counting
from tests.engine.parts import World, record

TOPIC, OUT = "unit.in", "unit.out"
COUNT = 8
HOME = {
    at: next(f"k{n}".encode() for n in range(99) if partition_of(f"k{n}".encode(), COUNT) == at) for at in range(COUNT)
}

OTHER = next(key for key in (f"o{n}".encode() for n in range(99)) if partition_of(key, COUNT) == 3)


def shell_on(world: World, *, make_fold: Any = None, revisions: Any = None, metrics: Metrics | None = None) -> Shell:
    metrics = metrics or Metrics()
    return Shell(
        Place(TOPIC, COUNT, "key", partition_of),
        make_fold or (lambda topic, partition: Counting(topic, partition, OUT)),
        port=world,
        metrics=metrics,
        storm=StormWatch(metrics),
        revisions=revisions,
    )


def records(count: int, *, start: int = 0, partition: int = 3) -> list[Any]:
    return [record(offset, HOME[partition], partition=partition) for offset in range(start, start + count)]


async def flush(shell: Shell) -> bool:
    return await shell.snapshot()()


def body(head: bytes) -> Any:
    return orjson.loads(unpack(head)[1])


# -- order


async def test_emissions_are_on_the_broker_before_the_state_that_implies_them() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(10))
    assert await flush(shell)
    assert [entry[0] for entry in world.log] == ["sent", "stored", "stored"]


async def test_a_partitions_own_head_is_written_after_its_other_atoms_were_acknowledged() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(1))
    await shell.handle(4, records(1, partition=4))
    assert await flush(shell)
    assert world.stored_keys() == [HOME[3], HOME[4], HEAD.encode(), HEAD.encode()]


async def test_a_partitions_own_head_is_what_stood_when_the_flush_began_and_no_atom_is_behind_it() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(5))
    write = shell.snapshot()
    await shell.handle(3, records(2, start=5))
    assert await write()
    assert unpack(world.table[3][HEAD.encode()])[0] == 4
    assert unpack(world.table[3][HOME[3]])[0] == 6
    assert body(world.table[3][HOME[3]])["count"] == 7
    assert await flush(shell)
    assert unpack(world.table[3][HEAD.encode()])[0] == 6


async def test_a_batch_has_its_turn_between_two_atoms_and_what_it_says_goes_out_before_they_are_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agents.heads, "SERIALISED_AT_ONCE", 1)
    world = World()
    shell = shell_on(world)
    await shell.handle(3, [record(n, key, partition=3) for n, key in enumerate([HOME[3], OTHER])])
    writing = asyncio.create_task(flush(shell))
    await asyncio.sleep(0)  # the first atom is taken
    await shell.handle(3, records(9, start=2))
    await shell.handle(3, [record(11, OTHER, partition=3)])
    assert await writing
    assert [entry[0] for entry in world.log] == ["sent", "stored", "stored", "stored"]
    first, last = sorted([HOME[3], OTHER])
    assert world.stored_keys() == [first, last, HEAD.encode()]
    assert [unpack(world.table[3][key])[0] for key in (first, last)] == [
        {HOME[3]: 0, OTHER: 1}[first],
        {HOME[3]: 10, OTHER: 11}[last],
    ]
    assert unpack(world.table[3][HEAD.encode()])[0] == 1
    assert await flush(shell)
    assert [unpack(world.table[3][key])[0] for key in (HOME[3], OTHER)] == [10, 11]


async def test_a_flush_that_a_revoke_overtakes_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents.heads, "SERIALISED_AT_ONCE", 1)
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(1))
    writing = asyncio.create_task(flush(shell))
    await asyncio.sleep(0)
    shell.forget()
    assert not await writing
    assert world.log == []


async def test_a_head_never_passes_an_event_that_is_still_in_the_outbox() -> None:
    world = World()
    shell = shell_on(world)
    gate = world.gate = asyncio.Event()
    await shell.handle(3, records(10))
    write = asyncio.create_task(flush(shell))
    await asyncio.sleep(0)
    assert world.stored_keys() == []
    gate.set()
    assert await write


async def test_what_did_not_change_is_not_written() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(1))
    await flush(shell)
    written = len(world.log)
    assert await flush(shell)
    assert len(world.log) == written


async def test_a_failed_send_stops_everything_behind_it() -> None:
    world = World(broken=OSError("no broker"))
    shell = shell_on(world)
    with pytest.raises(OSError, match="no broker"):
        await shell.handle(3, records(10))
    with pytest.raises(OSError, match="no broker"):
        await flush(shell)
    assert world.log == []


# -- fence


@pytest.mark.parametrize("after_stores", [0, 1])
async def test_what_the_fence_holds_back_is_written_when_the_worker_is_confirmed(after_stores: int) -> None:
    world = World(is_fenced=after_stores == 0, fence_after_stores=after_stores or None)
    shell = shell_on(world)
    await shell.handle(3, records(3))
    assert not await flush(shell)
    assert HEAD.encode() not in world.stored_keys()
    world.is_fenced, world.fence_after_stores = False, None
    await shell.handle(3, records(1, start=3))
    assert await flush(shell)
    assert world.stored_keys()[-2:] == [HOME[3], HEAD.encode()]
    assert body(world.table[3][HOME[3]])["count"] == 4


async def test_what_was_held_back_is_written_though_nothing_new_came() -> None:
    world = World(is_fenced=True)
    shell = shell_on(world)
    await shell.handle(3, records(3))
    assert not await flush(shell)
    world.is_fenced = False
    assert await flush(shell)
    assert world.stored_keys() == [HOME[3], HEAD.encode()]


async def test_a_partitions_own_head_stays_last_when_a_new_atom_joins_what_was_held_back() -> None:
    world = World(is_fenced=True)
    shell = shell_on(world)
    await shell.handle(3, records(1))
    assert not await flush(shell)
    world.is_fenced = False
    await shell.handle(3, [record(1, OTHER, partition=3)])
    assert await flush(shell)
    assert world.stored_keys() == [HOME[3], OTHER, HEAD.encode()]


# -- moves and restarts


async def test_a_new_owner_goes_on_where_the_table_stands_and_drops_what_it_holds_already() -> None:
    world = World()
    first = shell_on(world)
    await first.handle(3, records(15))
    await flush(first)
    second = shell_on(world)
    await second.handle(3, records(10, start=10))  # 10 to 14 once more
    await flush(second)
    assert body(world.table[3][HOME[3]])["count"] == 20
    assert [orjson.loads(value or b"")["id"] for value in world.sent(OUT)] == [
        f"{HOME[3].decode()}:{n}" for n in (10, 20)
    ]


async def test_after_a_revoke_nothing_unwritten_is_left_over() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(5))
    shell.forget()
    assert await flush(shell)
    assert world.stored_keys() == []
    await shell.handle(3, records(5))
    await flush(shell)
    assert body(world.table[3][HOME[3]])["count"] == 5


async def test_after_a_revoke_no_emission_of_the_old_owner_goes_out() -> None:
    world = World(broken=OSError("no broker"))
    shell = shell_on(world)
    with pytest.raises(OSError, match="no broker"):
        await shell.handle(3, records(10))
    world.broken = None
    shell.forget()
    await flush(shell)
    assert world.sent(OUT) == []


async def test_a_fold_that_was_being_loaded_at_a_revoke_is_not_kept() -> None:
    world = World()
    world.table[3][HEAD.encode()] = pack(4, b'{"now":1}')
    shell = shell_on(world)
    ask = world.end_offset
    started, gate = asyncio.Event(), asyncio.Event()

    async def slow(partition: int) -> int:
        started.set()
        await gate.wait()
        return await ask(partition)

    world.end_offset = slow  # type: ignore[method-assign]
    loading = asyncio.create_task(shell.fold_of(3))
    await started.wait()
    shell.forget()
    gate.set()
    with pytest.raises(PartitionMoved):
        await loading


async def test_a_log_that_ends_before_the_stored_offset_is_another_topic() -> None:
    world = World(ends={3: 4})
    world.table[3][HEAD.encode()] = pack(4, b'{"now":1}')
    with pytest.raises(SourceReplaced, match="forewarn topics create"):
        await shell_on(world).handle(3, records(1))


async def test_a_partition_held_for_a_minute_has_all_its_heads_written_once_more() -> None:
    world = World()
    world.table[3] = {b"old": pack(1, b'{"count":1,"sum":1}'), HEAD.encode(): pack(1, b'{"now":1}')}
    shell = shell_on(world)
    await shell.handle(3, records(1, start=2))
    await flush(shell)
    assert b"old" not in world.stored_keys()
    world.alone_s = 61.0
    await shell.handle(3, records(1, start=3))
    await flush(shell)
    assert world.stored_keys()[2:] == [b"old", HOME[3], HEAD.encode()]
    await shell.handle(3, records(1, start=4))
    await flush(shell)
    assert world.stored_keys()[5:] == [HOME[3], HEAD.encode()]


async def test_heads_that_nobody_touches_are_written_again_after_a_zombie_that_slept_for_very_long() -> None:
    world = World(alone_s=61.0)
    world.table[3] = {b"old": pack(1, b'{"count":1,"sum":1}'), HEAD.encode(): pack(1, b'{"now":1}')}
    shell = shell_on(world)
    for start, alone_s in ((2, 61.0), (3, 300.0), (4, 5.0), (5, 61.0), (6, 70.0)):  # it wakes before the third
        world.alone_s = alone_s
        await shell.handle(3, records(1, start=start))
        await flush(shell)
    each = [HOME[3], HEAD.encode()]
    assert world.stored_keys() == [b"old", *each, *each, *each, b"old", *each, *each]


# -- placement


async def test_a_record_in_the_wrong_partition_is_sent_on_and_not_counted_here() -> None:
    world, metrics = World(), Metrics()
    shell = shell_on(world, metrics=metrics)
    await shell.handle(3, [record(7, HOME[5], b'{"key":"x","value":1}', partition=3), *records(1, start=8)])
    (entry,) = [entry for entry in world.on_the_way if entry[1] == TOPIC]
    assert entry[2] == HOME[5]
    assert entry[4] == 5
    assert entry[6] == ((FORWARDED, b"unit.in/3/7"),)
    assert orjson.loads(entry[3])["sequence"] == 7 << 20
    await flush(shell)
    assert set(world.table[3]) == {HOME[3], HEAD.encode()}
    assert metrics.value(Metric.FORWARDED) == 1


async def test_a_record_that_was_sent_on_is_counted_where_it_is() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, [record(0, HOME[5], partition=3, headers=[(FORWARDED, b"unit.in/1/2")])])
    await flush(shell)
    assert HOME[5] in world.table[3]


# -- markers


class Noting:
    """A fold that keeps the lines it saw."""

    topic, partition, now = TOPIC, 3, None

    def __init__(self, emissions: list[Emission] | None = None) -> None:
        self.lines: list[Line] = []
        self.emissions = emissions or []

    def load(self, atoms: Iterable[AtomState]) -> None:
        del atoms

    def step(self, line: Line) -> list[Emission]:
        self.lines.append(line)
        return self.emissions

    def changes(self) -> Iterator[AtomState]:
        return iter(())


async def test_a_marker_waits_until_its_revision_was_read() -> None:
    fold, read = Noting(), asyncio.Event()
    asked: list[int] = []

    async def reach(revision: int) -> None:
        asked.append(revision)
        await read.wait()

    shell = shell_on(World(), make_fold=lambda *_: fold, revisions=SimpleNamespace(reach=reach))
    marker = record(1, None, b'{"type":"catalogue","revision":17,"sha256":"ab"}', partition=3)
    handling = asyncio.create_task(shell.handle(3, [*records(1), marker]))
    await asyncio.sleep(0)
    assert asked == [17]
    assert len(fold.lines) == 1
    read.set()
    await handling
    assert len(fold.lines) == 2


@pytest.mark.parametrize(
    "value",
    [b'{"type":"catalogue"}', b'{"type":"catalogue","revision":"17","sha256":"ab"}', b'{"catalogue":1}', b"\xff"],
)
async def test_what_only_looks_like_a_marker_waits_for_nothing(value: bytes) -> None:
    fold = Noting()
    shell = shell_on(World(), make_fold=lambda *_: fold, revisions=None)
    await shell.handle(3, [record(1, None, value, partition=3)])
    assert len(fold.lines) == 1


# -- lines


def test_only_the_brokers_stamp_moves_time() -> None:
    assert line_of(record(1, timestamp=99)).append_at == 99
    assert line_of(record(1, timestamp=99, append_time=False)) == Line(1, b"k", b'{"value":1}', 99, None, ())


async def test_a_batch_of_both_stamps_keeps_each_records_own() -> None:
    fold = Noting()
    shell = shell_on(World(), make_fold=lambda *_: fold)
    await shell.handle(3, [record(0, HOME[3], timestamp=5), record(1, HOME[3], timestamp=6, append_time=False)])
    assert [line.append_at for line in fold.lines] == [5, None]


async def test_a_storm_of_dead_letters_makes_the_worker_unready_and_goes_on() -> None:
    metrics = Metrics()
    storm = StormWatch(metrics)
    letter = Emission("sla.dlq.v1", None, {})
    storm.saw([letter])
    assert not storm.is_on
    storm.saw([letter, watch_record("dead_letter_storm", "sla.telemetry.v1", 3, 0, 5)])
    assert storm.is_on
    assert metrics.value(Metric.DEAD_LETTER_STORMS) == 1
    storm.saw([letter])
    assert metrics.value(Metric.DEAD_LETTERS) == 3


# -- segments


class Archiving(Counting):
    """A fold that seals its count anew with every flush, and lets the one before it go."""

    def changes(self) -> Iterator[AtomState]:
        for atom in super().changes():
            offset = self._offset
            is_own = atom.key == HEAD
            yield atom if is_own else atom._replace(segments={f"c/{offset}": b"sealed"}, expired=[f"c/{offset - 1}"])


def archiving(topic: str, partition: int) -> Archiving:
    return Archiving(topic, partition, OUT)


def segment(number: int) -> bytes:
    return segment_key(HOME[3].decode(), f"c/{number}")


async def test_segments_are_stored_before_the_head_that_names_them() -> None:
    world = World()
    shell = shell_on(world, make_fold=archiving)
    await shell.handle(3, records(1))
    await flush(shell)
    assert world.stored_keys() == [segment(0), HOME[3], HEAD.encode()]


async def test_expired_segments_go_behind_the_renewed_heads_and_not_before() -> None:
    world = World()
    shell = shell_on(world, make_fold=archiving)
    for offset in range(3):
        await shell.handle(3, records(1, start=offset))
        await flush(shell)
    assert {segment(0), segment(1), segment(2)} < set(world.table[3])
    world.alone_s = 61.0
    await flush(shell)
    assert set(world.table[3]) == {segment(2), HOME[3], HEAD.encode()}
    assert [entry[3] is None for entry in world.log[-5:]] == [False, False, True, True, True]


async def test_a_worker_that_was_not_confirmed_since_its_heads_arrived_deletes_nothing() -> None:
    world = World(alone_s=61.0)
    shell = shell_on(world, make_fold=archiving)
    await shell.handle(3, records(1))
    await flush(shell)
    await shell.handle(3, records(1, start=1))
    world.fence_after_stores = 3  # segments, heads, the partition's own head
    assert await flush(shell)
    assert segment(0) in world.table[3]
    world.is_fenced, world.fence_after_stores = False, None
    await shell.handle(3, records(1, start=2))
    await flush(shell)
    assert set(world.table[3]) == {segment(2), HOME[3], HEAD.encode()}


async def test_a_renewal_writes_no_segment_again() -> None:
    world = World()
    shell = shell_on(world, make_fold=archiving)
    await shell.handle(3, records(1))
    await flush(shell)
    world.alone_s = 61.0
    written = len(world.log)
    await flush(shell)
    assert [entry[2] for entry in world.log[written:] if entry[3] is not None] == [HOME[3], HEAD.encode()]


async def test_a_source_made_anew_is_refused_though_it_has_grown_beyond_what_was_read() -> None:
    world = World(id="old")
    shell = shell_on(world)
    await shell.handle(3, records(1))
    await flush(shell)
    again = shell_on(world)
    await again.handle(3, records(1, start=1))  # the same topic: a restart goes on
    assert await flush(again)
    world.id = "new"
    with pytest.raises(
        SourceReplaced, match=r"has the id new, but the stored state is of old: .* deleted and made anew"
    ):
        await shell_on(world).handle(3, records(1, start=2))


async def test_state_without_the_id_of_its_source_takes_on_the_one_there_is() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(1))
    await flush(shell)
    assert SOURCE_ID not in world.table[3]
    world.id = "first"
    metrics = Metrics()
    again = shell_on(world, metrics=metrics)
    await again.handle(3, records(1, start=1))
    await flush(again)
    assert world.table[3][SOURCE_ID] == pack(0, b"first")
    assert is_segment(SOURCE_ID)  # no reader of heads takes it for one
    assert metrics.value(Metric.SEGMENTS_WRITTEN) == 0  # nor is it one of the segments that heads name


class Unreadable(Counting):
    finding: Exception = UnknownShape("k has shape 2, this version reads 3")

    def load(self, atoms: Iterable[AtomState]) -> None:
        del atoms
        raise self.finding


class OfAnotherCatalogue(Unreadable):
    finding = UnknownRevision(3, 28)


class Incomplete(Unreadable):
    finding = MissingSegment("stream/a/b: segment counts/2/7/40 is named by a head")


@pytest.mark.parametrize(
    ("fold", "said"),
    [
        (Unreadable, "Run the version of Forewarn that wrote it, or delete .* state begins anew"),
        (OfAnotherCatalogue, "follows revision 28.* was deleted and made anew: restore it, or delete"),
        (Incomplete, "stream/a/b: segment counts/2/7/40 .* restore the changelog, or delete"),
    ],
)
async def test_state_that_cannot_be_read_is_refused_with_what_to_do(fold: type[Unreadable], said: str) -> None:
    with pytest.raises(StateUnreadable, match=said):
        await shell_on(World(), make_fold=lambda t, p: fold(t, p, OUT)).handle(3, records(1))


async def test_a_flush_of_a_partition_that_moved_is_not_reported_as_written() -> None:
    world = World()
    shell = shell_on(world)
    await shell.handle(3, records(1))
    write, store = shell.snapshot(), world.store

    async def revoked_at_the_last_stage(writes: Sequence[TableWrite]) -> None:
        await store(writes)
        if any(key == HEAD.encode() for _, key, _ in writes):
            shell.forget()
            await shell.fold_of(3)  # it came back at once, for another life

    world.store = revoked_at_the_last_stage  # type: ignore[method-assign]
    world.alone_s = 61.0
    assert await write() is False
    written = len(world.log)
    world.store = store  # type: ignore[method-assign]
    await flush(shell)
    assert HOME[3] in [entry[2] for entry in world.log[written:]]  # it is renewed: the flag is not of the old life


async def test_what_expired_is_not_deleted_once_the_partition_moved() -> None:
    world = World()
    shell = shell_on(world, make_fold=archiving)
    world.alone_s = 61.0
    await shell.handle(3, records(1))
    await flush(shell)
    await shell.handle(3, records(1, start=1))
    written = len(world.log)
    write, store = shell.snapshot(), world.store

    async def revoked_behind_the_heads(writes: Sequence[TableWrite]) -> None:
        await store(writes)
        if any(key == HEAD.encode() for _, key, _ in writes):
            shell.forget()

    world.store = revoked_behind_the_heads  # type: ignore[method-assign]
    assert await write() is False
    assert all(entry[3] is not None for entry in world.log[written:])
    assert segment(0) in world.table[3]

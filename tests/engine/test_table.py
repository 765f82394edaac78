"""The table of heads: bulk recovery, the highest offset, moves; and each repair switched off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from agents.transport import BulkTable, Override, pack, unpack
from tests.engine.parts import new_app

CHANGELOG = "forewarn-unit-state-changelog"


def table_of(*without: Override) -> Any:
    app = new_app(*without)
    app.finalize()
    return app.tables["state"]


def batch(partition: int, *heads: tuple[bytes, bytes | None]) -> Any:
    records = [SimpleNamespace(key=key, value=head) for key, head in heads]
    return SimpleNamespace(message=SimpleNamespace(partition=partition, value=records))


def test_a_head_begins_with_its_source_offset() -> None:
    assert pack(258, b"{}") == b"\0\0\0\0\0\0\1\2{}"
    assert unpack(pack(258, b"{}")) == (258, b"{}")


def test_the_app_makes_tables_of_this_kind() -> None:
    table = table_of()
    assert type(table) is BulkTable
    assert table.changelog == CHANGELOG


@pytest.mark.parametrize(("without", "stands"), [((), b"right"), ((Override.MAX,), b"stale")])
def test_the_highest_source_offset_wins_over_the_last_write(without: tuple[Override, ...], stands: bytes) -> None:
    table = table_of(*without)
    table.apply_changelog_batch([batch(1, (b"k", pack(9, b"right")), (b"k", pack(5, b"stale")))])
    assert unpack(table.records(1)[b"k"])[1] == stands


def test_of_two_heads_at_one_offset_the_later_stands() -> None:
    table = table_of()
    table.apply_changelog_batch([batch(1, (b"k", pack(9, b"a"))), batch(1, (b"k", pack(9, b"b")))])
    assert unpack(table.records(1)[b"k"])[1] == b"b"


def test_one_key_in_two_partitions_is_two_heads() -> None:
    table = table_of()
    table.apply_changelog_batch([batch(0, (b"@partition", pack(1, b"a"))), batch(1, (b"@partition", pack(2, b"b")))])
    assert [table.records(partition)[b"@partition"] for partition in (0, 1)] == [pack(1, b"a"), pack(2, b"b")]


def test_a_tombstone_removes_what_has_expired() -> None:
    table = table_of()
    table.apply_changelog_batch([batch(0, (b"k", pack(1, b"a")), (b"k", None))])
    assert table.records(0) == {}


# -- moves


async def rebalance(table: Any, *, assigned: set[int], revoked: set[int], new: set[int], lost: int = 0) -> None:
    table.app.consumer._thread.lost_count = lost
    await table.on_rebalance(*({TP(CHANGELOG, at) for at in group} for group in (assigned, revoked, new)))


def filled(*without: Override) -> Any:
    table = table_of(*without)
    for partition in (0, 1, 2):
        table.apply_changelog_batch([batch(partition, (b"k", pack(1, b"old")))])
        table.app.tables.recovery.active_offsets[TP(CHANGELOG, partition)] = 10
    return table


def kept(table: Any) -> tuple[list[int], list[int]]:
    """The partitions whose heads, and those whose place in the changelog, are still known."""
    offsets = table.app.tables.recovery.active_offsets
    return [at for at in range(3) if table.records(at)], [at for at in range(3) if TP(CHANGELOG, at) in offsets]


@pytest.mark.parametrize(("without", "left"), [((), [0]), ((Override.DROP,), [0, 1, 2])])
async def test_what_moved_is_forgotten_in_the_table_and_in_the_ledger(
    without: tuple[Override, ...], left: list[int]
) -> None:
    table = filled(*without)
    await rebalance(table, assigned={0, 2}, revoked={1}, new={2})
    assert kept(table) == (left, left)


async def test_a_member_that_was_disowned_has_kept_nothing() -> None:
    table = filled()
    await rebalance(table, assigned={0, 1, 2}, revoked=set(), new=set(), lost=1)
    assert kept(table) == ([], [])
    table.apply_changelog_batch([batch(0, (b"k", pack(1, b"new")))])
    await rebalance(table, assigned={0, 1, 2}, revoked=set(), new=set(), lost=1)
    assert kept(table)[0] == [0]


@pytest.mark.parametrize(("without", "place"), [((), 11), ((Override.ADV,), 10)])
def test_own_writes_are_not_read_again(without: tuple[Override, ...], place: int) -> None:
    table = filled(*without)
    table.app.rebalancing = False
    table.stored(0, [(b"k", pack(2, b"x"), 11)])
    assert table.app.tables.recovery.active_offsets[TP(CHANGELOG, 0)] == place
    assert table.records(0)[b"k"] == pack(2, b"x")


def test_what_another_wrote_between_two_writes_of_our_own_is_still_to_be_read() -> None:
    table = filled()
    table.app.rebalancing = False
    table.stored(0, [(b"k", pack(2, b"x"), offset) for offset in (11, 13, 14)])  # 12: a member that was cut off
    assert table.app.tables.recovery.active_offsets[TP(CHANGELOG, 0)] == 11


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize(("offsets", "alone_s"), [([40, 41, 42], 100.0), ([40, 41, 43], 0.0), ([40, -1, 41], 100.0)])
def test_whoever_writes_between_two_writes_of_our_own_is_noticed(
    offsets: list[int], alone_s: float, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("agents.transport.table.monotonic", lambda: clock[0])
    table = filled()
    assert table.alone_for_s(0) == 0.0
    clock[0] = 100.0
    for some in (offsets[:at], offsets[at:]):
        table.stored(0, [(b"k", pack(2, b"x"), offset) for offset in some])
    assert table.alone_for_s(0) == alone_s


def test_a_write_during_a_rebalance_does_not_move_the_place() -> None:
    table = filled()
    table.app.rebalancing = True
    table.stored(0, [(b"k", pack(2, b"x"), 40)])
    assert table.app.tables.recovery.active_offsets[TP(CHANGELOG, 0)] == 10

"""Segments: packed rows read as they lie, and which of them a head still needs, whatever happens around it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sla.archive import Archive, MissingSegment, cells_of
from sla.cells import Cell, CellName, Loose, runs_of, segments_in
from sla.columns import narrow, wide
from sla.ledger import Ledger
from sla.sealed import Sealed, UnknownShape, seal
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS

from .table import Table
from .world import T0, World, detect_of, objective

NUMBERS = st.integers(-(2**40), 2**55)
ROWS = st.lists(st.tuples(st.integers(1, 9), *[NUMBERS] * 4), min_size=1, max_size=40)


@given(st.lists(NUMBERS, max_size=40))
@example([0, 1, 2**50])
def test_a_column_holds_what_it_was_given_also_through_json(values: list[int]) -> None:
    column = orjson.loads(orjson.dumps(list(narrow(values))))
    assert wide(column, len(values)) == values


@given(ROWS, st.integers(0, 40), st.integers(0, 40), st.integers(0, 400))
def test_sealed_rows_read_like_loose_ones(rows: list[tuple[int, ...]], one: int, other: int, at: int) -> None:
    starts = [sum(row[0] for row in rows[: n + 1]) for n in range(len(rows))]
    loose = Loose([starts, *([row[n] for row in rows] for n in range(1, 5))])
    sealed = Sealed(seal(loose.arrays).data)
    first, last = sorted((min(one, len(rows)), min(other, len(rows))))
    assert len(sealed) == len(loose)
    assert sealed.first_from(at) == loose.first_from(at)
    assert [list(each) for each in sealed.columns(first, last)] == [list(each) for each in loose.columns(first, last)]
    assert sealed.totals(first, last) == loose.totals(first, last)


COUNTS = st.integers(0, 3) | st.integers(0, 400)
STEPS = st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 5])
LIKELY = st.lists(st.tuples(STEPS, st.sampled_from([1, 1, 1, 2]), COUNTS, COUNTS, st.just(1)), min_size=2, max_size=40)


@given(LIKELY, st.integers(1, 39))
def test_sealed_rows_that_come_and_go_are_packed_as_all_of_them_anew(rows: list[tuple[int, ...]], place: int) -> None:
    starts = [sum(row[0] for row in rows[: n + 1]) for n in range(len(rows))]
    columns = [starts, *([row[n] for row in rows] for n in range(1, 5))]
    place = min(place, len(rows) - 1)
    whole, first, last = (
        Cell(CellName(1, 0), seal([column[part] for column in columns]))
        for part in (slice(None), slice(place), slice(place, None))
    )
    first.put([column[place:] for column in columns])
    assert first.seal().data == whole.seal().data
    assert first.start == whole.start
    whole.drop_first(place)
    assert whole.seal().data == last.seal().data
    assert whole.start == last.start


def test_a_full_cell_changes_at_its_ends_without_being_unpacked() -> None:
    rows = [[T0 + n * MINUTE_MS for n in range(300)], [MINUTE_MS] * 300, [n * n % 1000 for n in range(300)]]
    cell = Cell(CellName(1, 0), seal([*rows, [n % 3 for n in range(300)], [1] * 300]))
    cell.put([[T0 + 300 * MINUTE_MS], [MINUTE_MS], [17], [0], [1]])
    cell.drop_first(12)
    assert isinstance(cell.rows, Sealed)
    assert (len(cell.rows), cell.version) == (289, None)


def test_even_rows_take_next_to_nothing() -> None:
    rows = [[T0 + n * MINUTE_MS for n in range(360)], [MINUTE_MS] * 360, [5_000] * 360, [0] * 360, [1] * 360]
    assert len(seal(rows).data) < 120


@pytest.mark.parametrize("data", [b"", b"\x07" + bytes(200)])
def test_bytes_of_another_version_are_refused(data: bytes) -> None:
    with pytest.raises(UnknownShape, match="this version reads"):
        Sealed(data)


# -- which segments a head needs


def ledger_of(minutes: int) -> Ledger:
    """So many minutes of one each, ending at T0, compacted there."""
    ledger = Ledger()
    for minute in range(minutes, 0, -1):
        ledger.add(T0 - minute * MINUTE_MS, 1, 0)
    ledger.add(T0, 1, 0)
    ledger.compact(T0, T0 - 9 * DAY_MS)
    return ledger


def test_what_did_not_change_is_not_written_again() -> None:
    ledger, archive = ledger_of(400), Archive()
    assert archive.turn_over([("it", ledger)], 10).written
    ledger.add(T0 + MINUTE_MS, 1, 0)
    assert archive.turn_over([("it", ledger)], 20) == ({}, [])


def test_a_late_record_writes_its_cell_anew_and_lets_the_old_one_go() -> None:
    ledger, archive = ledger_of(400), Archive()
    first = archive.turn_over([("it", ledger)], 10).written
    ledger.add(T0 - 7 * MINUTE_MS, 1, 1)
    written, expired = archive.turn_over([("it", ledger)], 20)
    assert [name.rpartition("/")[2] for name in written] == ["20"]
    assert [name.rpartition("/")[0] for name in written] == [name.rpartition("/")[0] for name in expired]
    assert set(expired) < set(first)


def test_a_cell_that_grew_old_is_let_go_with_its_last_row() -> None:
    ledger, archive = ledger_of(400), Archive()
    before = archive.turn_over([("it", ledger)], 10).written
    ledger.compact(T0 + 7 * DAY_MS, T0 - 9 * DAY_MS)
    written, expired = archive.turn_over([("it", ledger)], 20)
    assert set(expired) == set(before)
    assert [name.split("/")[1] for name in written] == ["0"]
    ledger.compact(T0 + 60 * DAY_MS, T0 + 27 * DAY_MS)
    assert set(archive.turn_over([("it", ledger)], 30).expired) == set(written)


def test_what_an_earlier_life_wrote_and_never_named_stays_until_its_cell_changes_behind_it() -> None:
    #   head 10    stray 15   head 20   change   head 30
    # A zombie's head between 15 and the change may still arrive and name it.
    ledger, archive = ledger_of(400), Archive()
    named = archive.turn_over([("it", ledger)], 10).written
    stray = min(named).rpartition("/")[0] + "/15"
    archive.know([*named, stray], 10)
    for offset in (20, 25):
        assert archive.turn_over([("it", ledger)], offset) == ({}, [])
    for minute in range(400, 0, -1):
        ledger.add(T0 - minute * MINUTE_MS, 1, 0)
    assert stray in archive.turn_over([("it", ledger)], 30).expired


def test_a_stray_ahead_of_the_log_is_not_let_go_by_a_change_before_it() -> None:
    ledger, archive = ledger_of(400), Archive()
    named = archive.turn_over([("it", ledger)], 10).written
    stray = max(named).rpartition("/")[0] + "/99"
    archive.know([*named, stray], 10)
    ledger.add(T0 - MINUTE_MS, 1, 0)
    assert stray not in archive.turn_over([("it", ledger)], 20).expired


def test_a_segment_that_is_missing_is_named() -> None:
    with pytest.raises(MissingSegment, match="counts/2/7/40"):
        cells_of("counts", [[2, 7, 40]], {})


@given(st.dictionaries(st.builds(CellName, st.integers(0, 2), st.integers(0, 9)), st.integers(0, 99)))
def test_a_head_names_every_segment_by_its_run(versions: dict[CellName, int]) -> None:
    named = [(name, versions[name]) for name in sorted(versions)]
    runs: Any = runs_of(Cell(name, Loose(), version) for name, version in named)
    assert list(segments_in(runs)) == named
    assert len(runs) == sum(CellName(rank, number - 1) not in versions for rank, number in versions)


# -- the fold


def long_ago(world: World) -> None:
    world.history(T0 - 2000, 9 * 24 * 60, 10, 1)
    world.counts(T0, 10, 1)


def test_a_flush_writes_what_changed_and_not_the_history() -> None:
    world, table = World(objective(window={"rolling": "9d"})), Table()
    long_ago(world)
    table.write(world.fold.take_dirty())
    assert table.segments_count > 3
    world.counts(T0 + MINUTE_MS, 10, 1)
    atom = world.fold.take_dirty()[0]
    assert not atom.segments
    assert len(orjson.dumps(atom.body)) < 1024


def test_segments_do_not_pile_up() -> None:
    world, table = World(objective(window={"rolling": "1d"}, correctFor="1h")), Table()
    long_ago(world)
    most = 0
    for hour in range(1, 24 * 40, 3):
        world.counts(T0 + hour * HOUR_MS, 10, 1)
        world.counts(T0 + hour * HOUR_MS + 1, 10, 1, happened_at=T0 + hour * HOUR_MS - 50 * MINUTE_MS)
        table.write(world.fold.take_dirty())
        most = max(most, table.segments_count)
    assert most <= 10


def test_segments_of_a_stream_whose_head_never_came_are_let_go_in_the_end() -> None:
    world, table = World(objective(window={"rolling": "1d"}, correctFor="1h")), Table()
    long_ago(world)
    table.write(world.fold.take_dirty(), reached=2)
    assert table.segments_count == 2
    world.fold = detect_of(world.catalogue)
    world.fold.load(table.atoms())
    world.offset = -1
    long_ago(world)
    for hour in range(1, 24 * 40, 6):
        world.counts(T0 + hour * HOUR_MS, 10, 1)
        table.write(world.fold.take_dirty())
    head: Any = next(atom for atom in table.atoms() if atom.segments)
    assert len(head.segments) == len(list(segments_in(head.body["measures"]["counts"]["ledger"]["segments"])))


def test_a_head_of_another_shape_is_refused() -> None:
    world = World(objective())
    world.counts(T0, 1, 0)
    atoms = world.fold.take_dirty()
    for wrong in (0, 1):
        changed = [a._replace(body={**a.body, "shape": 2}) if n == wrong else a for n, a in enumerate(atoms)]
        with pytest.raises(UnknownShape, match="shape 2"):
            detect_of(world.catalogue).load(changed)


def test_what_is_told_of_long_ago_lies_in_hours_at_once() -> None:
    # Appended minute by minute behind the last compaction, as `history` is in pieces, nothing merged it afterwards.
    ledger = Ledger()
    ledger.compact(T0, T0 - 30 * DAY_MS)
    for minute in range(5 * 1440):
        ledger.add(T0 - 29 * DAY_MS + minute * MINUTE_MS, 100 + minute % 7, minute % 2, 0)
    ledger.compact(T0, T0 - 30 * DAY_MS)
    *buckets, _newest = ledger.rows()
    assert {bucket.end - bucket.start for bucket in buckets} == {HOUR_MS}
    assert buckets[0].total == sum(100 + minute % 7 for minute in range(60))

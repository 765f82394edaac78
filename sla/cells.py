"""Where the buckets of a ledger lie: stretches of time that grow coarser with age, each kept and written as one.

A cell is loose while it is written to and sealed otherwise; at its ends rows come and go without unpacking it. The
young zone, the buckets since the last whole hour, is always loose: it lies in the head, and all older cells in segments
(docs/decisions/0018).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sla.sealed import COLUMNS_COUNT, Sealed, seal
from sla.units import DAY_MS, HOUR_MS, MINUTE_MS, floor_to

FINE_MS: Final = MINUTE_MS
FINE_FOR_MS: Final = 6 * HOUR_MS
MIDDLE_MS: Final = 5 * MINUTE_MS
MIDDLE_FOR_MS: Final = 3 * DAY_MS
COARSE_MS: Final = HOUR_MS


def step_of(age_or_window_ms: int) -> int:
    """The grid for a window of this length, and for a bucket of this age."""
    if age_or_window_ms <= FINE_FOR_MS:
        return FINE_MS
    return MIDDLE_MS if age_or_window_ms <= MIDDLE_FOR_MS else COARSE_MS


def rolling_edge(window_ms: int, now: int) -> int:
    """The start of the earliest bucket that a rolling window holds at `now`."""
    return rolling(window_ms, now)[0]


def rolling(window_ms: int, now: int) -> tuple[int, int]:
    """That edge, and until when it stays there."""
    step_ms = step_of(window_ms)
    until = (now // step_ms + 1) * step_ms
    return until - window_ms // step_ms * step_ms, until


class Zone(NamedTuple):
    """Buckets of one age: how long they are at most, and the stretch that one cell holds."""

    rank: int  # 0 is the oldest
    step_ms: int
    cell_ms: int


COARSE: Final = Zone(0, COARSE_MS, 16 * DAY_MS)
MIDDLE: Final = Zone(1, MIDDLE_MS, DAY_MS)
FINE: Final = Zone(2, FINE_MS, FINE_FOR_MS)
YOUNG: Final = Zone(3, FINE_MS, 0)
AGED: Final = (COARSE, MIDDLE, FINE)


def ends_of(now: int) -> tuple[int, int, int]:
    """Where the coarse, the middle and the fine zone end at `now`: what begins before an end is of that zone."""
    return (
        floor_to(rolling_edge(MIDDLE_FOR_MS, now), COARSE_MS),
        floor_to(rolling_edge(FINE_FOR_MS, now), MIDDLE_MS),
        floor_to(now, HOUR_MS),
    )


class CellName(NamedTuple):
    """The zone's rank and which of its cells, counted from the Unix epoch."""

    rank: int
    number: int


class Loose:
    """Rows that may change, in order of their starts."""

    __slots__ = ("arrays",)

    def __init__(self, columns: Iterable[Iterable[int]] | None = None) -> None:
        self.arrays = tuple(array("q", each) for each in (columns or ((),) * COLUMNS_COUNT))

    def __len__(self) -> int:
        """How many rows."""
        return len(self.arrays[0])

    @property
    def start(self) -> int:
        """Of its first row; 0 where there is none."""
        return self.arrays[0][0] if self.arrays[0] else 0

    def first_from(self, at: int) -> int:
        """The place of the first row that starts at or after an instant."""
        return bisect_left(self.arrays[0], at)

    def columns(self, first: int, last: int) -> Sequence[Sequence[int]]:
        """Start, length, total, bad and marked of the rows [first, last)."""
        return [each[first:last] for each in self.arrays]

    def totals(self, first: int, last: int) -> tuple[int, int, int]:
        """Total, bad and marked of the rows [first, last), added up."""
        _, _, totals, bads, marks = self.arrays
        if last - first == 1:  # as a window moves by a minute
            return totals[first], bads[first], marks[first]
        return sum(totals[first:last]), sum(bads[first:last]), sum(marks[first:last])

    def between(self, start: int, end: int) -> tuple[int, int, int]:
        """The same of the rows that start in [start, end)."""
        return self.totals(self.first_from(start), self.first_from(end))

    def append(self, row: Iterable[int]) -> None:
        """Put a row behind all others."""
        for each, value in zip(self.arrays, row, strict=True):
            each.append(value)

    def insert(self, place: int, columns: Iterable[Iterable[int]]) -> None:
        """Put rows before the one at a place."""
        for each, values in zip(self.arrays, columns, strict=True):
            each[place:place] = array("q", values)


class Cell:
    """The rows of one stretch. `version` names the segment that holds them as they are; None: no segment does."""

    __slots__ = ("name", "rows", "start", "version")

    def __init__(self, name: CellName, rows: Loose | Sealed, version: int | None = None) -> None:
        self.name = name
        self.rows = rows
        self.start = rows.start
        self.version = version

    def loosen(self) -> Loose:
        """Its rows, to be changed."""
        rows = self.rows
        if isinstance(rows, Sealed):
            rows = self.rows = Loose(rows.columns(0, len(rows)))
        self.version = None
        return rows

    def drop_first(self, count: int) -> None:
        """Take its oldest rows away; some are left."""
        rows = self.rows
        left = rows.behind(count) if isinstance(rows, Sealed) else None
        if left is None:
            for column in self.loosen().arrays:
                del column[:count]
        self._changed(left)

    def append(self, row: Sequence[int]) -> None:
        """Put a row behind all others."""
        self.loosen().append(row)
        self.start = self.rows.start

    def put(self, columns: Sequence[Sequence[int]]) -> None:
        """Put rows between those that are there; nothing lies between them."""
        rows, start = self.rows, columns[0][0]
        is_behind = rows.first_from(start) == len(rows)
        grown = rows.with_more(columns) if isinstance(rows, Sealed) and is_behind else None
        if grown is None:
            loose = self.loosen()
            loose.insert(loose.first_from(start), columns)
        self._changed(grown)

    def _changed(self, rows: Sealed | None) -> None:
        """`rows` are those that it has now, where not its loose ones were changed."""
        if rows is not None:
            self.rows = rows
        self.version = None
        self.start = self.rows.start

    def seal(self) -> Sealed:
        """Its rows, packed."""
        rows = self.rows
        if isinstance(rows, Loose):
            rows = self.rows = seal(rows.arrays)
        return rows


def runs_of(cells: Iterable[Cell]) -> list[list[int | None]]:
    """Which segments hold the cells, as a head names them: rank, first cell and all versions of each unbroken run."""
    runs: list[list[int | None]] = []
    before: CellName | None = None
    for cell in cells:
        if before is None or cell.name != CellName(before.rank, before.number + 1):
            runs.append([*cell.name])
        runs[-1].append(cell.version)
        before = cell.name
    return runs


def segments_in(runs: Iterable[Sequence[int]]) -> Iterator[tuple[CellName, int]]:
    """The cells that `runs_of` named, each with the version of its segment."""
    for rank, first, *versions in runs:
        for number, version in enumerate(versions, first):
            yield CellName(rank, number), version

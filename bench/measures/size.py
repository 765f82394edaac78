"""How large a stream is: in memory, with its objectives, and in the changelog at each flush.

Memory is that of the living objects: what a process holds beyond it was used once, and is measured where it recovers.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Final, NamedTuple

from agents.changelog import Writing
from bench.lab import Lab, Scale
from bench.measures.measure import Found, Measure
from bench.workload.fleet import Fleet
from bench.workload.instants import START_AT
from bench.workload.seasoned import Seasoned
from sla.units import SECOND_MS

_FLUSH_MS: Final = 10 * SECOND_MS


class _Size(NamedTuple):
    services_count: int
    promises_each: int  # in the larger of the two fleets
    touched_count: int
    flushes_count: int


_SIZES: Final = {
    Scale.FULL: _Size(200, 5, 10, 400),  # 400 flushes pass an hour's edge and six of five minutes
    Scale.SMOKE: _Size(10, 3, 2, 10),
}


def grown_bytes(fleet: Fleet) -> int:
    """What the objects of a fold take that holds the fleet and its thirty days, as Python's allocator counts them."""
    seasoned = Seasoned(fleet.catalogue(), fleet, START_AT)
    gc.collect()
    tracemalloc.start()
    feed = seasoned.feed()
    feed.tick(SECOND_MS)
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return grown


def changelog_bytes(fleet: Fleet, flushes_count: int) -> float:
    """The average of what a flush writes for a stream that was touched, over flushes at the default cadence."""
    feed = Seasoned(fleet.catalogue(), fleet, START_AT).feed()
    written_bytes = 0
    for _ in range(flushes_count):
        feed.tick(_FLUSH_MS)
        feed.apply(feed.records(fleet.services_count, 0))
        writing = Writing()
        writing.add(feed.fold.take_dirty())
        written_bytes += sum(len(key) + len(value or b"") for key, value in _records(writing))
    return written_bytes / (flushes_count * fleet.services_count)


def _records(writing: Writing) -> Iterator[tuple[bytes, bytes | None]]:
    yield from writing.segments.items()
    yield from writing.heads.items()
    yield from ((key, None) for key in writing.expired)


def _measured(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    services = size.services_count
    one = grown_bytes(Fleet(services, 1))
    many = grown_bytes(Fleet(services, size.promises_each))
    per_signal, per_objective = one / services, (many - one) / services / (size.promises_each - 1)
    per_key = changelog_bytes(Fleet(size.touched_count, 1), size.flushes_count)
    figures = {
        "bytes_per_signal": per_signal,
        "bytes_per_objective": per_objective,
        "changelog_bytes_per_touched_key": per_key,
    }
    rows = [
        ["memory of a signal with one objective over 30 d", f"{per_signal:,.0f}"],
        ["memory of each further objective on it", f"{per_objective:,.0f}"],
        ["changelog of a touched signal and flush, on average", f"{per_key:,.0f}"],
    ]
    return Found(figures, ("what", "bytes"), rows)


MEASURE: Final = Measure(
    name="size",
    asks="bytes of a signal, of an objective, of a flush",
    keys=("bytes_per_signal", "bytes_per_objective", "changelog_bytes_per_touched_key"),
    minutes=2,
    run=_measured,
)

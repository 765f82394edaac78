"""How long a worker takes to have its state again: from a changelog of ten minutes, and after a kill -9."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from bench.contenders.worker import Worker
from bench.lab import Lab, Scale
from bench.machine import cores, memory
from bench.measures.measure import Found, Measure
from bench.measures.size import grown_bytes
from bench.workload.backlog import PARTITIONS, Backlog, begun, flush, make_room, new_producer
from bench.workload.fleet import Fleet
from bench.workload.folds import TICK
from bench.workload.stream import LiveTraffic
from schemas.topics import TELEMETRY, changelog_of
from tests.harness import wait_for

_ROLE: Final = "detect"
_BYTES_MOST: Final = 3 << 30  # a changelog larger than this is cut to fewer flushes, and the table says so
_WITHIN_S: Final = 240.0
_STATIC: Final = {"FOREWARN_STATIC_MEMBERSHIP": "true", "FOREWARN_WORKER_ID": "bench", "FOREWARN_FLUSH_INTERVAL": "1s"}


class _Size(NamedTuple):
    streams_count: int
    flushes_count: int  # ten minutes at the default cadence
    weighed_count: int  # streams whose memory is measured
    restarts_count: int
    rate: int


_SIZES: Final = {
    Scale.FULL: _Size(10_000, 60, 200, 3, 1_000),
    Scale.SMOKE: _Size(20, 3, 5, 1, 200),
}


class _Changelog(NamedTuple):
    records_count: int
    bytes_count: int
    flushes_count: int


def _measured(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    fleet = Fleet(size.streams_count, 1)
    backlog = begun(lab.broker(), fleet)
    changelog = _write(backlog, size.flushes_count)
    lab.say(f"changelog: {changelog.records_count:,} records, {changelog.bytes_count >> 20:,} MiB")
    recovered_s, peak_bytes = _recover(backlog)
    lab.say(f"recovered in {recovered_s:.1f} s, at most {peak_bytes >> 20:,} MiB")
    live_bytes = grown_bytes(Fleet(size.weighed_count, 1)) / size.weighed_count * size.streams_count
    restarts_s = _restart(lab, size)
    figures = {
        "recovery_s": recovered_s,
        "recovery_records_count": float(changelog.records_count),
        "recovery_peak_over_live": peak_bytes / live_bytes,
        "restart_s": sorted(restarts_s)[len(restarts_s) // 2],
    }
    rows = [
        ["streams, each with one objective over 30 d", f"{size.streams_count:,}"],
        ["flushes in the changelog", f"{changelog.flushes_count}"],
        ["records in the changelog", f"{changelog.records_count:,}"],
        ["MiB in the changelog, uncompressed", f"{changelog.bytes_count / (1 << 20):,.0f}"],
        ["s from start of process to all state loaded", f"{recovered_s:.1f}"],
        ["MiB the process held at most", f"{peak_bytes / (1 << 20):,.0f}"],
        ["MiB the living state takes", f"{live_bytes / (1 << 20):,.0f}"],
        ["s from kill -9 to the first record, static membership", ", ".join(f"{found:.1f}" for found in restarts_s)],
    ]
    return Found(figures, ("what", "figure"), rows)


def _write(backlog: Backlog, flushes_count: int) -> _Changelog:
    """Thirty days of every stream, then flush upon flush with a record of each stream between; nothing compacted."""
    backlog.fill_changelog(_ROLE)
    producer, places, flushes = new_producer(backlog.bootstrap), backlog.places, backlog.seasoned.flushes()
    records_count = bytes_count = 0
    for number in range(1, flushes_count + 1):
        flushed = next(flushes)
        for partition, services in places.items():
            for _ in range(2):  # a head stands at an offset of its partition, so there must be a record
                producer.produce(TELEMETRY.name, TICK, None, partition)
            for key, value in flushed.records(partition, services):
                producer.produce(changelog_of(_ROLE), value, key, partition)
                records_count += 1
                bytes_count += len(value or b"")
                make_room(producer)
        if bytes_count * (number + 1) > _BYTES_MOST * number:
            break
    flush(producer)
    return _Changelog(records_count, bytes_count, number)


def _recover(backlog: Backlog) -> tuple[float, int]:
    began_at = time.monotonic()
    with cores.pinned(cores.OTHERS), Worker(backlog.bootstrap) as worker:
        worker.wait_loaded(PARTITIONS, _WITHIN_S)
        return time.monotonic() - began_at, memory.peak_bytes(worker.pid)


def _restart(lab: Lab, size: _Size) -> list[float]:
    """Seconds from kill -9 to the first record that the next process handles, with traffic all the time."""
    fleet = Fleet(size.streams_count // 10, 3)
    backlog = begun(lab.broker(), fleet)
    backlog.fill_changelog(_ROLE)
    found = []
    for _ in range(size.restarts_count):
        traffic = LiveTraffic(backlog.bootstrap, fleet, size.rate)
        with cores.pinned(cores.OTHERS):
            found.append(_killed(backlog.bootstrap, traffic, _STATIC))
    return found


def _killed(bootstrap: str, traffic: LiveTraffic, environment: Mapping[str, str]) -> float:
    with Worker(bootstrap, **environment) as first:
        first.wait_loaded(PARTITIONS, _WITHIN_S)
        for _ in traffic.turns(5.0):
            pass
        wait_for(lambda: first.records_count() > 0, "the worker to read", within_s=_WITHIN_S, explain=first.log_tail)
        killed_at = time.monotonic()
        first.kill()
        with Worker(bootstrap, **environment) as second:
            for _ in traffic.turns(_WITHIN_S):
                if second.records_count() > 0:
                    return time.monotonic() - killed_at
    raise RuntimeError(f"nothing was read within {_WITHIN_S:g} s after the kill\n{second.log_tail()}")


MEASURE: Final = Measure(
    name="recovery",
    asks="seconds to have 10,000 streams again, and to go on after a kill -9",
    keys=("recovery_s", "recovery_records_count", "recovery_peak_over_live", "restart_s"),
    minutes=6,
    run=_measured,
)

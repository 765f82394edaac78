"""The detector's fold by itself, as a worker runs it, fed from memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bench.workload.instants import iso
from bench.workload.traffic import Traffic
from schemas.dead_letter import dead_letter
from schemas.inbound import decode_telemetry, read_plain_counts
from schemas.topics import TELEMETRY
from sla.catalogue import Catalogue
from sla.detect import Detect
from sla.fold import APPEND_TIME, Line

TICK: Final = b'{"type":"tick"}'


class Held(NamedTuple):
    """A record as a consumer holds it: see `sla.fold.LogRecord`."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    timestamp_type: int = APPEND_TIME


def detector(catalogue: Catalogue, partition: int = 0) -> Detect:
    """A fold that follows this catalogue from its first record."""
    return Detect(
        TELEMETRY.name,
        partition,
        cluster="bench",
        decode=decode_telemetry,
        dead_letter=dead_letter,
        catalogue_reader=lambda _revision, _sha256: catalogue,
        base=catalogue,
        read_plain=read_plain_counts,
    )


class Feed:
    """Gives a fold its records, as the shell does, and counts what it says."""

    def __init__(self, fold: Detect, traffic: Traffic, now: int) -> None:
        """`now` is the log time of the first record; a fold that was loaded goes on behind what it has read."""
        self.fold = fold
        self.now = now
        self.emissions_count = 0
        self._traffic = traffic
        self._offset = 1  # behind the one record that a seasoned partition stands at

    def tick(self, after_ms: int = 0) -> None:
        """Let time pass by a tick."""
        self.now += after_ms
        self.step(None, TICK)

    def step(self, key: bytes | None, value: bytes) -> None:
        """One record, now."""
        self.emissions_count += len(self.fold.step(Line(self._offset, key, value, self.now, self.now)))
        self._offset += 1

    def records(self, count: int, spacing_us: int) -> list[Held]:
        """The next `count` records of the traffic, `spacing_us` of log time apart."""
        return list(self._records(count, spacing_us))

    def _records(self, count: int, spacing_us: int) -> Iterator[Held]:
        began = self.now
        for number in range(count):
            self.now = began + number * spacing_us // 1000
            key, value = self._traffic.record(self._offset, iso(self.now))
            yield Held(self._offset, key, value, self.now)
            self._offset += 1

    def apply(self, records: Sequence[Held]) -> None:
        """As `agents.shell.Shell.handle` does: in bulk where the fold takes it, else one by one."""
        fold, index, end = self.fold, 0, len(records)
        while index < end:
            index = fold.skim(records, index)
            if index == end:
                return
            offset, key, value, at, _ = records[index]
            self.emissions_count += len(fold.step(Line(offset, key, value, at, at)))
            index += 1

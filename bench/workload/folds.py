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
from sla.fold import APPEND_TIME, Emission, Line

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
    """Gives a fold its records, as the shell does."""

    def __init__(self, fold: Detect, traffic: Traffic, now: int, offset: int = 0) -> None:
        """`now` and `offset` are those of the next record."""
        self.fold = fold
        self.now = now
        self._traffic = traffic
        self.offset = offset

    def tick(self, after_ms: int = 0) -> list[Emission]:
        """Let time pass by a tick; what was said."""
        self.now += after_ms
        return self.step(None, TICK)

    def step(self, key: bytes | None, value: bytes) -> list[Emission]:
        """One record, now; what was said."""
        emissions = self.fold.step(Line(self.offset, key, value, self.now, self.now))
        self.offset += 1
        return emissions

    def records(self, count: int, spacing_us: int) -> list[Held]:
        """The next `count` records of the traffic, `spacing_us` of log time apart."""
        return list(self._records(count, spacing_us))

    def _records(self, count: int, spacing_us: int) -> Iterator[Held]:
        began = self.now
        for number in range(count):
            self.now = began + number * spacing_us // 1000
            key, value = self._traffic.record(self.offset, iso(self.now))
            yield Held(self.offset, key, value, self.now)
            self.offset += 1

    def apply(self, records: Sequence[Held]) -> None:
        """As `agents.shell.Shell.handle` does: in bulk where the fold takes it, else one by one."""
        fold, index, end = self.fold, 0, len(records)
        while index < end:
            index = fold.skim(records, index)
            if index == end:
                return
            offset, key, value, at, _ = records[index]
            fold.step(Line(offset, key, value, at, at))
            index += 1

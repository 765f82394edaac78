"""The smallest fold that does the job in Forewarn's shell: every record validated, three sums for each service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from schemas.inbound import decode_telemetry, read_plain_counts
from sla.fold import APPEND_TIME, AtomState, Emission, Line, LogRecord
from sla.records import Counts
from sla.units import MINUTE_MS

HEAD: Final = "@partition"
AHEAD_MS: Final = 5 * MINUTE_MS


class Total:
    """The sums of one service; `offset` is the last record in them."""

    __slots__ = ("bad", "good", "offset", "records", "service", "signal")

    def __init__(self, service: str, signal: str) -> None:
        self.service = service
        self.signal = signal
        self.offset = -1
        self.records = self.good = self.bad = 0


class Counting:
    """See `sla.fold.SkimmingFold`. The atom is a service; the partition's own head holds the last offset."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self._now = 0
        self._offset = -1
        self._totals: dict[bytes | None, Total] = {}
        self._dirty: set[bytes | None] = set()

    @property
    def now(self) -> int | None:
        """The log's time."""
        return self._now

    def load(self, atoms: Iterable[AtomState]) -> None:
        """Take back the sums."""
        for atom in atoms:
            if atom.key == HEAD:
                self._offset, self._now = atom.offset, atom.body["now"]
                continue
            total = self._totals[atom.key.encode()] = Total(atom.key, atom.body["signal"])
            total.offset = atom.offset
            total.records, total.good, total.bad = atom.body["sums"]

    def step(self, line: Line) -> list[Emission]:
        """Any record: validated in full, and counted if it is of counts."""
        if line.offset <= self._offset:
            return []
        self._offset = line.offset
        self._now = max(self._now, line.append_at or 0)
        record = decode_telemetry(line, self._now)
        if isinstance(record, Counts):
            key = record.service.encode()
            total = self._totals.setdefault(key, Total(record.service, record.signal))
            self._add(key, total, line.offset, record.good, record.bad)
        return []

    def _add(self, key: bytes | None, total: Total, offset: int, good: int, bad: int) -> None:
        if offset > total.offset:
            total.offset = offset
            total.records += 1
            total.good += good
            total.bad += bad
            self._dirty.add(key)

    def skim(self, records: Sequence[LogRecord], start: int) -> int:
        """Plain counts of a service and signal that are known: what is left to check is checked here."""
        totals_of, add = self._totals.get, self._add
        for index in range(start, len(records)):
            record = records[index]
            total = totals_of(record.key)
            if total is None or record.timestamp_type != APPEND_TIME or record.offset <= self._offset:
                return index
            plain = read_plain_counts(record.value)
            if plain is None:
                return index
            service, signal, at, good, bad = plain
            if service != total.service or signal != total.signal or at - record.timestamp > AHEAD_MS:
                return index
            self._offset = record.offset
            self._now = max(self._now, record.timestamp)
            add(record.key, total, record.offset, good, bad)
        return len(records)

    def changes(self) -> Iterator[AtomState]:
        """The partition's own head, then the services whose sums have changed."""
        dirty, self._dirty = self._dirty, set()
        yield AtomState(HEAD, self._offset, {"now": self._now})
        for key in dirty:
            self._dirty.discard(key)
            total = self._totals[key]
            sums = [total.records, total.good, total.bad]
            yield AtomState(total.service, total.offset, {"signal": total.signal, "sums": sums})

"""Streams that have been watched for thirty days, without thirty days of records.

One service is told its past; what the fold then stores of it is stored of every other service too, under its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from bench.workload.fleet import SIGNAL, Fleet
from bench.workload.folds import Feed, detector
from bench.workload.traffic import BAD_SHARE, Traffic
from sla.catalogue import Catalogue
from sla.detect import Detect
from sla.fold import AtomState
from sla.units import DAY_MS, MINUTE_MS, SECOND_MS, floor_to

STANDS_AT: Final = 0  # the offset of every seasoned atom: a partition begins with one record that it has read
_PAST_MS: Final = 30 * DAY_MS
_PER_MINUTE_COUNT: Final = 1_500
_FLUSH_MS: Final = 10 * SECOND_MS
_PARTITION_HEAD: Final = "partition/"

Stored = tuple[str, bytes]
"""An atom: its key in the table, and its body as JSON."""


@dataclass(frozen=True, slots=True)
class Atoms:
    """What a flush wrote of one service, and would have written of any other."""

    service: str
    of_service: Sequence[Stored]
    head: bytes

    @classmethod
    def taken(cls, fold: Detect, service: str) -> Atoms:
        """What has changed in a fold that knows this service alone."""
        atoms = [(atom.key, orjson.dumps(atom.body)) for atom in fold.take_dirty()]
        head = next(body for key, body in atoms if key.startswith(_PARTITION_HEAD))
        return cls(service, [atom for atom in atoms if not atom[0].startswith(_PARTITION_HEAD)], head)

    def stored(self, partition: int, services: Sequence[str]) -> Iterator[Stored]:
        """The atoms of one partition with these services; the partition's own head comes last."""
        old = self.service.encode()
        for service in services:
            new = service.encode()
            for key, body in self.of_service:
                yield key.replace(self.service, service), body.replace(old, new)
        yield f"{_PARTITION_HEAD}{partition}", self.head


class Seasoned:
    """A fleet at `now`, after thirty days with traffic in every minute, a little of it bad."""

    def __init__(self, catalogue: Catalogue, fleet: Fleet, now: int) -> None:
        """Telling one service its past takes a moment."""
        self._catalogue = catalogue
        self._fleet = fleet
        self._now = now
        self._first = fleet.services[0]
        self.atoms = Atoms.taken(self._told_the_past(), self._first)

    def _told_the_past(self) -> Detect:
        service, now = self._first, self._now
        fold = detector(self._catalogue)
        feed = Feed(fold, Traffic(self._fleet), now)
        feed.tick()
        end, good = floor_to(now, MINUTE_MS), _PAST_MS // MINUTE_MS * _PER_MINUTE_COUNT
        past = {"from": end - _PAST_MS, "to": end, "good": good, "bad": good // 5_000}
        feed.step(service.encode(), orjson.dumps({"type": "history", **self._stream(), **past}))
        feed.step(service.encode(), self._live(now))
        return fold

    def _stream(self) -> dict[str, str]:
        return {"service": self._first, "signal": SIGNAL}

    def _live(self, at: int) -> bytes:
        return orjson.dumps({"type": "counts", **self._stream(), "at": at, "good": 300, "bad": 0})

    def flushes(self) -> Iterator[Atoms]:
        """What the next flushes write at the default cadence, with a record between, for ever."""
        fold = detector(self._catalogue)
        fold.load(self._loaded([self._first]))
        feed = Feed(fold, Traffic(self._fleet), self._now)
        while True:
            feed.tick(_FLUSH_MS)
            feed.step(self._first.encode(), self._live(feed.now))
            yield Atoms.taken(fold, self._first)

    def _loaded(self, services: Sequence[str]) -> Iterator[AtomState]:
        return (AtomState(key, STANDS_AT, orjson.loads(body)) for key, body in self.atoms.stored(0, services))

    def feed(self, bad_share: float = BAD_SHARE) -> Feed:
        """A fold that holds the whole fleet, and goes on from there with this share of bad records."""
        fold = detector(self._catalogue)
        fold.load(self._loaded(self._fleet.services))
        return Feed(fold, Traffic(self._fleet, bad_share), self._now)

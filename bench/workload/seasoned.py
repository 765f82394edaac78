"""Streams that have been watched for thirty days, without thirty days of records.

One service is told its past; what the fold then writes of it is written of every other service too, under its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import orjson

from agents.changelog import Writing, atoms_of, is_segment
from bench.workload.fleet import SIGNAL, Fleet
from bench.workload.folds import Feed, detector
from bench.workload.traffic import BAD_SHARE, Traffic
from sla.catalogue import Catalogue
from sla.cells import COARSE_MS, step_of
from sla.detect import Detect
from sla.fold import AtomState
from sla.units import DAY_MS, MINUTE_MS, SECOND_MS, floor_to

_PAST_MS: Final = 30 * DAY_MS
_WATCHED_MS: Final = 61 * MINUTE_MS  # live, at the end: an hour's edge brings all that is old into its place
_TICK_MS: Final = 10 * SECOND_MS
_FLUSH_MS: Final = 10 * SECOND_MS
_PARTITION_HEAD: Final = b"partition/"

Written = tuple[bytes, bytes | None]
"""A record of the changelog: key and value; None deletes."""


@dataclass(frozen=True, slots=True)
class Flush:
    """What a flush wrote of one service, and would have written of any other."""

    service: str
    of_service: Sequence[Written]
    head: bytes

    @classmethod
    def of(cls, atoms: Iterable[AtomState], service: str) -> Flush:
        """What a fold gave that knows this service alone."""
        writing = Writing()
        writing.add(atoms)
        (head,) = (value for key, value in writing.heads.items() if value and key.startswith(_PARTITION_HEAD))
        heads = [(key, value) for key, value in writing.heads.items() if not key.startswith(_PARTITION_HEAD)]
        return cls(service, [*writing.segments.items(), *heads, *((key, None) for key in writing.expired)], head)

    def records(self, partition: int, services: Sequence[str]) -> Iterator[Written]:
        """The changelog's records of one partition with these services; the partition's own head comes last."""
        old = self.service.encode()
        for service in services:
            new = service.encode()
            for key, value in self.of_service:
                if value is None:
                    yield key.replace(old, new), None
                elif is_segment(key):
                    yield key.replace(old, new), bytes(bytearray(value))  # each has its own in memory, as in life
                else:
                    yield key.replace(old, new), value.replace(old, new)
        yield _PARTITION_HEAD + str(partition).encode(), self.head


class Seasoned:
    """A fleet at `now`, after thirty days with traffic in every minute, a little of it bad."""

    def __init__(self, catalogue: Catalogue, fleet: Fleet, now: int) -> None:
        """Telling one service its past takes a moment. `offset` is what a partition of this past goes on with."""
        self._catalogue = catalogue
        self._fleet = fleet
        self._now = now
        self._first = fleet.services[0]
        self.past = Flush.of(self._told_the_past().take_dirty(), self._first)

    def _told_the_past(self) -> Detect:
        fold = detector(self._catalogue)
        feed = Feed(fold, Traffic(self._fleet), self._now - _WATCHED_MS)
        feed.tick()
        for record in self._past(floor_to(feed.now, MINUTE_MS)):
            feed.step(self._first.encode(), record)
        while feed.now < self._now:
            feed.step(self._first.encode(), self._live(feed.now))
            feed.tick(min(_TICK_MS, self._now - feed.now))
        self.offset = feed.offset
        return fold

    def _past(self, end: int) -> Iterator[bytes]:
        """Told as finely as it is remembered, so that no two buckets are alike."""
        random = Random(7)  # noqa: S311 - the same past each time
        at = end - _PAST_MS
        while at < end:
            span_ms = step_of(end - at - COARSE_MS)
            minutes = span_ms // MINUTE_MS
            counts = {"good": random.randrange(800, 2_200) * minutes, "bad": random.randrange(60) * minutes // 100}
            span = {"from": at, "to": at + span_ms}
            yield orjson.dumps({"type": "history", "service": self._first, "signal": SIGNAL, **span, **counts})
            at += span_ms

    def _live(self, at: int) -> bytes:
        random = Random(at)  # noqa: S311
        counts = {"good": random.randrange(100, 400), "bad": 0}
        return orjson.dumps({"type": "counts", "service": self._first, "signal": SIGNAL, "at": at, **counts})

    def flushes(self) -> Iterator[Flush]:
        """What the next flushes write at the default cadence, for ever; two records of a partition lie before each."""
        fold = self._loaded([self._first])
        feed = Feed(fold, Traffic(self._fleet), self._now, self.offset)
        while True:
            feed.tick(_FLUSH_MS)
            feed.step(self._first.encode(), self._live(feed.now))
            yield Flush.of(fold.take_dirty(), self._first)

    def _loaded(self, services: Sequence[str]) -> Detect:
        fold = detector(self._catalogue)
        fold.load(atoms_of({key: value for key, value in self.past.records(0, services) if value is not None}))
        return fold

    def feed(self, bad_share: float = BAD_SHARE) -> Feed:
        """A fold that holds the whole fleet, and goes on from there with this share of bad records."""
        fold = self._loaded(self._fleet.services)
        return Feed(fold, Traffic(self._fleet, bad_share), self._now, self.offset)

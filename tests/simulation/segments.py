"""What a changelog holds of segments at every moment: those that the winning heads name, and those that expired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from agents.changelog import is_segment, parts_of, segment_key
from agents.heads import RENEW_AFTER_S
from agents.transport import unpack
from sla.cells import segments_in
from sla.dedup import encoded
from sla.detect.measures import slices_label
from tests.simulation.broker import Record
from tests.simulation.evidence import Evidence

PATIENCE_S: Final = 45.0  # some flushes, each with slow answers


class Keys:
    """The records of one partition, as somebody finds them who recovers now."""

    def __init__(self) -> None:
        self.there: set[bytes] = set()
        self.named: dict[bytes, frozenset[bytes]] = {}  # by the head that wins, by atom
        self.expired: dict[bytes, float] = {}  # named once and no more: since when
        self.missing: frozenset[bytes] = (
            frozenset()
        )  # named by the head that was just written, or by that of a deleted one
        self._offsets: dict[bytes, int] = {}

    def take(self, record: Record) -> None:
        key, value = record.key or b"", record.value
        self.missing = frozenset()
        if value is None:
            self.there.discard(key)
            self.expired.pop(key, None)
            self.missing = self.named.get(parts_of(key)[0].encode(), frozenset()) & {key}
        elif is_segment(key):
            self.there.add(key)
        else:
            self._take_head(key, value, record.appended_at)

    def _take_head(self, key: bytes, value: bytes, at: float) -> None:
        offset, body = unpack(value)
        if offset < self._offsets.get(key, -1):
            return
        self._offsets[key] = offset
        now = frozenset(segment_key(key.decode(), name) for name in _named(orjson.loads(body)))
        for each in self.named.get(key, frozenset()) - now:
            self.expired.setdefault(each, at)
        self.named[key] = now
        self.missing = now - self.there


def _named(body: Mapping[str, Any]) -> Iterator[str]:
    for label, measure in body.get("measures", {}).items():
        ledgers = {label: measure, **{slices_label(name): board for name, board in measure.get("boards", {}).items()}}
        for each, holder in ledgers.items():
            for cell, version in segments_in(holder["ledger"]["segments"]):
                yield "/".join([encoded(each), *map(str, (*cell, version))])


def recoveries(changelog: Iterable[Record]) -> Iterator[tuple[Record, Keys]]:
    """After each write."""
    keys = Keys()
    for record in changelog:
        keys.take(record)
        yield record, keys


def a_head_finds_its_segments(evidence: Evidence) -> Iterator[str]:
    """Whenever somebody recovers: what the head that wins names is there, and is not deleted while it wins."""
    for place, changelog in evidence.outcome.history.items():
        for record, keys in recoveries(changelog):
            if keys.missing:
                yield f"{place} at {record.appended_at:.1f} s, {record.key!r}: {sorted(keys.missing)[:2]} are not there"


def a_segment_that_expired_goes(evidence: Evidence) -> Iterator[str]:
    """What a head no longer names is deleted when its partition has stayed with one worker for long enough."""
    outcome = evidence.outcome
    settled_from = outcome.settled_from
    for place, changelog in outcome.history.items():
        keys = Keys()
        for record in changelog:
            keys.take(record)
        for key, since in keys.expired.items():
            if since > settled_from and max(since, settled_from + RENEW_AFTER_S) + PATIENCE_S < outcome.stopped_at:
                yield f"{place}: {key!r} has expired {outcome.stopped_at - since:.0f} s before the end, and is kept"

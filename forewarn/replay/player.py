"""Plays an input through folds: lines and synthesised ticks in the order of log time, feeds directly after their cause.

Knows no topic by name but the catalogue's: which folds there are, and what they feed, is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from typing import BinaryIO, Final

import orjson

from forewarn.replay.order import Item, in_order
from forewarn.replay.survey import Place, Survey
from forewarn.replay.track import Track
from schemas.dead_letter import dead_letter
from sla.fold import Emission, Line
from sla.partitioner import partition_of
from sla.records import Reason, Rejection
from sla.units import ceil_to

_NO_TIMESTAMP: Final = -1  # as in Kafka

Write = Callable[[bytes], object]
IsHeld = Callable[[str, str], bool]
"""Whether the input holds already what the fold of the first topic writes to the second."""
_BAD_LINE: Final = Rejection(
    Reason.BAD_LINE,
    'no object {"topic","key","value","timestamp"[,"partition","offset","timestamp_type"]}, or one with a field of'
    " the wrong kind",
)


class Player:
    """One replay, after its survey."""

    def __init__(self, survey: Survey, tracks: dict[Place, Track], is_held: IsHeld, step_ms: int) -> None:
        """`tracks` are all partitions."""
        self._tracks = tracks
        self._is_held = is_held
        self._partitions: dict[str, list[Track]] = {}  # of a topic, in order
        for (topic, _), track in sorted(tracks.items(), key=lambda each: each[0]):
            self._partitions.setdefault(topic, []).append(track)
        self._step_ms = step_ms
        self._survey = survey
        earliest_at = survey.earliest_at
        self._first_tick_at = None if earliest_at is None else ceil_to(earliest_at, step_ms)
        self._end_at = survey.end_at
        self._due = [] if self._first_tick_at is None else self._first_ticks(self._first_tick_at)

    def play(self, source: BinaryIO, write: Write) -> None:
        """Apply everything; what is published goes to `write`, a line of JSON each."""
        tracks, due = self._tracks, self._due
        for item in in_order(source, self._survey, self._first_tick_at, self._step_ms):
            if due and due[0][0] <= item.at:
                self._tick_to((item.at, *item.place), write)
            entry = item.entry
            if entry is None:
                write(_printed(_bad_line(item)))
                continue
            track = tracks[item.place]
            emissions = track.apply(entry)
            if emissions:
                self._publish(track, emissions, write)
        if self._end_at is not None:
            self._tick_to((self._end_at + 1, "", -1), write)

    def _first_ticks(self, first_tick_at: int) -> list[tuple[int, str, int]]:
        has_ticks = self._survey.has_ticks
        silent = [place for place in self._tracks if not has_ticks.get(place, False)]
        if self._end_at is None or first_tick_at > self._end_at:
            return []
        due = [(first_tick_at, *place) for place in silent]
        heapify(due)
        return due

    def _tick_to(self, limit: tuple[int, str, int], write: Write) -> None:
        """All ticks up to this log time and place, in order."""
        due = self._due
        while due and due[0] <= limit:
            at, topic, partition = due[0]
            track = self._tracks[topic, partition]
            emissions = track.tick(at)
            next_at = ceil_to(at + 1, track.pace.step_ms)
            if self._end_at is not None and next_at <= self._end_at:
                heapreplace(due, (next_at, topic, partition))
            else:
                heappop(due)
            if emissions:
                self._publish(track, emissions, write)

    def _publish(self, track: Track, emissions: Sequence[Emission], write: Write) -> None:
        """Print what one record caused, then what the folds that it feeds make of it."""
        for emission in self._with_fed(track, emissions):
            write(_printed(emission))

    def _with_fed(self, track: Track, emissions: Sequence[Emission]) -> Iterator[Emission]:
        at = track.fold.now
        published = deque((track.fold.topic, emission) for emission in emissions)
        while published:  # grows while it is read: a fed fold may feed the next one
            cause, emission = published.popleft()
            yield emission
            if emission.topic not in self._partitions or at is None or self._is_held(cause, emission.topic):
                continue
            key = None if emission.key is None else emission.key.encode()
            for fed in self._fed_by(emission):
                published += ((emission.topic, each) for each in fed.feed(key, orjson.dumps(emission.value), at))

    def _fed_by(self, emission: Emission) -> list[Track]:
        tracks = self._partitions[emission.topic]
        if emission.everywhere or len(tracks) == 1:
            return tracks
        return [tracks[partition_of((emission.key or "").encode(), len(tracks))]]


def _bad_line(item: Item) -> Emission:
    stamped_at = _NO_TIMESTAMP if item.at < 0 else item.at
    return dead_letter(_BAD_LINE, None, None, Line(item.number, None, item.raw.removesuffix(b"\n"), stamped_at, None))


def _printed(emission: Emission) -> bytes:
    line = {"topic": emission.topic, "key": emission.key, "value": emission.value}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)

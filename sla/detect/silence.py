"""Where a stream was silent, and how much of that is no data (semantics.md 1, No data).

Kept are the stretches between neighbouring records that are long enough to matter. What of them is no data depends on
the exclusions and gaps in force, which come and go, and so is worked out from the stretches and never kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from sla.detect.track import Track
from sla.intervals import Interval, merged
from sla.records import Exclusion
from sla.working_time import WorkingTime


class Silence:
    """The silence of one stream, for all its tracks. `newest_at` is the instant of its newest record."""

    def __init__(self) -> None:
        self.stretches: list[Interval] = []
        self.unwatched: Sequence[Interval] = ()  # excluded, or nobody was watching
        self._least_ms: int | None = None  # the shortest silence that a track minds

    @property
    def is_minded(self) -> bool:
        """Whether a track has something to say of silence."""
        return self._least_ms is not None

    @property
    def ended_at(self) -> int:
        """The end of the last stretch that is kept."""
        return self.stretches[-1][1] if self.stretches else 0

    def may_be_shorter_than(self, span_ms: int) -> bool:
        """Whether a track minds a silence as short as that."""
        return self._least_ms is not None and self._least_ms < span_ms

    def bind(self, tracks: Iterable[Track]) -> None:
        """Follow the definitions of these tracks."""
        minded = [track.objective.no_data.after_ms for track in tracks if track.objective.no_data is not None]
        self._least_ms = min(minded, default=None)

    def watch(self, exclusions: Iterable[Exclusion], gaps: Iterable[Interval]) -> None:
        """Let silence run only outside of these."""
        self.unwatched = merged([*(e.interval for e in exclusions), *gaps])

    def due_at(self, track: Track, newest_at: int | None) -> int | None:
        """When no data begins: counted time since the newest record, in which somebody was watching."""
        rule = track.objective.no_data
        if rule is None or newest_at is None:
            return None
        return track.objective.hours.after(newest_at, rule.after_ms, self.unwatched)

    def find(self, tracks: Iterable[Track], newest_at: int | None, now: int) -> None:
        """Since when there is no data, by what is known now, whatever was thought before."""
        for track in tracks:
            due_at = self.due_at(track, newest_at)
            track.silent_since = due_at if due_at is not None and due_at <= now else None

    def find_past(self, tracks: Iterable[Track]) -> None:
        """Which of the stretches between records were no data."""
        for track in tracks:
            rule, hours = track.objective.no_data, track.objective.hours
            track.silences = self._no_data(self.stretches, rule.after_ms, hours) if rule is not None else ()

    def note(self, tracks: Iterable[Track], at: int, heard: Interval) -> None:
        """Take in a record, `heard` being the instants of the earliest and of the newest one before it."""
        if self._least_ms is None or (heard[0] <= at <= heard[1] and not self.stretches):
            return
        if at > heard[1]:
            if at - heard[1] <= self._least_ms:
                return
            self.stretches.append((heard[1], at))
            for track in tracks:
                if track.objective.no_data is not None:
                    rule, hours = track.objective.no_data, track.objective.hours
                    track.silences += self._no_data(self.stretches[-1:], rule.after_ms, hours)
        elif self._is_split(at, heard[0], self._least_ms):
            self.find_past(tracks)

    def _is_split(self, at: int, earliest_at: int, least_ms: int) -> bool:
        """Take in a record that lies before the newest; whether that changed the stretches."""
        if at < earliest_at:
            if earliest_at - at > least_ms:
                self.stretches.insert(0, (at, earliest_at))
                return True
            return False
        index = bisect_left(self.stretches, (at,)) - 1
        if index < 0 or at >= self.stretches[index][1]:
            return False
        start, end = self.stretches[index]
        self.stretches[index : index + 1] = [(a, b) for a, b in ((start, at), (at, end)) if b - a > least_ms]
        return True

    def forget_before(self, at: int) -> None:
        """Drop what ended before an instant."""
        self.stretches = [(start, end) for start, end in self.stretches if end > at]

    def _no_data(self, stretches: Iterable[Interval], after_ms: int, hours: WorkingTime) -> tuple[Interval, ...]:
        found = ((hours.after(start, after_ms, self.unwatched), end) for start, end in stretches)
        return tuple((begin, end) for begin, end in found if begin is not None and begin < end)

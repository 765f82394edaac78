"""The short way for plain counts: of a stream that has been touched since the last decision, and is in order.

Such a record adds to the stream's open bucket. All else that a record does (time, timers, silence, what is to be stored
and decided) was done by the one before it. For which streams that holds is what a lane says; whatever may change it
shuts lanes, and the next record goes the long way (`Partition.measure`), which opens them anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sla.cells import FINE_MS
from sla.detect.measures import COUNTS
from sla.detect.stream import Stream
from sla.fold import APPEND_TIME, LogRecord, ReadPlain
from sla.ledger import Ledger
from sla.records import Counts, Measurement

_NONE: Final[dict[str, Lane]] = {}


class Lane:
    """Where one stream's plain counts go while their instant lies in [low, high)."""

    __slots__ = ("high", "ledger", "low", "newest_at", "service", "stream")

    def __init__(self, stream: Stream, ledger: Ledger, low: int, newest_at: int) -> None:
        self.service = stream.service
        self.stream = stream
        self.ledger = ledger
        self.low = low
        self.high = ledger.open_end
        self.newest_at = newest_at


def is_in_order(stream: Stream, record: Measurement) -> bool:
    """Whether a record only adds to the open bucket of its stream's counts, or opens one behind closed ones."""
    counts, (_, live_at), newest_at = stream.measures.get(COUNTS), stream.seen, stream.newest_at
    if counts is None or live_at is None or newest_at is None or type(record) is not Counts:
        return False
    ledger, at = counts.ledger, record.at
    if at < ledger.open_start or (at >= ledger.open_end and ledger.open_start != ledger.open_end):
        return False
    if at < live_at or at < stream.silence.ended_at or stream.silence.may_be_shorter_than(at - newest_at):
        return False
    return all(track.silent_since is None for track in stream.tracks.values())


class Lanes:
    """The open lanes of a partition, by key of the record and signal."""

    def __init__(self) -> None:
        self._open: dict[bytes | None, dict[str, Lane]] = {}
        self._last: dict[bytes | None, dict[str, Lane]] = {}  # those that were open when all were shut

    def was_open(self, stream: Stream) -> bool:
        """Whether it is a busy stream: it had a lane before the last decision, and will want one again."""
        return stream.signal in self._last.get(stream.service.encode(), _NONE)

    def shut(self, stream: Stream) -> None:
        """A record of the stream goes the long way."""
        self._open.get(stream.service.encode(), _NONE).pop(stream.signal, None)

    def shut_all(self) -> None:
        """Something happened that may concern every stream."""
        if self._open:
            self._last, self._open = self._open, {}

    def open(self, stream: Stream, decides_at: int) -> None:
        """After a record on time: its like may go the short way, until the next decision at `decides_at`.

        Lateness is reckoned from that decision: a lane may refuse what is on time, it never takes what is late.
        """
        counts = stream.measures.get(COUNTS)
        live_at, newest_at = stream.seen.live_at, stream.newest_at
        if counts is None or stream.has_boards or live_at is None or newest_at is None:
            return
        if any(not measure.ledger.hours.is_always for measure in stream.measures.values()):
            return
        ledger = counts.ledger
        # Within a bucket no silence can begin or end that anybody minds.
        if newest_at < ledger.open_start or stream.silence.may_be_shorter_than(FINE_MS):
            return
        if any(track.silent_since is not None for track in stream.tracks.values()):
            return
        low = max(ledger.open_start, live_at, stream.silence.ended_at, decides_at - stream.grace_ms)
        lane = Lane(stream, ledger, low, newest_at)
        self._open.setdefault(stream.service.encode(), {})[stream.signal] = lane

    def skim(self, records: Sequence[LogRecord], start: int, read: ReadPlain, now: int, until: int) -> tuple[int, int]:
        """Count the records from `start` on, up to the first that must go the long way: its index, and the log time.

        The log's time is `now`, and nothing is due before `until`.
        """
        lanes_of = self._open.get
        for index in range(start, len(records)):
            record = records[index]
            stamped_at = record.timestamp
            by_signal = lanes_of(record.key)
            if not by_signal or stamped_at >= until or record.timestamp_type != APPEND_TIME:
                return index, now
            plain = read(record.value)
            if plain is None:
                return index, now
            service, signal, at, good, bad = plain
            lane = by_signal.get(signal)
            if lane is None or service != lane.service or not lane.low <= at < lane.high:
                return index, now
            if stamped_at > now:  # noqa: PLR1730 - a call of max() costs a tenth of all the work here
                now = stamped_at
            if at > lane.newest_at:
                # What is a little ahead of the log is now.
                lane.newest_at = lane.stream.newest_at = at if at <= now else now  # noqa: FURB136 - as above
            ledger = lane.ledger
            ledger.open_total += good + bad
            if bad:
                ledger.open_bad += bad
        return len(records), now

"""What each stream waits for, and what happens when it is due: silence, slices, periods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sla.catalogue import Agreement, CalendarPeriod, Catalogue
from sla.dedup import close_place, read_close_place
from sla.detect.account import Account
from sla.detect.judge import Judge
from sla.detect.moment import Moment
from sla.detect.stream import Stream
from sla.detect.timers import Timer, Timers
from sla.detect.track import Track
from sla.fold import Emission
from sla.periods import period_at

QUIET: Final = "0 quiet"  # of the whole partition: a silence ends
ACK: Final = "0 ack"
PERIOD: Final = "1 period"
SILENCE: Final = "2 silence"
SLICE: Final = "3 slice"
CLOSE: Final = "4 close"


class Agenda:
    """The timers of a partition's streams. Derived from the streams alone, so a restart makes it anew."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._timers = Timers()

    def clear(self) -> None:
        """Wait for nothing."""
        self._timers = Timers()

    @property
    def due_at(self) -> int:
        """Before this nothing is due."""
        return self._timers.due_at

    def next_due(self, until: int) -> Timer | None:
        """The next timer due at or before an instant; it is no longer set."""
        return self._timers.pop(until)

    def put_back(self, timers: Iterable[Timer]) -> None:
        """What was due, but not yet for its stream."""
        for timer in timers:
            self._timers.set(timer)

    # -- setting

    def schedule(self, stream: Stream, catalogue: Catalogue, now: int) -> None:
        """Set everything that a stream waits for."""
        self.schedule_silences(stream)
        self.schedule_slices(stream)
        for name, track in stream.tracks.items():
            self.wait_for_ack(stream, track)
            self._schedule_period(stream, track, now)
            for agreement in catalogue.agreements_of(name):
                self._schedule_close(stream, track, agreement, now)

    def schedule_silences(self, stream: Stream) -> None:
        """After what counts as watched time has changed: when silence becomes no data."""
        for name, track in stream.tracks.items():
            due_at = stream.silence_due_at(track)
            if due_at is not None and track.silent_since is None:
                self._timers.set(_timer(due_at, SILENCE, stream, track.key, name))

    def listen(self, stream: Stream) -> None:
        """After a record: a clock of silence runs for every track. One that runs already looks again when it ends."""
        for name, track in stream.tracks.items():
            silence = track.objective.no_data
            if silence is not None and track.silent_since is None and stream.newest_at is not None:
                self._timers.ensure(_timer(stream.newest_at + silence.after_ms, SILENCE, stream, track.key, name))

    def schedule_slices(self, stream: Stream) -> None:
        """The next slice of every objective that is judged in slices."""
        for name, account in stream.accounts.items():
            if account.board is not None and account.board.due_at is not None:
                self._timers.set(_timer(account.board.due_at, SLICE, stream, account.track.key, name))

    def wait_for_ack(self, stream: Stream, track: Track) -> None:
        """When an acknowledgement ends by itself."""
        if track.flags.acked_until is not None:
            self._timers.set(_timer(track.flags.acked_until, ACK, stream, track.key, track.objective.name))

    def wait_for_silence(self, until_at: int) -> None:
        """When people are told again."""
        self._timers.set(Timer(until_at, QUIET, "", "", "", str(until_at)))

    def _schedule_period(self, stream: Stream, track: Track, now: int) -> None:
        window = track.objective.window
        if isinstance(window, CalendarPeriod):
            if track.period_start is None:
                track.period_start = period_at(window, now).start
            end = period_at(window, track.period_start).end
            self._timers.set(_timer(end, PERIOD, stream, track.key, track.objective.name))

    def _schedule_close(self, stream: Stream, track: Track, agreement: Agreement, now: int) -> None:
        if agreement.period is None:
            return
        place = close_place(agreement.name, track.objective.name)
        start = stream.closes.setdefault(place, period_at(agreement.period, now).start)
        end = period_at(agreement.period, start).end
        self._timers.set(_timer(end + stream.grace_ms, CLOSE, stream, place, place))

    # -- running

    def run(self, timer: Timer, stream: Stream, moment: Moment) -> list[Emission]:
        """What is due now, and the setting of what comes after it."""
        if timer.kind == CLOSE:
            return self._close(stream, timer.name, moment)
        account = stream.accounts.get(timer.name)
        if account is None:
            return []
        if timer.kind == ACK:
            rule = account.track.flags.expire(moment.at)
            return [] if rule is None else self._judge.flags(stream, account, moment, rule)
        if timer.kind == SILENCE:
            return self._fall_silent(stream, account, moment)
        if timer.kind == SLICE:
            emissions = self._judge.slice(stream, account, moment)
            self.schedule_slices(stream)
            return emissions
        emissions = self._judge.period(stream, account, moment)
        self._schedule_period(stream, account.track, moment.at)
        return emissions

    def _fall_silent(self, stream: Stream, account: Account, moment: Moment) -> list[Emission]:
        due_at = stream.silence_due_at(account.track)
        if due_at is None or due_at > moment.at:
            self.schedule_silences(stream)
            return []
        if account.track.silent_since is not None:
            return []  # found by a record that changed what counts; the next decision says it
        return self._judge.silence(stream, account, moment)

    def _close(self, stream: Stream, place: str, moment: Moment) -> list[Emission]:
        name, objective = read_close_place(place)
        agreement, account = moment.catalogue.agreements.get(name), stream.accounts.get(objective)
        if agreement is None or account is None or agreement.period is None:
            return []
        period = period_at(agreement.period, stream.closes[place])
        stream.closes[place] = period.end
        self._schedule_close(stream, account.track, agreement, moment.at)
        # The record tells the windows as of now, and not as of whichever decision was the last in this process.
        account.ledger.advance(moment.at)
        return self._judge.close(stream, account, agreement, period, moment._replace(at=period.end))


def _timer(due_at: int, kind: str, stream: Stream, key: str, name: str) -> Timer:
    return Timer(due_at, kind, key, stream.service, stream.signal, name)

"""A stream: one signal of one service, with every objective on it. The atom of `detect`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sla.archive import Archive
from sla.catalogue import Agreement, CalendarPeriod, Catalogue, Objective, Timeslices
from sla.dedup import close_place, objective_key
from sla.detect.account import Account, Seen, watch
from sla.detect.facts import allowance_edges
from sla.detect.history import bounds_of, minutes_of
from sla.detect.limits import FOREVER_MS, Lateness, keep_ms_of
from sla.detect.measures import Measure, UptimeMeasure, measure_key, new_measure, slices_label
from sla.detect.silence import Silence
from sla.detect.slices import SliceBoard
from sla.detect.track import Track
from sla.intervals import Interval
from sla.ledger import Ledger
from sla.periods import edges_between
from sla.records import Exclusion, History, Measurement
from sla.units import DAY_MS, MINUTE_MS, floor_to


class Stream:
    """Measures, tracks and what ties them together. `offset` is where its table entry stood when it was loaded.

    `begun_offset` is that of its first record; one before it, read again, found no stream.
    """

    def __init__(self, service: str, signal: str, begun_offset: int = -1) -> None:
        self.service = service
        self.signal = signal
        self.offset = -1
        self.begun_offset = begun_offset
        self.seen = Seen(None, None)
        self.newest_at: int | None = None
        self.sequences: dict[str, int] = {}
        self.measures: dict[str, Measure] = {}
        self.tracks: dict[str, Track] = {}
        self.accounts: dict[str, Account] = {}
        self.in_order: list[Account] = []  # by dedup key, as events of one instant are ordered
        self.closes: dict[str, int] = {}  # by `close_place`: start of the period to close next
        self.exclusions: list[Exclusion] = []
        self.gaps: Sequence[Interval] = ()
        self.silence = Silence()
        self.archive = Archive()
        self.catalogue = Catalogue()  # the revision that it follows
        self.promised: list[Agreement] = []
        self.agreement_periods: list[CalendarPeriod] = []
        self.grace_ms = 0
        self.correct_for_ms = 0
        self.keep_ms = 0
        self.has_boards = False  # an objective is judged in slices
        self.is_touched = False  # a record came since the last decision
        self.is_restless = False  # time alone may change the next decision
        self.corrected_at = 0  # the decision that last looked for corrections
        self.late: dict[str, list[tuple[int, int, int]]] = {}  # by objective: late (at, total, bad) since then

    @property
    def atom_key(self) -> str:
        """The stream's key in the table."""
        return f"stream/{objective_key(self.service, self.signal)}"

    # -- definitions

    def bind(self, catalogue: Catalogue, now: int) -> None:
        """Follow a revision: keep what continues, begin what is new."""
        before, self.tracks = self.tracks, {}
        for objective in catalogue.evaluated_of(self.service, self.signal):
            self._adopt(objective, before, now)
        self._make_measures()
        self._settle_in(catalogue, now)
        self._compact(now)
        self._apply_exclusions(now)
        self.silence.find(self.tracks.values(), self.newest_at, now)

    def leaving(self, catalogue: Catalogue) -> list[Track]:
        """The tracks that a revision no longer holds, by name; one that goes into shadow or comes out ends there."""
        objectives = catalogue.evaluated_of(self.service, self.signal)
        kept = {(name, o.mode) for o in objectives for name in (o.name, o.renamed_from)}
        return [track for name, track in sorted(self.tracks.items()) if (name, track.objective.mode) not in kept]

    def restore(
        self, catalogue: Catalogue, measures: Mapping[str, Any], segments: Mapping[str, bytes], now: int
    ) -> None:
        """Take back the counts that a table entry holds; the tracks must be there."""
        self.archive.know(segments, self.offset)
        self._make_measures()
        for key, body in measures.items():
            if key in self.measures:
                self.measures[key].load(key, body, segments)
        self._settle_in(catalogue, now)
        self._apply_exclusions(now)

    def _adopt(self, objective: Objective, before: dict[str, Track], now: int) -> None:
        track = before.pop(objective.name, None) or before.pop(objective.renamed_from or "", None)
        if track is None or track.objective.mode is not objective.mode:
            track = Track(objective_key(self.service, objective.renamed_from or objective.name), objective)
        elif (track.objective.version, track.objective.hours) != (objective.version, objective.hours):
            track.published_from = max(now + 1, track.published_from)  # of now the definition before has told
            for measure in self.measures.values():
                measure.ledger.cut(now, now)
        track.objective = objective
        self.tracks[objective.name] = track

    def _make_measures(self) -> None:
        before, self.measures, self.accounts = self.measures, {}, {}
        boards = {name: board for measure in before.values() for name, board in measure.boards.items()}
        for name, track in self.tracks.items():
            key = measure_key(track.objective)
            if key not in self.measures:
                self.measures[key] = before.get(key) or new_measure(track.objective)
                self.measures[key].begin_anew()
            if isinstance(track.objective.budgeting, Timeslices):
                board = SliceBoard(track.objective, track.objective.budgeting)
                old = boards.get(name) or boards.get(track.objective.renamed_from or "")
                if old is not None and old.slice_ms == board.slice_ms:
                    board.take_over(old)
                self.measures[key].boards[name] = board
            self.accounts[name] = Account(track, self.measures[key])
        self.in_order = sorted(self.accounts.values(), key=lambda account: account.track.key)

    def _settle_in(self, catalogue: Catalogue, now: int) -> None:
        self.catalogue = catalogue
        promises = {close_place(a.name, name): a for name in self.tracks for a in catalogue.agreements_of(name)}
        self.promised = list(promises.values())
        periods = {agreement.period for agreement in self.promised if agreement.period is not None}
        # A promise that is given again is not called to account for the time in which it was not.
        self.closes = {place: start for place, start in self.closes.items() if place in promises}
        self.agreement_periods = sorted(periods, key=lambda period: (period.unit, period.timezone))
        self._set_limits(now)
        self.cut_edges(now)
        watch(self.accounts.values(), now)

    def _set_limits(self, now: int) -> None:
        objectives = [track.objective for track in self.tracks.values()]
        self.grace_ms = max((o.grace_ms for o in objectives), default=FOREVER_MS)
        self.correct_for_ms = max((o.correct_for_ms for o in objectives), default=0)
        for account in self.accounts.values():
            if account.board is not None:
                account.board.grace_ms = self.grace_ms
        self.has_boards = any(account.board is not None for account in self.accounts.values())
        self.silence.bind(self.tracks.values())
        self.keep_ms = keep_ms_of(objectives, self._calendars(), self.correct_for_ms, now)

    def _calendars(self) -> list[CalendarPeriod]:
        windows = [track.objective.window for track in self.tracks.values()]
        return [*(window for window in windows if isinstance(window, CalendarPeriod)), *self.agreement_periods]

    def labelled(self) -> list[tuple[str, Ledger]]:
        """Every ledger, measurements first, then slices, each with what its segments are called by."""
        found = [(key, measure.ledger) for key, measure in self.measures.items()]
        boards = (each for measure in self.measures.values() for each in measure.boards.items())
        return found + [(slices_label(name), board.ledger) for name, board in boards]

    def ledgers(self) -> list[Ledger]:
        """Every ledger of the stream, measurements first, then slices."""
        return [ledger for _, ledger in self.labelled()]

    def cut_edges(self, now: int, back_to: int | None = None) -> None:
        """Let no bucket reach across the edge of a local period (past ones too, if loaded) or of an allowance."""
        start = now if back_to is None else back_to
        edges = [edge for calendar in self._calendars() for edge in edges_between(calendar, start, now)]
        # The next period's are known a day ahead: a restart, which asks anew, finds the same buckets cut.
        edges += allowance_edges(self.exclusions, self.promised, now - self.keep_ms, now + DAY_MS)
        for ledger in self.ledgers():
            for edge in edges:
                ledger.cut(edge, now)

    # -- records

    def lateness(self, at: int, now: int) -> Lateness | None:
        """Judged once per stream, with the largest grace and correctFor of its objectives."""
        return Lateness(now - at, now - at <= self.correct_for_ms) if now - at > self.grace_ms else None

    def take(self, record: Measurement, now: int) -> None:
        """Count a record."""
        if isinstance(record, History):
            self._take_history(record, now)
            return
        at = record.at
        first_at, live_at = self.seen
        if live_at is not None and self.newest_at is not None and self.silence.is_minded:
            self.silence.note(self.tracks.values(), at, (live_at, self.newest_at))
        if live_at is None or at < live_at:
            self.seen = Seen(at if first_at is None or at < first_at else first_at, at)
        if self.newest_at is None or at > self.newest_at:
            self.newest_at = at
        for measure in self.measures.values():
            measure.take(record)

    def _take_history(self, record: History, now: int) -> None:
        """Fill what lies before the first record; it counts as seen, not as data."""
        start, end = bounds_of(record)
        first_at, live_at = self.seen
        limit = end if live_at is None else min(end, floor_to(live_at, MINUTE_MS))
        if limit <= start:
            return
        since = max(start, floor_to(now - self.keep_ms, MINUTE_MS))
        self.cut_edges(limit, since)
        for measure in self.measures.values():
            measure.fill(minutes_of(record, since, limit))
            measure.ledger.compact(now, now - self.keep_ms)
        self.seen = Seen(start if first_at is None else min(start, first_at), live_at)

    def settle(self, now: int) -> None:
        """Count what time itself brings."""
        for measure in self.measures.values():
            measure.settle(now)

    def take_late(self, record: Measurement, now: int) -> None:
        """Count a record that is beyond its grace, and remember what it changed in each objective's ledger."""
        journals: dict[int, list[tuple[int, int, int]]] = {}
        for ledger in self.ledgers():
            ledger.journal = journals[id(ledger)] = []
        self.take(record, now)
        self.judge_past(now)
        for ledger in self.ledgers():
            ledger.journal = None
        for name, account in self.accounts.items():
            self.late.setdefault(name, []).extend(journals[id(account.ledger)])

    def judge_past(self, now: int) -> None:
        """Slices before the first one that were due already are judged, and say nothing."""
        for board in (board for measure in self.measures.values() for board in measure.boards.values()):
            while board.due_at is not None and board.due_at <= now:
                board.judge(())

    # -- silence

    def silence_due_at(self, track: Track) -> int | None:
        """When no data begins if nothing comes."""
        return self.silence.due_at(track, self.newest_at)

    def set_gaps(self, gaps: Sequence[Interval]) -> None:
        """The stretches in which nobody was watching the partition."""
        self.gaps = list(gaps)
        self.silence.watch(self.exclusions, self.gaps)
        for measure in self.measures.values():
            if isinstance(measure, UptimeMeasure):
                measure.uncounted = self.silence.unwatched
        self.silence.find_past(self.tracks.values())

    def hear(self, now: int) -> None:
        """After a record: the silence of a track ends, or begins later."""
        if any(track.silent_since is not None for track in self.tracks.values()):
            self.silence.find(self.tracks.values(), self.newest_at, now)

    # -- exclusions and age

    def exclude(self, exclusions: list[Exclusion], now: int) -> None:
        """Leave exactly these out of every sum."""
        self.exclusions = exclusions
        self._compact(now)
        self.silence.watch(exclusions, self.gaps)
        for measure in self.measures.values():
            if isinstance(measure, UptimeMeasure):
                measure.recount(self.silence.unwatched, now - self.correct_for_ms - DAY_MS)
        self._apply_exclusions(now)
        self.silence.find(self.tracks.values(), self.newest_at, now)

    def _compact(self, now: int) -> None:
        for ledger in self.ledgers():
            ledger.compact(now, now - self.keep_ms)

    def _apply_exclusions(self, now: int) -> None:
        """Let no later bucket reach across the edges of the live exclusions; a restart does this too, so no merging."""
        intervals = [exclusion.interval for exclusion in self.exclusions]
        for measure in self.measures.values():
            ledgers = [(measure.ledger, intervals)]
            ledgers += [(board.ledger, board.widened(intervals)) for board in measure.boards.values()]
            for ledger, excluded in ledgers:
                for edge in (edge for interval in excluded for edge in interval):
                    if edge > now - self.keep_ms:
                        ledger.cut(edge, now)
                ledger.exclude(excluded, now)
        self.cut_edges(now)
        self.set_gaps(self.gaps)

    def age(self, now: int) -> None:
        """Once an hour: nothing is kept beyond what a window or correction can reach; `merge_old` must follow."""
        self._set_limits(now)
        self.cut_edges(now)
        keep_from, correctable_from = now - self.keep_ms, now - self.correct_for_ms - DAY_MS
        for measure in self.measures.values():
            if isinstance(measure, UptimeMeasure):
                measure.forget_before(correctable_from)
            for board in measure.boards.values():
                board.forget_before(correctable_from)
        self.silence.forget_before(keep_from)
        for name, track in self.tracks.items():
            track.silences = tuple(stretch for stretch in track.silences if stretch[1] > keep_from)
            self.accounts[name].season.rest(now)

    def merge_old(self, now: int) -> None:
        """Once an hour: coarser buckets for what is old; no sum changes."""
        for ledger in self.ledgers():
            ledger.compact_hourly(now, now - self.keep_ms)

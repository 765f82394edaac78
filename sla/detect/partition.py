"""What time and each kind of record do to one partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sla.catalogue import Catalogue
from sla.detect.agenda import QUIET, Agenda
from sla.detect.correct import Corrections, late_record, published_by
from sla.detect.definitions import Definitions
from sla.detect.judge import Judge
from sla.detect.lanes import Lanes
from sla.detect.learning import Learning
from sla.detect.memory import Memory, StreamName
from sla.detect.moment import Moment
from sla.detect.owing import Owing, may_owe
from sla.detect.prospect import prepare
from sla.detect.publish import Publisher
from sla.detect.stream import Stream
from sla.detect.timers import Timer
from sla.events import watch_record
from sla.feeds import is_repeat
from sla.fold import AtomState, CatalogueReader, Emission, Line, LogRecord, Offset, ReadPlain
from sla.orders import ServiceOrder
from sla.records import Counts, History, Measurement, OpenClock, ServiceFact
from sla.said import Said, in_order
from sla.storm import DeadLetterRow
from sla.units import HOUR_MS, MINUTE_MS, floor_to


class Partition:
    """One partition at work. `offset` arguments are those of the line being applied.

    A stream whose table entry was written behind that line before a crash stands ahead of it, and is passed over.
    """

    def __init__(self, topic: str, number: int, publisher: Publisher, base: Catalogue, gap_ms: int) -> None:
        self._topic = topic
        self._number = number
        self._gap_ms = gap_ms
        self._publisher = publisher
        self._memory = Memory(number, base)
        self.owing = Owing(publisher, self._memory)
        self.defers = False  # whether statuses may be told later than their line
        self._judge = Judge(publisher, self.owing)
        self._corrections = Corrections(self._judge)
        self._agenda = Agenda(self._judge)
        self._learning = Learning(self._memory, self._judge, self._agenda, self._touch)
        self._definitions = Definitions(self._memory, self._judge, self._agenda, self._touch)
        self._lanes = Lanes()
        self._awake: set[StreamName] = set()  # touched since the last decision, or restless

    @property
    def now(self) -> int | None:
        """The log's time; None before the first line."""
        return self._memory.now

    @property
    def catalogue(self) -> Catalogue:
        """The revision in force."""
        return self._memory.catalogue

    @property
    def row(self) -> DeadLetterRow:
        """The records in a row that could not be used."""
        return self._memory.row

    @property
    def unnamed(self) -> dict[StreamName, int]:
        """Records counted of streams that no definition names."""
        return self._memory.unnamed

    def _stop_short(self) -> None:
        """Something happens that may concern every stream."""
        self._lanes.shut_all()
        self.owing.settle_all()

    def _touch(self, stream: Stream) -> None:
        name = (stream.service, stream.signal)
        stream.is_touched = True
        self._awake.add(name)
        self._memory.dirty.add(name)

    # -- time

    def advance(self, now: int, offset: int) -> list[Emission]:
        """Go to `now`: what was due, then one decision. The first line sets the time and decides nothing."""
        before, self._memory.now = self._memory.now, now
        if before is None or now <= before:
            return []
        emissions = self._notice_gap(before, now, offset)
        emissions += self._run_due(now, offset)
        step_ms = self.catalogue.decide_every_ms
        step_at = floor_to(now, step_ms)
        if step_at > before:
            emissions += self._decide(step_at, offset, floor_to(before, step_ms))
        return emissions

    def _notice_gap(self, before: int, now: int, offset: int) -> list[Emission]:
        """Nobody was watching: clocks of silence do not run over it."""
        if now - before <= self._gap_ms:
            return []
        self._stop_short()
        memory = self._memory
        horizon = now - max([HOUR_MS, *(stream.keep_ms for stream in memory.streams.values())])
        memory.gaps = [gap for gap in [*memory.gaps, (before, now)] if gap[1] > horizon]
        for stream in memory.streams.values():
            if stream.offset < offset:
                stream.set_gaps(memory.gaps)
                self._agenda.schedule_silences(stream)
                memory.dirty.add((stream.service, stream.signal))
        return [watch_record("detector_gap", self._topic, self._number, before, now)]

    def _run_due(self, until: int, offset: int) -> list[Emission]:
        """All that is due, each at its own instant; what one instant says is in the order of dedup keys."""
        emissions: list[Emission] = []
        said: list[Said] = []
        at = 0
        ahead: list[Timer] = []
        while (timer := self._agenda.next_due(until)) is not None:
            self._lanes.shut_all()
            if timer.due_at > at:
                emissions += in_order(said)
                said, at = [], timer.due_at
            if timer.kind == QUIET:
                self.owing.settle_all()
                emissions += self._learning.end_silences(at, offset)
                continue
            stream = self._memory.streams.get((timer.service, timer.signal))
            if stream is None:
                continue
            if stream.offset >= offset:
                ahead.append(timer)
                continue
            self.owing.settle(stream)
            self._memory.dirty.add((timer.service, timer.signal))
            told = self._agenda.run(timer, stream, self._memory.moment(timer.service, timer.due_at, offset))
            if told:
                said.append(Said(told[0].key or timer.dedup_key, told))
        self._agenda.put_back(ahead)
        return emissions + in_order(said)

    def _decide(self, at: int, offset: int, decided_at: int) -> list[Emission]:
        """One decision; the one before was at `decided_at`."""
        is_minute = floor_to(at, MINUTE_MS) > floor_to(decided_at, MINUTE_MS)
        self._lanes.shut_all()
        if is_minute:
            self.owing.settle_all()
        streams = self._memory.streams
        said: list[Said] = []
        for name in list(streams if is_minute else self._awake):
            stream = streams[name]
            if stream.offset < offset:
                moment = self._memory.moment(stream.service, at, offset)
                said += self._decide_stream(name, stream, moment, decided_at, is_minute=is_minute)
        if is_minute and at % HOUR_MS < MINUTE_MS:
            self._memory.forget_facts(at, offset)
        emissions = in_order(said)
        if is_minute:
            now = self._memory.now or at
            emissions += self._memory.queues.forecast(self._publisher.cluster, self.catalogue, at, now, offset)
        return emissions

    def _decide_stream(
        self, name: StreamName, stream: Stream, moment: Moment, decided_at: int, *, is_minute: bool
    ) -> list[Said]:
        dirty = self._memory.dirty
        may_wait = is_minute and self.defers and may_owe(stream)
        if is_minute and moment.at % HOUR_MS < MINUTE_MS:
            stream.age(moment.at)
            dirty.add(name)
            if may_wait:
                self.owing.owe_merging(stream, moment)
            else:
                stream.merge_old(moment.at)
        published = {key: published_by(track) for key, track in stream.tracks.items()} if stream.late else {}
        stamps = [track.stamp() for track in stream.tracks.values()] if name not in dirty else None
        said, stream.is_restless, due = self._judge.decide(stream, moment, is_minute=is_minute)
        if may_wait:
            self.owing.owe(stream, moment, due)
        elif is_minute:
            said += self.owing.tell(stream, moment, due)
        if stream.late:
            said += self._corrections.late(stream, moment, published, decided_at)
            dirty.add(name)
        stream.is_touched = False
        if not (stream.is_restless or stream.late):
            self._awake.discard(name)
        if stamps is not None and stamps != [track.stamp() for track in stream.tracks.values()]:
            dirty.add(name)
        return said

    # -- records

    def measure(self, record: Measurement, line: Line) -> list[Emission]:
        """A measurement only changes state; what it means is said by the next decision."""
        stream = self._stream_of((record.service, record.signal), line.offset)
        if stream is None or stream.offset >= line.offset or is_repeat(stream.sequences, record.feed):
            return []
        now = self._memory.now or 0
        was_touched, is_first = stream.is_touched, stream.newest_at is None
        self._touch(stream)
        self._lanes.shut(stream)
        lateness = None if isinstance(record, History) else stream.lateness(record.at, now)
        self.owing.before(stream, record, lateness)
        if lateness is None:
            stream.take(record, now)
        elif lateness.counts:
            stream.take_late(record, now)
        if is_first and stream.newest_at is not None:
            stream.judge_past(now)
            self._agenda.schedule(stream, self.catalogue, now)
        if stream.silence.is_minded:
            stream.hear(now)
            self._agenda.listen(stream)
        if stream.has_boards:
            self._agenda.schedule_slices(stream)
        if lateness is not None:
            return [late_record(lateness, self._topic, self._number, line)]
        is_busy = was_touched or self._lanes.was_open(stream)  # else a lane costs more than it saves
        if is_busy and type(record) is Counts and line.key and not line.headers:
            self._lanes.open(stream, self._decides_at(now))
        return []

    def _decides_at(self, now: int) -> int:
        step_ms = self.catalogue.decide_every_ms
        return floor_to(now, step_ms) + step_ms

    def skim(self, records: Sequence[LogRecord], start: int, read: ReadPlain) -> int:
        """See `sla.fold.SkimmingFold`."""
        now = self._memory.now
        if now is None:
            return start
        until = min(self._decides_at(now), self._agenda.due_at, now + self._gap_ms + 1)
        index, self._memory.now = self._lanes.skim(records, start, read, now, until)
        if index > start:
            self.row.end()
        return index

    def _stream_of(self, name: StreamName, offset: int) -> Stream | None:
        """The stream of a record; it begins with its first one, if a definition names it."""
        memory = self._memory
        stream = memory.streams.get(name)
        if stream is not None and (offset >= stream.begun_offset or memory.catalogue.evaluated_of(*name)):
            return stream
        if not memory.catalogue.evaluated_of(*name):
            memory.count_unnamed(name)
            return None
        stream = Stream(*name, offset)
        stream.exclusions = memory.facts.of(name[0]).live(offset)
        stream.bind(memory.catalogue, memory.now or 0)
        stream.set_gaps(memory.gaps)
        memory.begin(stream)
        self._definitions.revive(stream.service, stream.tracks.values(), offset)
        return stream

    def learn(self, fact: ServiceFact, offset: int) -> list[Emission]:
        """A fact about a whole service."""
        self._lanes.shut_all()
        self.owing.settle_service(fact.service)
        return self._learning.learn(fact, offset)

    def queue(self, clock: OpenClock, offset: int) -> None:
        """What became of a ticket's open clock."""
        self._memory.queues.take(clock, self._memory.now or 0, offset)

    def obey(self, order: ServiceOrder, offset: int) -> list[Emission]:
        """What somebody has decided."""
        self._stop_short()
        return self._learning.obey(order, offset)

    def follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        """Switch to a revision: objectives that are gone end, those that stay keep their state."""
        self._stop_short()
        return self._definitions.follow(catalogue, offset)

    def prepare(self) -> Iterator[None]:
        """See `sla.fold.DeferringFold`: what the past of each stream says, which its forecasts will ask for."""
        return prepare(list(self._memory.streams.values()), lambda: self._memory.now)

    # -- state

    def changes(self, offset: Offset) -> Iterator[AtomState]:
        """The partition's own head, and the table entries that changed."""
        return self._memory.changes(offset, self._leave)

    def _leave(self, stream: Stream) -> None:
        """Before it is taken: what is counted from here on is a change again, and its entry implies what was told."""
        self._lanes.shut(stream)
        self.owing.settle(stream)

    def load(self, atoms: Sequence[AtomState], read_catalogue: CatalogueReader) -> int:
        """Take back the table's entries; returns the offset that the whole partition stands at."""
        offset = self._memory.load(atoms, read_catalogue)
        self._definitions.schedule_all()
        self._awake = {name for name, s in self._memory.streams.items() if s.is_touched or s.is_restless or s.late}
        return offset

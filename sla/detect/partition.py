"""What time and each kind of record do to one partition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sla.catalogue import Catalogue
from sla.detect.agenda import Agenda
from sla.detect.correct import Corrections, late_record
from sla.detect.judge import Judge, Moment, Said
from sla.detect.memory import Memory, StreamName
from sla.detect.publish import Publisher
from sla.detect.stream import Stream
from sla.detect.track import Track
from sla.events import RECORDS
from sla.fold import AtomState, CatalogueReader, Emission, Line
from sla.records import Change, Exclusion, History, Measurement
from sla.units import HOUR_MS, MINUTE_MS, floor_to, rfc3339


class Partition:
    """One partition at work. `offset` arguments are those of the line being applied.

    A stream whose table entry was written behind that line before a crash stands ahead of it, and is passed over.
    """

    def __init__(self, topic: str, number: int, publisher: Publisher, base: Catalogue, gap_ms: int) -> None:
        self._topic = topic
        self._number = number
        self._gap_ms = gap_ms
        self._judge = Judge(publisher)
        self._corrections = Corrections(self._judge)
        self._agenda = Agenda(self._judge)
        self._memory = Memory(number, base)
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
    def unnamed(self) -> dict[StreamName, int]:
        """Records counted of streams that no definition names."""
        return self._memory.unnamed

    def _moment(self, service: str, at: int, offset: int) -> Moment:
        memory = self._memory
        return Moment(memory.catalogue, memory.facts_of(service), at, memory.now or at, offset)

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
            is_minute = floor_to(step_at, MINUTE_MS) > floor_to(floor_to(before, step_ms), MINUTE_MS)
            emissions += self._decide(step_at, offset, is_minute=is_minute)
        return emissions

    def _notice_gap(self, before: int, now: int, offset: int) -> list[Emission]:
        """Nobody was watching: clocks of silence do not run over it."""
        if now - before <= self._gap_ms:
            return []
        memory = self._memory
        horizon = now - max([HOUR_MS, *(stream.keep_ms for stream in memory.streams.values())])
        memory.gaps = [gap for gap in [*memory.gaps, (before, now)] if gap[1] > horizon]
        for stream in memory.streams.values():
            if stream.offset < offset:
                stream.set_gaps(memory.gaps)
                self._agenda.schedule_silences(stream)
        body = {
            "type": "detector_gap",
            "topic": self._topic,
            "partition": self._number,
            "from": rfc3339(before),
            "to": rfc3339(now),
        }
        return [Emission(RECORDS, f"{self._topic}/{self._number}", body)]

    def _run_due(self, until: int, offset: int) -> list[Emission]:
        """All that is due, each at its own instant; what one instant says is in the order of dedup keys."""
        emissions: list[Emission] = []
        said: list[Said] = []
        at = 0
        while (timer := self._agenda.next_due(until)) is not None:
            stream = self._memory.streams.get((timer.service, timer.signal))
            if stream is None or stream.offset >= offset:
                continue
            if timer.due_at > at:
                emissions += _in_order(said)
                said, at = [], timer.due_at
            self._memory.dirty.add((timer.service, timer.signal))
            told = self._agenda.run(timer, stream, self._moment(timer.service, timer.due_at, offset))
            if told:
                said.append(Said(told[0].key or timer.dedup_key, told))
        return emissions + _in_order(said)

    def _decide(self, at: int, offset: int, *, is_minute: bool) -> list[Emission]:
        streams = self._memory.streams
        said: list[Said] = []
        for name in list(streams if is_minute else self._awake):
            stream = streams[name]
            if stream.offset < offset:
                said += self._decide_stream(name, stream, self._moment(stream.service, at, offset), is_minute=is_minute)
        if is_minute and at % HOUR_MS < MINUTE_MS:
            keep_ms = max((stream.keep_ms for stream in streams.values()), default=0)
            self._memory.forget_facts_before(at - keep_ms)
        return _in_order(said)

    def _decide_stream(self, name: StreamName, stream: Stream, moment: Moment, *, is_minute: bool) -> list[Said]:
        dirty = self._memory.dirty
        if is_minute and moment.at % HOUR_MS < MINUTE_MS:
            stream.age(moment.at)
        stamps = [track.stamp() for track in stream.tracks.values()] if name not in dirty else None
        said, stream.is_restless = self._judge.decide(stream, moment, is_minute=is_minute)
        if stream.late:
            said += self._corrections.late(stream, moment)
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
        if stream is None or stream.offset >= line.offset or stream.is_repeat(record.feed):
            return []
        now = self._memory.now or 0
        self._touch(stream)
        is_first = stream.newest_at is None
        lateness = None if isinstance(record, History) else stream.lateness(record.at, now)
        if lateness is None:
            stream.take(record, now)
        elif lateness.counts:
            stream.take_late(record, now)
        if is_first and stream.newest_at is not None:
            stream.judge_past(now)
            self._agenda.schedule(stream, self.catalogue, now)
        if stream.listens:
            stream.hear(now)
            self._agenda.listen(stream)
        if stream.has_boards:
            self._agenda.schedule_slices(stream)
        return [] if lateness is None else [late_record(lateness, self._topic, self._number, line)]

    def _stream_of(self, name: StreamName, offset: int) -> Stream | None:
        """The stream of a record; it begins with its first one, if a definition names it."""
        memory = self._memory
        stream = memory.streams.get(name)
        if stream is not None:
            return stream
        if not memory.catalogue.evaluated_of(*name):
            memory.count_unnamed(name)
            return None
        stream = Stream(*name)
        stream.exclusions = memory.facts_of(name[0]).live(offset)
        stream.bind(memory.catalogue, memory.now or 0)
        stream.set_gaps(memory.gaps)
        memory.streams[name] = stream
        self._revive(stream.tracks.values())
        return stream

    def _revive(self, tracks: Iterable[Track]) -> None:
        """An objective that was defined before goes on counting where it ended: sequences never restart."""
        for track in tracks:
            if track.key in self._memory.retired:
                sequences, track.episode, track.opened_at = self._memory.retired.pop(track.key)
                track.sequences = dict(sequences)

    def learn(self, fact: Change | Exclusion, offset: int) -> list[Emission]:
        """A fact about a whole service. What an exclusion undoes is said at once."""
        memory = self._memory
        facts = memory.facts_of(fact.service)
        if memory.fact_offsets.get(fact.service, -1) < offset:
            if facts.is_repeat(fact.feed):
                return []
            facts.add(offset, fact)
            memory.dirty_facts.add(fact.service)
        if isinstance(fact, Change):
            return []
        live = facts.live(offset)
        said: list[Said] = []
        for name, stream in memory.streams.items():
            if name[0] == fact.service and stream.offset < offset and stream.exclusions != live:
                moment = self._moment(fact.service, memory.now or 0, offset)
                said += self._corrections.exclude(stream, live, moment)
                self._agenda.schedule_silences(stream)
                self._touch(stream)
        return _in_order(said)

    def follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        """Switch to a revision: objectives that are gone end, those that stay keep their state."""
        memory = self._memory
        now = memory.now or 0
        said: list[Said] = []
        for stream in memory.streams.values():
            if stream.offset >= offset:
                continue
            for track in stream.leaving(catalogue):
                moment = self._moment(stream.service, now, offset)
                emissions = self._judge.retire(stream, stream.accounts[track.objective.name], moment)
                memory.retired[track.key] = [track.sequences, track.episode, track.opened_at]
                if emissions:
                    said.append(Said(track.key, emissions))
            known = set(stream.tracks)
            stream.bind(catalogue, now)
            self._revive(track for name, track in stream.tracks.items() if name not in known)
            self._touch(stream)
        memory.catalogue = catalogue
        self._agenda.clear()
        for stream in memory.streams.values():
            self._agenda.schedule(stream, catalogue, now)
        return _in_order(said)

    # -- state

    def take_dirty(self, offset: int) -> list[AtomState]:
        """The table entries that changed, and the partition's own head last."""
        return self._memory.take_dirty(offset)

    def load(self, atoms: Sequence[AtomState], read_catalogue: CatalogueReader) -> int:
        """Take back the table's entries; returns the offset that the whole partition stands at."""
        offset = self._memory.load(atoms, read_catalogue)
        streams = self._memory.streams
        for stream in streams.values():
            self._agenda.schedule(stream, self.catalogue, self._memory.now or 0)
        self._awake = {name for name, s in streams.items() if s.is_touched or s.is_restless or s.late}
        return offset


def _in_order(said: list[Said]) -> list[Emission]:
    """What was said at one instant, by dedup key."""
    if len(said) > 1:
        said.sort(key=lambda each: each.dedup_key)
    return [emission for each in said for emission in each.emissions]

"""The state of one partition: its time, its streams, its timers, and what each kind of record does to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sla.catalogue import Agreement, CalendarPeriod, Catalogue
from sla.detect.account import Account
from sla.detect.codec import SHAPE, stream_from_json, stream_to_json
from sla.detect.correct import Corrections, late_record
from sla.detect.facts import ServiceFacts
from sla.detect.judge import Judge, Moment, Said
from sla.detect.publish import Publisher
from sla.detect.stream import Stream
from sla.detect.timers import Timer, Timers
from sla.detect.track import Track
from sla.events import RECORDS
from sla.fold import AtomState, CatalogueReader, Emission, Line
from sla.intervals import Interval
from sla.periods import period_at
from sla.records import Change, Exclusion, History, Measurement
from sla.units import HOUR_MS, MINUTE_MS, floor_to, rfc3339

PERIOD: Final = "1 period"
SILENCE: Final = "2 silence"
SLICE: Final = "3 slice"
CLOSE: Final = "4 close"

UNNAMED_MAX: Final = 10_000
HEAD: Final = "partition"


class Partition:
    """Everything one partition remembers. `offset` arguments are those of the line being applied."""

    def __init__(self, topic: str, number: int, publisher: Publisher, base: Catalogue, gap_ms: int) -> None:
        self._topic = topic
        self._number = number
        self._gap_ms = gap_ms
        self._judge = Judge(publisher)
        self._corrections = Corrections(self._judge)
        self.catalogue = base
        self.now: int | None = None
        self._streams: dict[tuple[str, str], Stream] = {}
        self._facts: dict[str, ServiceFacts] = {}
        self._fact_offsets: dict[str, int] = {}
        self._timers = Timers()
        self._awake: set[tuple[str, str]] = set()  # touched since the last decision, or restless
        self._dirty: set[tuple[str, str]] = set()
        self._dirty_facts: set[str] = set()
        self._gaps: list[Interval] = []
        self._retired: dict[str, list[Any]] = {}
        self.unnamed: dict[tuple[str, str], int] = {}

    def _facts_of(self, service: str) -> ServiceFacts:
        return self._facts.setdefault(service, ServiceFacts())

    def _moment(self, service: str, at: int, offset: int) -> Moment:
        return Moment(self.catalogue, self._facts_of(service), at, self.now or at, offset)

    # -- time

    def advance(self, now: int, offset: int) -> list[Emission]:
        """Go to `now`: what was due, then one decision. The first line sets the time and decides nothing."""
        before, self.now = self.now, now
        if before is None or now <= before:
            return []
        emissions = self._notice_gap(before, now, offset)
        emissions += self._run_timers(now, offset)
        step_at = floor_to(now, self.catalogue.decide_every_ms)
        if step_at > before:
            is_minute = floor_to(step_at, MINUTE_MS) > floor_to(
                floor_to(before, self.catalogue.decide_every_ms), MINUTE_MS
            )
            emissions += self._decide(step_at, offset, is_minute=is_minute)
        return emissions

    def _notice_gap(self, before: int, now: int, offset: int) -> list[Emission]:
        """Nobody was watching: clocks of silence do not run over it."""
        if now - before <= self._gap_ms:
            return []
        self._gaps.append((before, now))
        horizon = now - max([HOUR_MS, *(stream.keep_ms for stream in self._streams.values())])
        self._gaps = [gap for gap in self._gaps if gap[1] > horizon]
        for stream in self._applicable(offset):
            stream.set_gaps(self._gaps)
            self._schedule_silences(stream)
        body = {
            "type": "detector_gap",
            "topic": self._topic,
            "partition": self._number,
            "from": rfc3339(before),
            "to": rfc3339(now),
        }
        return [Emission(RECORDS, f"{self._topic}/{self._number}", body)]

    def _applicable(self, offset: int) -> list[Stream]:
        """The streams that a line applies to: a table entry may have been written behind it before a crash."""
        return [stream for stream in self._streams.values() if stream.offset < offset]

    def _decide(self, at: int, offset: int, *, is_minute: bool) -> list[Emission]:
        names = list(self._streams if is_minute else self._awake)
        said: list[Said] = []
        for name in names:
            stream = self._streams[name]
            if stream.offset >= offset:
                continue
            if is_minute and at % HOUR_MS < MINUTE_MS:
                stream.age(at)
            stamps = [track.stamp() for track in stream.tracks.values()] if name not in self._dirty else None
            moment = self._moment(stream.service, at, offset)
            emissions, stream.is_restless = self._judge.decide(stream, moment, is_minute=is_minute)
            said += emissions
            if stream.late:
                said += self._corrections.late(stream, moment)
            stream.is_touched = False
            if not (stream.is_restless or stream.late):
                self._awake.discard(name)
            if stamps is not None and stamps != [track.stamp() for track in stream.tracks.values()]:
                self._dirty.add(name)
        return _in_order(said)

    # -- timers

    def _schedule(self, stream: Stream) -> None:
        self._schedule_silences(stream)
        for name, track in stream.tracks.items():
            self._schedule_slice(stream, stream.accounts[name])
            self._schedule_period(stream, track)
            for agreement in self.catalogue.agreements_of(name):
                self._schedule_close(stream, track, agreement)

    def _set(self, due_at: int, kind: str, stream: Stream, key: str, name: str) -> None:
        self._timers.set(Timer(due_at, kind, key, stream.service, stream.signal, name))

    def _schedule_silences(self, stream: Stream) -> None:
        for name, track in stream.tracks.items():
            due_at = stream.silence_due_at(track)
            if due_at is not None and track.silent_since is None:
                self._set(due_at, SILENCE, stream, track.key, name)

    def _schedule_slice(self, stream: Stream, account: Account) -> None:
        if account.board is not None and account.board.due_at is not None:
            self._set(account.board.due_at, SLICE, stream, account.track.key, account.objective.name)

    def _schedule_period(self, stream: Stream, track: Track) -> None:
        window = track.objective.window
        if isinstance(window, CalendarPeriod) and self.now is not None:
            if track.period_start is None:
                track.period_start = period_at(window, self.now).start
            self._set(period_at(window, track.period_start).end, PERIOD, stream, track.key, track.objective.name)

    def _schedule_close(self, stream: Stream, track: Track, agreement: Agreement) -> None:
        if agreement.period is None or self.now is None:
            return
        place = f"{agreement.name}/{track.objective.name}"
        start = stream.closes.setdefault(place, period_at(agreement.period, self.now).start)
        end = period_at(agreement.period, start).end
        self._set(end + stream.grace_ms, CLOSE, stream, place, place)

    def _run_timers(self, until: int, offset: int) -> list[Emission]:
        """All that is due, each at its own instant; what one instant says is in the order of dedup keys."""
        emissions: list[Emission] = []
        said: list[Said] = []
        at = 0
        while (timer := self._timers.pop(until)) is not None:
            if timer.due_at > at and said:
                emissions += _in_order(said)
                said = []
            at = timer.due_at
            told = self._run(timer, offset)
            if told:
                said.append(Said(told[0].key or timer.dedup_key, told))
        return emissions + _in_order(said)

    def _run(self, timer: Timer, offset: int) -> list[Emission]:
        stream = self._streams.get((timer.service, timer.signal))
        if stream is None or stream.offset >= offset:
            return []
        self._dirty.add((timer.service, timer.signal))
        moment = self._moment(timer.service, timer.due_at, offset)
        if timer.kind == CLOSE:
            return self._close(stream, timer.name, moment)
        account = stream.accounts.get(timer.name)
        if account is None:
            return []
        match timer.kind:
            case "2 silence":
                due_at = stream.silence_due_at(account.track)
                if due_at is None or due_at > timer.due_at:
                    self._schedule_silences(stream)
                    return []
                emissions = self._judge.silence(stream, account, moment)
            case "3 slice":
                emissions = self._judge.slice(stream, account, moment)
                self._schedule_slice(stream, account)
            case _:
                emissions = self._judge.period(stream, account, moment)
                self._schedule_period(stream, account.track)
        return emissions

    def _close(self, stream: Stream, place: str, moment: Moment) -> list[Emission]:
        name, _, objective = place.partition("/")
        agreement, account = self.catalogue.agreements.get(name), stream.accounts.get(objective)
        if agreement is None or account is None or agreement.period is None:
            return []
        period = period_at(agreement.period, stream.closes[place])
        stream.closes[place] = period.end
        self._schedule_close(stream, account.track, agreement)
        return self._judge.close(stream, account, agreement, period, moment._replace(at=period.end))

    # -- records

    def measure(self, record: Measurement, line: Line) -> list[Emission]:
        """A measurement only changes state; what it means is said by the next decision."""
        name = (record.service, record.signal)
        stream = self._streams.get(name)
        if stream is None:
            stream = self._begin(name)
            if stream is None:
                if name in self.unnamed or len(self.unnamed) < UNNAMED_MAX:
                    self.unnamed[name] = self.unnamed.get(name, 0) + 1
                return []
        if stream.offset >= line.offset or stream.is_repeat(record.feed):
            return []
        now = self.now or 0
        emissions: list[Emission] = []
        is_first = stream.newest_at is None
        lateness = None if isinstance(record, History) else stream.lateness(record.at, now)
        if lateness is None:
            stream.take(record, now)
        else:
            emissions.append(late_record(lateness, self._topic, self._number, line))
            if not lateness.counts:
                return emissions
            stream.take_late(record, now)
        if stream.listens:
            stream.hear(now)
        stream.is_touched = True
        self._awake.add(name)
        self._dirty.add(name)
        if is_first:
            stream.judge_past(now)
            self._schedule(stream)
        elif stream.has_boards:
            for account in stream.accounts.values():
                self._schedule_slice(stream, account)
        if stream.listens:
            self._listen(stream)
        return emissions

    def _listen(self, stream: Stream) -> None:
        """After a record: a clock of silence runs for every track. One that runs already looks again when it ends."""
        for track in stream.tracks.values():
            silence = track.objective.no_data
            if silence is not None and track.silent_since is None and stream.newest_at is not None:
                due_at = stream.newest_at + silence.after_ms
                self._timers.ensure(
                    Timer(due_at, SILENCE, track.key, stream.service, stream.signal, track.objective.name)
                )

    def _begin(self, name: tuple[str, str]) -> Stream | None:
        """A stream begins with its first record, if a definition names it."""
        if not self.catalogue.evaluated_of(*name):
            return None
        stream = Stream(*name)
        stream.exclusions = self._facts_of(name[0]).live(1 << 62)
        stream.set_gaps(self._gaps)
        stream.bind(self.catalogue, self.now or 0)
        self._streams[name] = stream
        for track in stream.tracks.values():
            self._revive(track)
        return stream

    def _revive(self, track: Track) -> None:
        """An objective that was defined before goes on counting where it ended: sequences never restart."""
        if track.key in self._retired:
            sequences, track.episode, track.opened_at = self._retired.pop(track.key)
            track.sequences = dict(sequences)

    def learn(self, fact: Change | Exclusion, offset: int) -> list[Emission]:
        """A fact about a whole service. An exclusion is judged at once, on every objective of the service."""
        facts = self._facts_of(fact.service)
        is_new = self._fact_offsets.get(fact.service, -1) < offset
        if is_new:
            if facts.is_repeat(fact.feed):
                return []
            facts.add(offset, fact)
            self._dirty_facts.add(fact.service)
        if isinstance(fact, Change):
            return []
        now = self.now or 0
        said: list[Said] = []
        for name, stream in sorted(self._streams.items()):
            if name[0] != fact.service or stream.offset >= offset:
                continue
            after = facts.live(offset)
            if after == stream.exclusions:
                continue
            moment = self._moment(fact.service, now, offset)
            said += self._corrections.exclude(stream, after, moment)
            self._schedule_silences(stream)
            stream.is_touched = True
            self._awake.add(name)
            self._dirty.add(name)
        return _in_order(said)

    def follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        """Switch to a revision: objectives that are gone end, those that stay keep their state."""
        now = self.now or 0
        said: list[Said] = []
        for name, stream in sorted(self._streams.items()):
            if stream.offset >= offset:
                continue
            for track in stream.leaving(catalogue):
                account = stream.accounts[track.objective.name]
                emissions = self._judge.retire(stream, account, self._moment(stream.service, now, offset))
                self._retired[track.key] = [track.sequences, track.episode, track.opened_at]
                if emissions:
                    said.append(Said(track.key, emissions))
            known = set(stream.tracks)
            stream.bind(catalogue, now)
            for fresh in set(stream.tracks) - known:
                self._revive(stream.tracks[fresh])
            stream.is_touched = True
            self._dirty.add(name)
            self._awake.add(name)
        self.catalogue = catalogue
        self._timers = Timers()
        for stream in self._streams.values():
            self._schedule(stream)
        return _in_order(said)

    # -- state

    def take_dirty(self, offset: int) -> list[AtomState]:
        """The table entries that changed, and the partition's own head last."""
        atoms = [
            AtomState(self._streams[name].atom_key, offset, stream_to_json(self._streams[name], self.now or 0))
            for name in sorted(self._dirty)
        ]
        atoms += [
            AtomState(f"facts/{service}", offset, {"service": service, **self._facts[service].to_json()})
            for service in sorted(self._dirty_facts)
        ]
        self._dirty.clear()
        self._dirty_facts.clear()
        head = {
            "shape": SHAPE,
            "now": self.now,
            "revision": self.catalogue.revision,
            "sha256": self.catalogue.sha256,
            "gaps": self._gaps,
            "retired": self._retired,
            "unnamed": [[*name, count] for name, count in self.unnamed.items()],
        }
        atoms.append(AtomState(f"{HEAD}/{self._number}", offset, head))
        return atoms

    def load(self, atoms: Sequence[AtomState], read_catalogue: CatalogueReader) -> int:
        """Take back the table's entries; returns the offset that the whole partition stands at.

        Raises LookupError when the revision that was in force is not to be had.
        """
        head = next((atom for atom in atoms if atom.key.startswith(f"{HEAD}/")), None)
        if head is None and atoms:
            head = AtomState(f"{HEAD}/{self._number}", -1, {})
        if head is None:
            return -1
        body = head.body
        if body.get("revision"):
            catalogue = read_catalogue(body["revision"], body["sha256"])
            if catalogue is None:
                raise LookupError(
                    f"{self._topic}/{self._number} follows revision {body['revision']}, which is not there"
                )
            self.catalogue = catalogue
        self.now = body.get("now")
        self._gaps = [(a, b) for a, b in body.get("gaps", [])]
        self._retired = dict(body.get("retired", {}))
        self.unnamed = {(service, signal): count for service, signal, count in body.get("unnamed", [])}
        for atom in atoms:
            if atom.key.startswith("facts/"):
                self._fact_offsets[atom.body["service"]] = atom.offset
                self._facts_of(atom.body["service"]).load(atom.body)
        for atom in atoms:
            if atom.key.startswith("stream/"):
                service = atom.body["service"]
                exclusions = self._facts_of(service).live(atom.offset)
                stream = stream_from_json(atom.body, atom.offset, self.catalogue, exclusions)
                stream.set_gaps(self._gaps)
                self._streams[service, stream.signal] = stream
                self._schedule(stream)
        self._awake = {name for name, s in self._streams.items() if s.is_touched or s.is_restless or s.late}
        return head.offset


def _in_order(said: list[Said]) -> list[Emission]:
    """What was said at one instant, by dedup key."""
    if len(said) > 1:
        said.sort(key=lambda each: each.dedup_key)
    return [emission for each in said for emission in each.emissions]

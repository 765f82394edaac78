"""What a revision of the catalogue does to the streams of a partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sla.catalogue import Catalogue
from sla.detect.agenda import Agenda
from sla.detect.facts import Retired
from sla.detect.judge import Judge
from sla.detect.memory import Memory
from sla.detect.stream import Stream
from sla.detect.track import Track
from sla.fold import Emission
from sla.said import Said, in_order


class Definitions:
    """Switches streams to a revision. `touch` says that a stream has changed."""

    def __init__(self, memory: Memory, judge: Judge, agenda: Agenda, touch: Callable[[Stream], None]) -> None:
        self._memory = memory
        self._judge = judge
        self._agenda = agenda
        self._touch = touch

    def follow(self, catalogue: Catalogue, offset: int) -> list[Emission]:
        """Objectives that are gone end, those that stay keep their state."""
        memory = self._memory
        now = memory.now or 0
        streams = [stream for _, stream in sorted(memory.streams.items()) if stream.offset < offset]
        said = [each for stream in streams for each in self._retire(stream, catalogue, now, offset)]
        for stream in streams:
            known = {id(track) for track in stream.tracks.values()}
            stream.bind(catalogue, now)
            self.revive(stream.service, (t for t in stream.tracks.values() if id(t) not in known), offset)
            self._touch(stream)
        memory.catalogue = catalogue
        self._agenda.clear()
        self.schedule_all()
        return in_order(said)

    def _retire(self, stream: Stream, catalogue: Catalogue, now: int, offset: int) -> list[Said]:
        """End the objectives that a revision no longer holds on a stream: all of them before any is taken up anew."""
        memory = self._memory
        said: list[Said] = []
        for track in stream.leaving(catalogue):
            moment = memory.moment(stream.service, now, offset)
            emissions = self._judge.retire(stream, stream.accounts[track.objective.name], moment)
            if memory.facts.is_new(stream.service, offset):
                retired = Retired(track.key, dict(track.sequences), track.episode, track.opened_at)
                memory.facts.of(stream.service).retire(offset, retired)
            if emissions:
                said.append(Said(track.key, emissions))
        return said

    def revive(self, service: str, tracks: Iterable[Track], offset: int) -> None:
        """An objective that was defined before goes on counting where it ended: sequences never restart."""
        for track in tracks:
            last = self._memory.facts.of(service).last_of(track.key, offset)
            if last is not None:
                track.sequences, track.episode, track.opened_at = dict(last.sequences), last.episode, last.opened_at

    def schedule_all(self) -> None:
        """Set every timer anew: they are derived from the streams."""
        for silence in self._memory.silences:
            self._agenda.wait_for_silence(silence.until_at)
        for stream in self._memory.streams.values():
            if stream.newest_at is not None:
                self._agenda.schedule(stream, stream.catalogue, self._memory.now or 0)

"""One ticket through the log of its partition: what must be said of it, step by step."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from .clock_track import ALERTS, CLOCKS, Facts, Track, Truth, ticket_key
from .clock_truth import Event, Reading, Run, Ticket
from .definitions import HOUR_MS
from .machine import event_id
from .ticket_definitions import Promise
from .windows import Interval, floor_to, instant, spell

BREACHES = ("breach", "breached")  # on the topics of alerts and of clocks
RANK = {"info": 0, "warning": 1, "critical": 2}
Emission = dict[str, Any]


class TicketLog:
    """One ticket through the log."""

    def __init__(
        self, name: str, all_promises: list[Promise], moves: list[tuple[int, int]], step_ms: int, settle_after_ms: int
    ) -> None:
        self.name = name
        self.is_orderly = True
        self.events: list[Event] = []
        self.out: list[Emission] = []
        self.tracks: dict[tuple[str, str], Track] = {}
        self._promises = {each.name: each for each in all_promises}
        self._since: dict[str, int] = {}
        self._silent_until: dict[str, int] = {}  # by dedup key: what was before a promise is told to nobody
        self._exclusions: dict[str, dict[str, Interval]] = {}
        self._ticket = Ticket(all_promises, self.excluded, self._since)
        self._sequences: dict[str, int] = {}
        self._moves = moves
        self._nows = [now for _, now in moves]
        self._step_ms = step_ms
        self._settle_after_ms = settle_after_ms
        self._read = (0, 0)  # the offset and the log time of its last event
        self._settled_at: int | None = None  # events before are settled for good
        self._is_open_ended = False  # what was settled might be otherwise by now, and nobody looks
        self.refused: list[int] = []
        self._waiting: list[Event] = []  # an import that was not told yet
        self._waits_since = 0
        self._has_spoken_at = -1

    def excluded(self, service: str) -> list[Interval]:
        return list(self._exclusions.get(service, {}).values())

    # -- what comes

    def exclude(self, value: dict[str, Any], now: int, offset: int) -> None:
        self.advance(now, offset)
        self._settle(offset)
        self._is_open_ended |= self._settled_at is not None
        known = self._exclusions.setdefault(value["service"], {})
        edges = instant(value["from"]), instant(value["to"])
        before = known.pop(value["id"], None)
        if value.get("status", "approved") == "approved":
            known[value["id"]] = edges
        after = known.get(value["id"])
        changed = [each for each in (before, after) if each is not None] if before != after else []
        is_concerned = any(event.service == value["service"] for event in self.events)
        if is_concerned and any(begin < now for begin, _ in changed):
            self.is_orderly = False

    def revise(self, all_promises: list[Promise], now: int, offset: int) -> None:
        """Other promises are in force. What the events up to here were under the old ones was told, else nothing."""
        self.advance(now, offset)
        self._settle(offset)
        self._is_open_ended |= self._settled_at is not None
        before, heard = self._promises, self._runs()
        self._promises = {each.name: each for each in all_promises}
        for name in {*before, *self._promises} - (before.keys() & self._promises.keys()):
            self._since.pop(name, None)
        self._since |= dict.fromkeys(self._promises.keys() - before.keys(), offset)
        if not self.events:
            self._ticket = Ticket(all_promises, self.excluded, self._since)
            return
        self.is_orderly &= before == self._promises
        for place in self._runs():
            key = ticket_key(*place, self.name)
            if place not in heard or key in self._silent_until:
                self._silent_until[key] = now

    def _runs(self) -> dict[tuple[str, str], list[Run]]:
        """What is true by now, in whatever order it was read."""
        ticket = Ticket(list(self._promises.values()), self.excluded, self._since)
        for event in sorted(self.events, key=lambda each: (each.at, each.offset)):
            ticket.take(event)
        return ticket.runs

    def take(self, value: dict[str, Any], now: int, offset: int) -> None:
        source, sequence = value.get("source"), value.get("sequence")
        if source is not None and sequence is not None:
            if sequence <= self._sequences.get(source, -1):
                return
            self._sequences[source] = sequence
        fields, is_import = value.get("fields", {}), bool(value.get("import", False))
        at = min(instant(value["at"]), now)
        event = Event(at, offset, value["event"], value.get("by"), value["service"], fields, is_import)
        self.advance(now, offset)
        self._settle(offset)
        if self._settled_at is not None and event.at < self._settled_at:
            self.refused.append(offset)
            return
        self._read = offset, now
        if is_import:
            self.is_orderly &= len(self.events) == len(self._waiting)
            self._waiting.append(event)
            self.events.append(event)
            self._waits_since = offset
            return
        self._end_import(now)
        newest = max((each.at for each in self.events), default=0)
        self.events.append(event)
        if event.at < newest or event.at <= self._has_spoken_at:
            self.is_orderly = False
        if self.is_orderly:
            self._ticket.take(event)
            self._tell_steps(now)

    # -- time

    def _settle(self, until: int) -> None:
        """Without a running clock and an event for so long it is settled, once time moves on."""
        offset, now = self._read
        moved = any(
            offset < place <= until and later > before and later >= now + self._settle_after_ms
            for (_, before), (place, later) in zip(self._moves, self._moves[1:], strict=False)
        )
        is_running = any(runs[-1].ended_at is None for runs in self._runs().values())
        if self.events and moved and not is_running:
            self._settled_at = max(event.at for event in self.events)

    def advance(self, now: int, offset: int) -> None:
        """All that is due, each at its own instant."""
        if self._waiting:
            told_at = self._decides_at(offset)
            if told_at is None:
                return
            self._end_import(told_at)
        while self.is_orderly:
            dues = [(at, track) for track in self._running() if (at := self._next_due(track)) is not None]
            first = min((at for at, _ in dues), default=None)
            if first is None or first > now:
                return
            for at, track in dues:
                if at == first:
                    self._pass_stages(track, first, self._nows[bisect_left(self._nows, first)])

    def _decides_at(self, until: int) -> int | None:
        """The first decision after the import."""
        for (_, before), (offset, now) in zip(self._moves, self._moves[1:], strict=False):
            if self._waits_since < offset <= until and floor_to(now, self._step_ms) > before:
                return now
        return None

    def _running(self) -> list[Track]:
        return [each for each in self.tracks.values() if each.runs[-1].ended_at is None]

    def _next_due(self, track: Track) -> int | None:
        return track.due(self._reading(track, track.runs[-1]), track.runs[-1], track.stage)

    def _reading(self, track: Track, run: Run) -> Reading:
        return Reading(track.promise, run, self.excluded(track.service))

    def _pass_stages(self, track: Track, until: int, now: int) -> None:
        """Those reached together are one event, of the highest; a breach is alone."""
        run, promise, first = track.runs[-1], track.promise, track.stage
        reading = self._reading(track, run)
        dues: list[int] = []
        while (due := track.due(reading, run, track.stage)) is not None and due <= until:
            dues.append(due)
            track.stage += 1
        count = len(promise.marks)
        deadline = reading.reached(promise.target_ms)
        if first <= count < track.stage and deadline is not None:
            self._breach(track, run, deadline, now)
            return
        every = [*promise.marks, None, *promise.repeats]
        reached = [(every[first + place], due) for place, due in enumerate(dues)]
        heard = [(mark, due) for mark, due in reached if mark is not None and mark.elapsed_ms > run.carried_ms]
        if heard:
            mark, at = heard[-1]
            previous = track.state
            if mark.severity != "info":
                self._open(track, at)
                track.state = "at_risk" if track.state == "ok" else track.state
            self._say(track, run, ALERTS, "early_warning", "ticket_mark", at, now, previous, mark.severity, mark.text)

    # -- steps

    def _tell_steps(self, now: int, *, is_import: bool = False) -> None:
        for (service, name), runs in sorted(self._ticket.runs.items()):
            if (service, name) not in self.tracks:
                key = ticket_key(service, name, self.name)
                self.tracks[service, name] = Track(key, self._promises[name], self.name, service)
            track = self.tracks[service, name]
            first = track.place if track.runs else 0
            track.runs = runs
            for place in range(first, len(runs)):
                if place > track.place:
                    track.place, track.told, track.is_breached = place, [], False
                    track.stage = min(track.stage, len(track.promise.marks)) if runs[place].is_continued else 0
                if is_import:
                    self._introduce(track, runs[place], now)
                else:
                    self._tell_run(track, runs[place], now)

    def _tell_run(self, track: Track, run: Run, now: int) -> None:
        facts = run.facts()
        if facts[: len(track.told)] != track.told:
            self.is_orderly = False
            return
        for name, at in facts[len(track.told) :]:
            missed_at = self._reading(track, run).missed_at()
            if name in ("met", "cancelled"):
                if missed_at is not None and not track.is_breached:
                    self._breach(track, run, missed_at, now)
                rule = ("met" if missed_at is None else "met_late") if name == "met" else "cancelled"
                self._recover(track, run, rule, at, now)
                rule = rule if name == "met" else str(run.ending)
                late = {"late": missed_at is not None} if name == "met" else {}
                self._say(track, run, CLOCKS, f"clock.{name}", rule, at, now, track.state, more=late)
            else:
                self._say(track, run, CLOCKS, f"clock.{name}", name, at, now, track.state)
        track.told = facts
        if run.ended_at is None:
            self._pass_stages(track, now, now)

    def _end_import(self, now: int) -> None:
        """Those still open are told as they are; all that was passed counts as told."""
        if not self._waiting:
            return
        for event in sorted(self._waiting, key=lambda each: (each.at, each.offset)):
            self._ticket.take(event)
        self._waiting = []
        self._has_spoken_at = now  # of what was passed until then, silently
        self._tell_steps(now, is_import=True)

    def _introduce(self, track: Track, run: Run, now: int) -> None:
        reading = self._reading(track, run)
        end = now if run.ended_at is None else run.ended_at - 1
        while (due := track.due(reading, run, track.stage)) is not None and due <= end:
            track.stage += 1
        track.told = run.facts()
        if run.ended_at is not None:
            return
        self._say(track, run, CLOCKS, f"clock.{track.told[0][0]}", track.told[0][0], run.attached_at, now, "ok")
        if run.paused_at is not None:
            self._say(track, run, CLOCKS, "clock.paused", "paused", run.paused_at, now, "ok")
        deadline = reading.reached(track.promise.target_ms)
        if track.stage > len(track.promise.marks) and deadline is not None:
            self._breach(track, run, deadline, now, is_historic=True)

    # -- events

    @staticmethod
    def _open(track: Track, at: int) -> None:
        if not track.is_open:
            track.is_open, track.opened_at, track.highest = True, at, "info"
            track.episode += 1

    def _breach(self, track: Track, run: Run, at: int, now: int, *, is_historic: bool = False) -> None:
        previous, track.is_breached = track.state, True
        self._open(track, at)
        track.state = "breached"
        track.stage = max(track.stage, len(track.promise.marks) + 1)
        for topic, name in ((ALERTS, "breach"), (CLOCKS, "clock.breached")):
            self._say(track, run, topic, name, "deadline", at, now, previous, "critical", is_historic=is_historic)

    def _recover(self, track: Track, run: Run, rule: str, at: int, now: int) -> None:
        if track.is_open:
            previous, track.state = track.state, "ok"
            self._say(track, run, ALERTS, "recovery", rule, at, now, previous, track.highest)
            track.is_open = False

    def _say(
        self, track: Track, run: Run, topic: str, name: str, rule: str, at: int, now: int, previous: str,
        severity: str = "info", mark: str | None = None, more: dict[str, Any] | None = None, *,
        is_historic: bool = False,
    ) -> None:  # fmt: skip
        if track.is_open:
            track.highest = max(track.highest, severity, key=RANK.__getitem__)
            severity = track.highest
        if topic == ALERTS and name != "recovery":
            self._has_spoken_at = max(self._has_spoken_at, at)
        track.sequences[topic] += 1
        sequence, kind = track.sequences[topic], f"forewarn.{name}.v1"
        data = {
            "dedup_key": track.key, "sequence": sequence, "episode": track.episode, "severity": severity,
            "state": track.state, "previous_state": previous, "service": track.service,
            "objective": {"name": track.promise.name}, "opened_at": spell(track.opened_at),
            "evaluated_at": spell(now), "reason": {"rule": rule, "mark": mark},
            "flags": {"historic": is_historic or now - at > HOUR_MS, "no_data": False, "final": True},
            "ticket": self._shown(track, run, at), **(more or {}),
        }  # fmt: skip
        value = {
            "id": event_id(topic, track.key, sequence, kind), "type": kind, "subject": track.key,
            "partitionkey": track.key, "time": spell(at), "data": data,
        }  # fmt: skip
        self.out.append({"topic": topic, "key": track.key, "value": value})

    def _shown(self, track: Track, run: Run, at: int) -> dict[str, Any]:
        reading, target_ms = self._reading(track, run), track.promise.target_ms
        elapsed_ms, is_paused = reading.elapsed_ms(at), run.is_paused(at)
        due = spell(reading.reached(target_ms, resumed_at=at))
        return {
            "id": self.name, "metric": track.promise.spec["metric"], "target_ms": target_ms, "elapsed_ms": elapsed_ms,
            "percent": 100 * elapsed_ms // target_ms, "deadline": None if is_paused else due, "paused": is_paused,
            "time_left_ms": target_ms - elapsed_ms, "deadline_if_resumed_now": due if is_paused else None,
        }  # fmt: skip

    # -- the end

    def truth(self) -> dict[str, Truth]:
        """By dedup key, whatever order the events came in; nothing of an import, and of what cannot be known."""
        if self._is_open_ended or any(event.is_import for event in self.events):
            return {}
        found = {}
        for (service, name), runs in self._runs().items():
            key = ticket_key(service, name, self.name)
            must = [fact for run in runs for fact in run.facts()]
            may: Facts = []
            for run in runs:
                reading = Reading(self._promises[name], run, self.excluded(service))
                missed_at = reading.missed_at() if run.ended_at is not None else None
                due_at = reading.reached(self._promises[name].target_ms) if run.ended_at is None else None
                must += [(kind, missed_at) for kind in BREACHES if missed_at is not None]
                may += [(kind, due_at) for kind in BREACHES if due_at is not None]
            silent_until = self._silent_until.get(key, -1)
            must = [fact for fact in sorted(must) if fact[1] > silent_until]
            found[key] = Truth(must, sorted({*must, *may}), silent_until)
        return found

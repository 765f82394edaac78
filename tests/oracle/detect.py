"""The events that a log of telemetry must give, worked out the slow way: one partition and one line at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, groupby
from typing import Any, NamedTuple

from . import closing
from .account import Account, Record
from .definitions import (
    MINUTE_MS,
    Agreement,
    Objective,
    agreement,
    decide_every_ms,
    objective,
    of_kind,
)
from .hindsight import Late, counting, late_correction
from .hours import Hours
from .machine import Event, Machine, View
from .open_time import ALWAYS, OpenTime
from .replayed import TELEMETRY, Step, logs
from .windows import Interval, clip, floor_to, instant, period, spell, union

FUTURE_MS = 5 * MINUTE_MS
WATCH_MS = 10_000
NOBODY_WATCHED = "detector_gap"
JUDGED, PERIOD, NO_DATA, SLICE, CLOSED = range(5)
"""What falls due, in the order in which it is found out at one instant."""
Timer = tuple[int, int, str, Any]
"""Instant, kind, dedup key, what it concerns."""


class Exclusion(NamedTuple):
    begin: int
    end: int
    status: str
    category: str

    @property
    def is_in_force(self) -> bool:
        return self.status == "approved"


NO_EXCLUSION = Exclusion(0, 0, "requested", "planned")


@dataclass
class Stream:
    """Everything that was ever recorded for one service and signal."""

    grace_ms: int
    correct_for_ms: int
    records: list[Record] = field(default_factory=list)
    loaded: list[Record] = field(default_factory=list)

    def seen_from(self) -> int | None:
        return min((record.at for record in [*self.records, *self.loaded]), default=None)


@dataclass
class Outcome:
    alerts: list[tuple[int, Event]] = field(default_factory=list)
    late: list[tuple[int, Event]] = field(default_factory=list)
    gaps: list[tuple[int, Event]] = field(default_factory=list)


def events(
    definitions: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    tick_ms: int | None = 1000,
    until: int | None = None,
    cluster: str = "default",
) -> list[Event]:
    """The CloudEvents of `sla.alerts.v1` and `sla.alerts.shadow.v1`, in the order in which replay prints them.

    `tick_ms` None: the `decideEvery` of the settings. `until` in epoch milliseconds.
    """
    return [event for _, event in run(definitions, lines, tick_ms, until, cluster).alerts]


def late(
    definitions: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    tick_ms: int | None = 1000,
    until: int | None = None,
) -> list[Event]:
    """The records of `sla.late.v1`."""
    return [event for _, event in run(definitions, lines, tick_ms, until).late]


def gaps(
    definitions: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    tick_ms: int | None = 1000,
    until: int | None = None,
) -> list[Event]:
    """The `detector_gap` records of `sla.records.v1`."""
    return [event for _, event in run(definitions, lines, tick_ms, until).gaps]


def run(
    definitions: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    tick_ms: int | None = 1000,
    until: int | None = None,
    cluster: str = "default",
) -> Outcome:
    step_ms = decide_every_ms(definitions) if tick_ms is None else tick_ms
    whole = Outcome()
    for partition, log in logs(lines, step_ms, until).items():
        detector = Detector(definitions, partition, step_ms, cluster)
        for step in log:
            detector.read(step)
        whole.alerts += detector.outcome.alerts
        whole.late += detector.outcome.late
        whole.gaps += detector.outcome.gaps
    for told in (whole.alerts, whole.late, whole.gaps):
        told.sort(key=lambda pair: pair[0])  # stable: partitions are in order, and places within each
    return whole


class Detector:
    """One partition."""

    def __init__(self, definitions: list[dict[str, Any]], partition: int, step_ms: int, cluster: str) -> None:
        self.partition = partition
        self.step_ms = step_ms
        self.source = f"/forewarn/{cluster}"
        self.now: int | None = None
        self.outcome = Outcome()
        self.gaps: list[Interval] = []
        self.exclusions: dict[str, dict[str, Exclusion]] = {}
        self.sequences: dict[tuple[str, str], int] = {}
        self.last_of_source: dict[tuple[str, ...], int] = {}
        self.order = count()
        self.late: dict[tuple[str, str], list[Late]] = {}  # of each stream, since the last minute with corrections
        self.decided_at = 0
        self.corrected_in: dict[tuple[str, str], int] = {}  # that minute
        self.closed: dict[str, list[closing.Closed]] = {}  # by the objective's dedup key
        agreements: list[Agreement] = [agreement(document) for document in of_kind(definitions, "Agreement")]
        calendars = {each["metadata"]["name"]: OpenTime(Hours(each)) for each in of_kind(definitions, "Calendar")}
        objectives: list[Objective] = [
            objective(each, calendars.get(each["spec"].get("calendar"), ALWAYS))
            for each in of_kind(definitions, "Objective")
        ]
        self.agreements = {one.name: [each for each in agreements if one.name in each.objectives] for one in objectives}
        self.machines = {one.name: Machine(one, self.source, self.next_sequence) for one in objectives}
        self.streams: dict[tuple[str, str], Stream] = {}
        self.machines_of: dict[tuple[str, str], list[Machine]] = {}
        for one in objectives:
            self.machines_of.setdefault((one.service, one.signal), []).append(self.machines[one.name])
            stream = self.streams.setdefault((one.service, one.signal), Stream(0, 0))
            stream.grace_ms = max(stream.grace_ms, one.grace_ms)
            stream.correct_for_ms = max(stream.correct_for_ms, one.correct_for_ms)
        self.accounts: dict[str, Account] = {}  # as the history stands; dropped when more is new than one record

    def next_sequence(self, topic: str, key: str) -> int:
        self.sequences[topic, key] = self.sequences.get((topic, key), 0) + 1
        return self.sequences[topic, key]

    def by_key(self) -> list[Machine]:
        return sorted(self.machines.values(), key=lambda machine: machine.key)

    def stream_of(self, one: Objective) -> Stream:
        return self.streams[one.service, one.signal]

    def excluded(self, service: str) -> list[Interval]:
        in_force = [known for known in self.exclusions.get(service, {}).values() if known.is_in_force]
        return union([(known.begin, known.end) for known in in_force])

    def account(self, one: Objective) -> Account:
        if one.name not in self.accounts:
            stream = self.stream_of(one)
            self.accounts[one.name] = Account(
                one,
                records=stream.records,
                loaded=stream.loaded,
                seen_from=stream.seen_from(),
                excluded=self.excluded(one.service),
                gaps=list(self.gaps),
                grace_ms=stream.grace_ms,
                silent_slices=self.machines[one.name].silent_slices,
            )
        return self.accounts[one.name]

    def changed(self, service: str) -> None:
        for name, machine in self.machines.items():
            if machine.objective.service == service:
                self.accounts.pop(name, None)

    # -- time ---------------------------------------------------------------------------------------------------

    def read(self, step: Step) -> None:
        before = self.now
        if self.now is None:
            self.now = step.at
        elif step.moves_time:
            self.now = max(self.now, step.at)
        if before is not None and self.now > before:
            self.advance(before, self.now)
        self.apply(step, self.now)

    def advance(self, before: int, now: int) -> None:
        if now - before > max(WATCH_MS, self.step_ms):
            self.gaps.append((before, now))
            self.accounts.clear()
            gap = {"type": NOBODY_WATCHED, "topic": TELEMETRY, "partition": self.partition}
            value = {**gap, "from": spell(before), "to": spell(now)}
            self.outcome.gaps.append((now, {"topic": "sla.records.v1", "key": None, "value": value}))
        self.strike_all(sorted(self.timers(before, now), key=lambda due: due[:3]), now)
        decided_at = floor_to(now, self.step_ms)
        if decided_at > before:
            minute, before_at = floor_to(decided_at, MINUTE_MS), floor_to(before, self.step_ms)
            late = {place: found for place, found in self.late.items() if minute > self.corrected_in.get(place, 0)}
            for machine in self.by_key():
                view = View(self.account(machine.objective), decided_at, now)
                told = machine.decide(view, now, is_minute=minute > floor_to(before_at, MINUTE_MS))
                self.publish(told + self.correct(machine, late.get(machine.place, []), view), now)
            self.decided_at = decided_at
            for place in late:
                del self.late[place]
                self.corrected_in[place] = minute

    def correct(self, machine: Machine, late: list[Late], view: View) -> list[Event]:
        """What was published and, by what came late since the last minute with corrections, is no longer true."""
        of_it = counting(late, view.account)
        if not of_it:
            return []
        return late_correction(machine, of_it, view) + self.correct_periods(machine, "late_data", view)

    def correct_periods(self, machine: Machine, rule: str, view: View) -> list[Event]:
        exclusions = list(self.exclusions.get(machine.objective.service, {}).values())
        told = []
        for known in sorted(self.closed.get(machine.key, []), key=lambda each: each.key):
            found = closing.figures(view.account, known.agreement, known.span, exclusions, view.at)
            if view.now <= known.correctable_until and found != known.figures:
                told.append(closing.corrected(machine, known, found, rule, view))
        return told

    def publish(self, told: list[Event], now: int) -> None:
        self.outcome.alerts += [(now, event) for event in told]

    def strike_all(self, due: list[Timer], now: int) -> None:
        """What one instant brings is told in the order of dedup keys."""
        for _, of_instant in groupby(due, key=lambda timer: timer[0]):
            told = [event for timer in of_instant for event in self.strike(timer, now)]
            self.publish(sorted(told, key=lambda event: str(event["key"])), now)

    def timers(self, before: int, now: int) -> list[Timer]:
        """Due in (before, now]. What silence makes of a slice is found out before anything is told of that instant."""
        due: list[Timer] = []
        live = [place for place, stream in self.streams.items() if stream.records]
        for machine in (machine for place in live for machine in self.machines_of[place]):
            one = machine.objective
            grace_ms = self.stream_of(one).grace_ms
            if one.window.calendar is not None:
                edge = period(one.window, before)[1]
                while edge <= now:
                    due.append((edge, PERIOD, machine.key, machine))
                    edge = period(one.window, edge)[1]
            begin = self.account(one).no_data_from()
            if machine.watches_silence() and begin is not None and before < begin <= now:
                due.append((begin, NO_DATA, machine.key, machine))
            if one.slice_ms is not None:
                first = floor_to(before - grace_ms, one.slice_ms) + one.slice_ms
                due += [
                    (end + grace_ms, kind, machine.key, machine)
                    for end in range(first, now - grace_ms + 1, one.slice_ms)
                    if one.hours.opens_in(end - one.slice_ms, end) is not None
                    for kind in (JUDGED, SLICE)
                ]
            due += [
                (end + grace_ms, CLOSED, key, (machine, *rest))
                for key, end, *rest in closing.ends(self.agreements[one.name], one, before - grace_ms, now - grace_ms)
            ]
        return due

    def strike(self, timer: Timer, now: int) -> list[Event]:
        at, kind, key, subject = timer
        if kind == CLOSED:
            return self.close(*subject, key, at, now)
        account = self.account(subject.objective)
        view = View(account, at, now)
        if kind == PERIOD:
            told: list[Event] = subject.start_period(view)
        elif kind == NO_DATA:
            told = subject.lose_data(View(account.before_slices(), at, now))
        elif kind == SLICE:
            told = subject.decide(view, at)
        else:
            told = []
            end = at - account.grace_ms
            start = end - account.slice_ms()
            if clip(account.silences(at), start, end):
                subject.silent_slices.add(start)
        return told

    def close(self, machine: Machine, known_as: Agreement, span: Interval, key: str, at: int, now: int) -> list[Event]:
        one = machine.objective
        stream = self.stream_of(one)
        seen_from = stream.seen_from()
        if seen_from is None or seen_from >= span[1]:
            return []
        exclusions = list(self.exclusions.get(one.service, {}).values())
        found = closing.figures(self.account(one), known_as, span, exclusions, at)
        period_of = closing.Closed(known_as, key, span, found, at + stream.correct_for_ms)
        self.closed.setdefault(machine.key, []).append(period_of)
        return [closing.closed(machine, period_of, now)]

    # -- records ------------------------------------------------------------------------------------------------

    def apply(self, step: Step, now: int) -> None:
        value = step.value
        if value["type"] in ("counts", "sample", "state", "exclusion", "history", "change") and self.is_repeat(value):
            return
        if value["type"] in ("counts", "sample", "state"):
            self.apply_telemetry(step, now)
        elif value["type"] == "history":
            self.apply_history(value)
        elif value["type"] == "exclusion":
            self.apply_exclusion(value, now)

    def is_repeat(self, value: dict[str, Any]) -> bool:
        if value.get("source") is None or value.get("sequence") is None:
            return False
        scope = (value["service"], value.get("signal", ""), value["source"])
        if value["sequence"] <= self.last_of_source.get(scope, -1):
            return True
        self.last_of_source[scope] = value["sequence"]
        return False

    def apply_telemetry(self, step: Step, now: int) -> None:
        value = step.value
        stream = self.streams.get((value["service"], value["signal"]))
        at = instant(value["at"])
        if stream is None or at > now + FUTURE_MS:
            return
        late_ms = now - at
        counted = late_ms <= max(stream.correct_for_ms, stream.grace_ms)
        if late_ms > stream.grace_ms:
            place = {"topic": TELEMETRY, "partition": self.partition, "offset": step.offset}
            copy = {"late_ms": late_ms, "counted": counted, **place, "record": value}
            self.outcome.late.append((now, {"topic": "sla.late.v1", "key": step.key, "value": copy}))
        if not counted:
            return
        record = Record(
            at=min(at, now),
            order=next(self.order),
            type=value["type"],
            good=value.get("good", 0),
            bad=value.get("bad", 0),
            value=Fraction(value.get("value", 0)),
            up=value.get("up", True),
        )
        stream.records.append(record)
        if late_ms > stream.grace_ms:
            self.late.setdefault((value["service"], value["signal"]), []).append(Late(record, self.decided_at))
        for machine in self.machines_of[value["service"], value["signal"]]:
            account = self.accounts.get(machine.objective.name)
            if account is not None:
                account.take(record)

    def apply_history(self, value: dict[str, Any]) -> None:
        stream = self.streams.get((value["service"], value["signal"]))
        if stream is None:
            return
        begin, end = instant(value["from"]), instant(value["to"])
        minutes = range(-(-begin // MINUTE_MS) * MINUTE_MS, floor_to(end, MINUTE_MS), MINUTE_MS)
        live_from = min((record.at for record in stream.records), default=end)
        for index, minute in enumerate(minutes):
            good, bad = (
                value[part] * (index + 1) // len(minutes) - value[part] * index // len(minutes)
                for part in ("good", "bad")
            )
            if minute < live_from:
                stream.loaded.append(Record(at=minute, order=next(self.order), type="history", good=good, bad=bad))
        self.changed(value["service"])

    def apply_exclusion(self, value: dict[str, Any], now: int) -> None:
        service = value["service"]
        concerned = [machine for machine in self.by_key() if machine.objective.service == service]
        before = {machine.key: self.account(machine.objective) for machine in concerned}
        known = self.exclusions.setdefault(service, {})
        was_in_force = known.get(value["id"], NO_EXCLUSION).is_in_force
        known[value["id"]] = Exclusion(
            instant(value["from"]), instant(value["to"]), value.get("status", "approved"), value["category"]
        )
        if not was_in_force and not known[value["id"]].is_in_force:
            return
        self.changed(service)
        for machine in concerned:
            view = View(self.account(machine.objective), now, now)
            told = machine.undo(view, before[machine.key])
            self.publish(told + self.correct_periods(machine, "exclusion", view), now)

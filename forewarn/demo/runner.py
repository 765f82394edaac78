"""The demo itself: start the parts, play the services, tell what is seen, judge it."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final

import orjson

from agents.log_clock import LogClock, real_ms
from forewarn.apply import apply
from forewarn.console import Console, ExitCode, UserError, progress
from forewarn.demo import timeline
from forewarn.demo.expectations import NeverAlerts, Sighting, Verdict
from forewarn.demo.night import SLEEPER, Night
from forewarn.demo.parts import Parts, Worker, broker_and_redis, clock_text, stopped_by_sigterm, worker
from forewarn.demo.people import Answer, Planner
from forewarn.demo.players import Played
from forewarn.demo.scenarios import PLAY_MS, SCENARIOS, Scenario, live_records, past_records
from forewarn.demo.timeline import Judged
from forewarn.embedded import NOTICE
from forewarn.kafka import Follower, Read, Record, Writer, committed, partitions_of
from schemas.definitions import load
from schemas.instants import read_instant
from schemas.topics import ALERTS, DELIVERIES, OUTBOX, RECORDS, TELEMETRY, TICKETS, application_of
from sla.units import MINUTE_MS, ceil_to, floor_to, spoken

_INSTALLED: Final = Path(__file__).parent / "examples"  # where a wheel holds them (pyproject.toml)
EXAMPLES: Final = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "deploy" / "examples"
SPEED: Final = 90
PLANS: Final = "shop-owner"  # the stakeholder who answers
PLANNING_REPLY: Final = "forewarn.planning_reply.v1"
READY_WITHIN_S: Final = 180  # six processes start at once; one that dies is noticed at once
TAKING_IN_WITHIN_S: Final = 120
END_WITHIN_S: Final = 60  # how long after the play the last expected alerts may take
LOOK_EVERY_S: Final = 0.02
ASK_EVERY_S: Final = 0.2  # each time a client connects for it
SETTING_OUT_MS: Final = 2 * MINUTE_MS  # of log time: what is applied last must be in force before the first trouble
_JUDGES: Final = {TELEMETRY.name: "detect", TICKETS.name: "clock"}
HELD_MS: Final = 5 * MINUTE_MS  # of log time: entries come from three topics, and are printed in order


def run(console: Console, *, once: bool) -> int:
    """Play the demo; the exit code: 0 fine, 1 if anything expected was not seen. Ctrl-C ends it at any time."""
    started_at = real_ms()
    clock = LogClock(started_at, SPEED, started_at)
    try:
        with stopped_by_sigterm(), broker_and_redis(clock_text(clock)) as parts:
            console.say(NOTICE)
            if parts.redis_notice:
                console.say(parts.redis_notice)
            with worker(parts) as running:
                with progress("starting the worker"):
                    examples = _examples()
                    applied = apply(parts.config, examples)
                    _wait_until_ready(parts, running)
                    _tell_past(parts, running, clock)
                    # A whole minute, so that what is printed reads well; ahead, for the night begins before it.
                    start_at = ceil_to(clock.now() + SETTING_OUT_MS, MINUTE_MS)
                    night = Night(start_at)
                    apply(parts.config, [*examples, *night.documents()])
                count, folder = applied.documents_count, EXAMPLES.name
                console.say(f"applied {count} definitions of {folder}/ as revision {applied.revision}")
                demo = Demo(parts, running, clock, console, (start_at, night))
                demo.play()
                code = demo.conclude()
                if not once:
                    demo.go_on()
                return code
    except KeyboardInterrupt:
        console.say("stopped")
        return ExitCode.FINDING if once else ExitCode.FINE


class Demo:
    """One play: feeds what is due, prints what is seen."""

    def __init__(
        self, parts: Parts, running: Worker, clock: LogClock, console: Console, begins: tuple[int, Night]
    ) -> None:
        """Take over running parts; nothing is fed yet. `begins` is when the play starts, and whose night that is."""
        self._parts = parts
        self._worker = running
        self._clock = clock
        self._console = console
        self._writer = Writer(parts.config)
        followed = [ALERTS.name, DELIVERIES.name, OUTBOX.name, RECORDS.name]
        self._follower = Follower(parts.config, followed, from_beginning=True)
        self._planner = Planner(PLANS)
        self._answers: list[Answer] = []  # by the instant they are due
        self._start_at, self._night = begins
        self._due = live_records(self._start_at)
        self._next: Played = next(self._due)
        self._held = timeline.turns()  # a heap: sorted by time
        self._seen: set[str] = set()
        self._subjects: dict[str, str] = {}  # of messages
        self._told: dict[str, list[str]] = {}  # by event that is not printed yet: the stakeholders told of it
        self._sightings: dict[str, list[Sighting]] = defaultdict(list)
        self._colour = sys.stdout.isatty()

    def play(self) -> None:
        """Feed the measurements as they fall due, until the play is over."""
        self._introduce()
        while self._clock.now() < self._start_at + PLAY_MS:
            self._turn()
        # What was due has been fed; the last alerts are on their way.
        deadline = time.monotonic() + END_WITHIN_S
        while time.monotonic() < deadline and not self._has_seen_all():
            self._turn()

    def conclude(self) -> int:
        """Print the table; 1 if an expectation was not met."""
        judged = [Judged(each.name, each.service, self._verdict(each)) for each in SCENARIOS]
        judged.append(Judged("quiet hours", SLEEPER, self._night.judge()))
        self._print_held(self._clock.now() - self._start_at)
        self._console.say("")
        for line in timeline.verdict_table(judged, self._start_at):
            self._console.say(line)
        for each in judged:
            if self._console.as_json:
                self._console.record(_verdict_json(each), "")
        return ExitCode.FINE if all(each.verdict.is_met for each in judged) else ExitCode.FINDING

    def go_on(self) -> None:
        """Keep playing until Ctrl-C, so that one can look around."""
        self._console.say("\nStill running; Ctrl-C ends it. To look around, in another terminal:")
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL"):
            self._console.say(f"  export {name}={self._parts.environment[name]}")
        self._console.say("  forewarn status; forewarn tail --from-beginning; forewarn tail --topic notices\n")
        while True:
            self._turn()

    def _introduce(self) -> None:
        speed = f"{self._clock.speed} times as fast as life"
        self._console.say(f"{len(SCENARIOS)} services, {spoken(PLAY_MS)} of their life, {speed}. Times are theirs.\n")

    def _turn(self) -> None:
        """One look: feed what is due, print what has happened."""
        now = self._clock.now()
        while self._next.due_at <= now:
            self._put(self._next)
            self._next = next(self._due)
        while self._answers and self._answers[0].due_at <= now:
            self._writer.put(self._answers.pop(0).record)
        self._print_held(now - self._start_at - HELD_MS)
        self._worker.check()
        record = self._follower.poll(LOOK_EVERY_S)
        while record is not None:
            self._see(record, now)
            record = self._follower.poll(0)

    def _put(self, played: Played) -> None:
        self._writer.put(_record_of(played))

    def _see(self, record: Read, now: int) -> None:
        if record.value is None:
            return
        value = orjson.loads(record.value)
        if record.topic == DELIVERIES.name:
            self._see_delivery(value, now - self._start_at)
        elif record.topic == OUTBOX.name:
            self._answers += self._planner.read(value, now)
            self._night.read_message(value)
            self._see_message(value, now - self._start_at)
        elif record.topic == ALERTS.name or value["type"] == PLANNING_REPLY:
            self._see_event(value)

    def _see_message(self, message: Mapping[str, Any], offset_ms: int) -> None:
        """Tell what is asked, and keep what the message is about until it is delivered."""
        self._subjects[message["id"]] = timeline.in_play(str(message.get("subject") or ""), self._start_at)
        for question in message.get("planning") or ():
            asked = f"{message['stakeholder']} {question['dedup_key']} {question['asked_at']}"
            if asked not in self._seen:
                self._seen.add(asked)
                self._hold(timeline.question_entry(message, question, offset_ms, self._start_at))

    def _see_event(self, value: Mapping[str, Any]) -> None:
        if value["id"] in self._seen:
            return  # at least once, says the broker; once is enough for a person
        self._seen.add(value["id"])
        at = read_instant(value["time"])
        if at is None:
            raise UserError(f"an alert without a time: {value.get('id')}", code=ExitCode.FINDING)
        if value["type"] == PLANNING_REPLY:
            self._hold(timeline.reply_entry(value, at - self._start_at))
            return
        self._sightings[value["data"]["service"]].append(timeline.sighting_of(value, at))
        self._told[value["id"]] = []
        self._hold(timeline.alert_entry(value, at, self._start_at))

    def _see_delivery(self, delivery: Mapping[str, Any], offset_ms: int) -> None:
        """Add who was told to its alert, which is still held; else tell it apart."""
        said = self._night.read_delivery(delivery)
        if said is not None:
            self._hold(timeline.night_entry(delivery, offset_ms, said))
            return
        if delivery["channel"] is None:
            return  # not told, or not yet: a digest will tell
        known = [self._told[each] for each in delivery["event_ids"] if each in self._told]
        if not known or delivery["outcome"] != "delivered":
            self._hold(timeline.delivery_entry(delivery, offset_ms, self._subjects.get(delivery["id"], "")))
        for told in known:
            if delivery["outcome"] == "delivered" and delivery["stakeholder"] not in told:
                told.append(delivery["stakeholder"])

    def _hold(self, entry: timeline.Entry) -> None:
        """Keep an entry for a moment: an alert is seen some minutes of fast motion after the instant it is about."""
        heappush(self._held, entry)

    def _print_held(self, until_ms: int) -> None:
        while self._held and self._held[0].offset_ms <= until_ms:
            entry = heappop(self._held)
            self._print(timeline.with_told(entry, self._told.pop(entry.event_id, ())))

    def _print(self, entry: timeline.Entry) -> None:
        line = timeline.line_of(entry, colour=self._colour)
        if self._console.as_json:
            self._console.record(entry._asdict(), line)
        else:
            self._console.say(line)

    def _verdict(self, scenario: Scenario) -> Verdict:
        return scenario.expects.judge(self._sightings[scenario.service], self._start_at)

    def _has_seen_all(self) -> bool:
        seen = all(isinstance(each.expects, NeverAlerts) or self._verdict(each).is_met for each in SCENARIOS)
        return seen and self._night.judge().is_met


def _examples() -> list[dict[str, Any]]:
    loaded = load([EXAMPLES])
    if loaded.catalogue is None:
        errors = "; ".join(str(finding) for finding in loaded.findings)
        raise UserError(f"the examples in {EXAMPLES} are wrong: {errors}", code=ExitCode.FINDING)
    return loaded.documents


def _wait_until_ready(parts: Parts, running: Worker) -> None:
    """Until each partition of telemetry and tickets follows the catalogue: its owner has written the marker."""
    deadline = time.monotonic() + READY_WITHIN_S
    judged = [TELEMETRY.name, TICKETS.name]
    counts = partitions_of(parts.config, judged)
    waiting = {(topic, number) for topic in judged for number in range(counts[topic])}
    with Follower(parts.config, judged, from_beginning=True) as follower:
        while waiting:
            running.check()
            record = follower.poll()
            if record is not None and record.value is not None and b'"catalogue"' in record.value:
                waiting.discard((record.topic, record.partition))
            if time.monotonic() > deadline:
                raise UserError(
                    f"the worker is not ready after {READY_WITHIN_S} s: without an owner: {sorted(waiting)}",
                    code=ExitCode.REFUSES,
                )


def _tell_past(parts: Parts, running: Worker, clock: LogClock) -> None:
    """A month of each service; wait until it was taken in, for what happens meanwhile would be judged late."""
    writer = Writer(parts.config)
    for played in past_records(floor_to(clock.now(), MINUTE_MS)):
        writer.put(_record_of(played))
    last: dict[str, dict[int, int]] = defaultdict(dict)
    for each in writer.flush():
        last[each.topic][each.partition] = each.offset
    deadline = time.monotonic() + TAKING_IN_WITHIN_S
    while not all(_is_read(parts, topic, offsets) for topic, offsets in last.items()):
        running.check()
        if time.monotonic() > deadline:
            raise UserError(f"the worker has not read the past after {TAKING_IN_WITHIN_S} s", code=ExitCode.REFUSES)
        time.sleep(ASK_EVERY_S)


def _is_read(parts: Parts, topic: str, offsets: Mapping[int, int]) -> bool:
    """Whether those who judge a topic have read it to these offsets, and stored what they know."""
    stands = committed(parts.config, application_of(_JUDGES[topic]), topic, offsets)
    return all(stands.get(partition, 0) > offset for partition, offset in offsets.items())


def _record_of(played: Played) -> Record:
    return Record(played.topic, played.key, orjson.dumps(played.body), timestamp_ms=played.due_at)


def _verdict_json(judged: Judged) -> Mapping[str, Any]:
    name, service, verdict = judged
    return {"scenario": name, "service": service, **verdict._asdict(), "lead_ms": verdict.lead_ms}

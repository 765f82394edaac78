"""What a log must lead to: by the folds when nobody disturbs them, by the oracle, and by `forewarn replay`."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import orjson

from agents.routing import FORWARDED
from agents.settings import Settings
from agents.shell import line_of
from forewarn.replay.product import product_folds
from forewarn.replay.replay import replay
from schemas.catalogue_log import CatalogueLog
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_notice
from schemas.inbound import decode_telemetry, decode_tickets
from schemas.topics import CATALOGUE, NOTICES, TELEMETRY, TICKETS, changelog_of
from sla.catalogue import Catalogue
from sla.clock import Clock
from sla.detect import Detect
from sla.dispatch import Dispatch
from sla.fold import Fold, Line
from sla.units import MINUTE_MS, floor_to
from tests.oracle.clocks import Told as Expected
from tests.oracle.clocks import told_of
from tests.oracle.detect import Detector
from tests.oracle.replayed import Step
from tests.simulation.broker import APPEND_TIME, Place, Record
from tests.simulation.outcome import Outcome
from tests.simulation.said import Said
from tests.simulation.stored import dump, heads

SOURCES = {TELEMETRY.name: "detect", TICKETS.name: "clock", NOTICES.name: "dispatch"}
CLUSTER = Settings(kafka_bootstrap_servers="127.0.0.1:1").forewarn_cluster
TICK = {"type": "tick"}


class Told(NamedTuple):
    """One emission of an undisturbed fold, and the line that caused it."""

    place: Place
    offset: int
    said: Said


class Foreseen(NamedTuple):
    """An alert that the oracle expects, and the line with which it is due."""

    place: Place
    offset: int
    event: dict[str, Any]


class Reference:
    """Worked out from an outcome's logs alone, each part when it is asked for."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._catalogue = CatalogueLog()
        for record in outcome.logs[CATALOGUE.name, 0]:
            self._catalogue.feed(record.offset, record.value or b"")
        self._ends: dict[Place, Fold] = {}
        self._logs: dict[Place, list[Record]] = {}

    @property
    def newest_revision(self) -> int:
        """The revision in force at the end."""
        return self._catalogue.current.revision

    def places(self) -> list[Place]:
        """The partitions that a fold reads."""
        roles = self._outcome.story.roles
        return [place for place in self._outcome.logs if roles.get(SOURCES.get(place[0], ""))]

    def new_fold(self, place: Place) -> Fold:
        """A fold as a worker makes it."""
        if place[0] == NOTICES.name:
            return Dispatch(
                *place,
                decode=decode_notice,
                dead_letter=dead_letter,
                catalogue_reader=self._catalogue.at,
                cluster=CLUSTER,
            )
        is_clock = place[0] == TICKETS.name
        make: Any = Clock if is_clock else Detect
        fold: Fold = make(
            *place,
            cluster=CLUSTER,
            decode=decode_tickets if is_clock else decode_telemetry,
            dead_letter=dead_letter,
            catalogue_reader=self._catalogue.at,
            base=Catalogue(),
        )
        return fold

    def log(self, place: Place) -> list[Record]:
        """A partition without what was misplaced: that is read where it belongs."""
        if place not in self._logs:
            kinds = self._outcome.kinds if place[0] == self._outcome.story.source else {}
            log = self._outcome.logs[place]
            self._logs[place] = [each for each in log if kinds.get((place[1], each.offset)) != "misplaced"]
        return self._logs[place]

    # -- the folds

    @cached_property
    def told(self) -> list[Told]:
        """All that undisturbed folds say, partition by partition, in the order of each log."""
        found = []
        for place in self.places():
            fold = self._ends[place] = self.new_fold(place)
            for record in self.log(place):
                for topic, key, value, _ in fold.step(line_of(record)):
                    found.append(Told(place, record.offset, (topic, key, orjson.dumps(value))))
        return found

    def undisturbed(self, place: Place) -> list[bytes]:
        """The state of an undisturbed fold at the end of its log."""
        _ = self.told
        return self._dump(place, self._ends[place])

    def recovered(self, place: Place) -> list[bytes]:
        """The state that the changelog holds, per atom the highest offset, and the rest of the log applied to it."""
        fold = self.new_fold(place)
        fold.load(heads(self._outcome.changelogs[changelog_of(SOURCES[place[0]]), place[1]]))
        for record in self.log(place):
            fold.step(line_of(record))
        return self._dump(place, fold)

    def _dump(self, place: Place, fold: Fold) -> list[bytes]:
        """What a fold says in the minutes to come, and its whole state after them.

        Only then: what a decision that said nothing has left behind is not written, and made up for by the next one.
        """
        offset, now = self._outcome.logs[place][-1].offset, fold.now or 0
        step_ms = self._outcome.story.step_ms
        stamps = [now + step_ms, *(floor_to(now, MINUTE_MS) + minute * MINUTE_MS for minute in (2, 3, 6, 12))]
        ticks = [Line(offset + number, None, b'{"type":"tick"}', at, at) for number, at in enumerate(stamps, start=1)]
        told = [orjson.dumps(list(emission)) for tick in ticks for emission in fold.step(tick)]
        return [*told, dump(fold)]

    # -- the oracle

    @cached_property
    def oracle(self) -> list[Foreseen] | Expected | None:
        """The alerts that the oracle expects; None where a later revision changed what is promised."""
        story = self._outcome.story
        if not story.is_plain:
            return None
        if story.source == TICKETS.name:
            return self._told_of_tickets()
        alerts: list[Foreseen] = []
        for place in self.places():
            if place[0] != TELEMETRY.name:
                continue
            detector = Detector(story.revisions[0], place[1], story.step_ms, CLUSTER)
            for step in self._steps(place):
                before_count = len(detector.outcome.alerts)
                detector.read(step)
                alerts += [Foreseen(place, step.offset, each) for _, each in detector.outcome.alerts[before_count:]]
        return alerts

    def _told_of_tickets(self) -> Expected:
        story = self._outcome.story
        found = Expected([], [], {}, set())
        for place in self.places():
            if place[0] == TICKETS.name:
                steps = [
                    step._replace(value=TICK) if step.value.get("ticket") in self.early_tickets else step
                    for step in self._steps(place)
                ]
                told = told_of(story.revisions[0], steps, story.step_ms)
                facts, orderly = found.facts | told.facts, found.orderly | told.orderly
                found = Expected([*found.events, *told.events], [*found.refused, *told.refused], facts, orderly)
        return found

    @cached_property
    def early_tickets(self) -> set[str]:
        """Those of which something came before a catalogue was in force."""
        found: set[str] = set()
        for place in self.places():
            for record in self.log(place) if place[0] == TICKETS.name else ():
                if self._outcome.kinds.get((place[1], record.offset)) == "poison":
                    continue
                value = orjson.loads(record.value or b"null")
                if value["type"] == "catalogue":
                    break
                if value["type"] == "ticket":
                    found.add(value["ticket"])
        return found

    def _steps(self, place: Place) -> Iterator[Step]:
        """A log as the oracle reads it: markers and what is no record pass time alone; so does a second copy."""
        is_in_force = False
        copies: set[bytes] = set()
        for record in self.log(place):
            is_poison = self._outcome.kinds.get((place[1], record.offset)) == "poison"
            value = TICK if is_poison else orjson.loads(record.value or b"null")
            is_own = not is_poison and value["type"] in ("tick", "catalogue")
            is_in_force = is_in_force or (is_own and value["type"] == "catalogue")
            found_at = next((content for name, content in record.headers if name == FORWARDED), None)
            is_copy = found_at in copies
            if found_at is not None and is_in_force:  # one that no definition was there for is not known again
                copies.add(found_at)
            counts = is_in_force or value["type"] in ("exclusion", "change")
            if is_own or is_copy or not counts:
                value = TICK
            moves = record.timestamp_type == APPEND_TIME or is_own
            key = None if record.key is None else record.key.decode()
            yield Step(record.timestamp, moves, record.offset, key, value)

    # -- replay

    def replayed(self) -> list[Said]:
        """What `forewarn replay` prints for the catalogue, the telemetry and the notices of the outcome."""
        lines = [_line(record) for record in self._outcome.logs[CATALOGUE.name, 0]]
        lines += [
            _line(record)
            for record in sorted(
                (record for place in self.places() for record in self.log(place)), key=lambda record: record.order
            )
        ]
        base = Catalogue()
        catalogue = CatalogueLog(base)
        printed: list[bytes] = []
        folds = product_folds(base, catalogue, None, CLUSTER)
        with TemporaryFile("w+b") as source:
            source.writelines(lines)
            replay(source, printed.append, folds, catalogue.feed, step_ms=base.decide_every_ms, until=None)
        found = [orjson.loads(line) for line in printed]
        return [(each["topic"], each["key"], orjson.dumps(each["value"])) for each in found]


def _line(record: Record) -> bytes:
    line: dict[str, Any] = {
        "topic": record.topic,
        "key": None,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "timestamp_type": "append" if record.timestamp_type == APPEND_TIME else "create",
        "value_base64": b64encode(record.value or b"").decode(),
        "headers": [[name, b64encode(content).decode()] for name, content in record.headers],
    }
    if record.key is not None:
        line["key_base64"] = b64encode(record.key).decode()
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)

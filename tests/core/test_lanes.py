"""The short way through a partition (`sla.detect.lanes`): whatever a log holds, it never differs from the long way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from schemas.dead_letter import dead_letter
from schemas.inbound import decode_telemetry, read_plain_counts
from sla.catalogue import Catalogue
from sla.detect import Detect
from sla.fold import Emission, Line
from tests.core.table import Table
from tests.core.world import T0, TOPIC, agreement, catalogue_of, document, marker, objective
from tests.oracle.workload import workload

MONTH = {"calendar": "month", "timezone": "UTC"}
COUNTS = {"type": "counts", "service": "pay", "signal": "ok", "good": 9, "bad": 1}


def record(offset: int, at: int, value: Any, key: str | None, stamp: int = 1) -> Any:
    raw = value if isinstance(value, bytes) or value is None else orjson.dumps(value)
    raw_key = None if key is None else key.encode()
    return SimpleNamespace(offset=offset, key=raw_key, value=raw, timestamp=at, timestamp_type=stamp, headers=())


def line_of(each: Any) -> Line:
    return Line(each.offset, each.key, each.value, each.timestamp, each.timestamp if each.timestamp_type else None)


class Way:
    """One way through a log: all that was said, and every table entry that was taken."""

    def __init__(self, base: Catalogue, revisions: list[Catalogue], *, is_short: bool) -> None:
        self.skimmed_count = 0
        self.said: list[Emission] = []
        self.taken: list[bytes] = []
        self.is_short = is_short
        self._base = base
        self._revisions = {(each.revision, each.sha256): each for each in revisions}
        self._table = Table()
        self.fold = self._new_fold()

    def _new_fold(self) -> Detect:
        return Detect(
            TOPIC,
            0,
            cluster="test",
            decode=decode_telemetry,
            dead_letter=dead_letter,
            catalogue_reader=lambda revision, sha256: self._revisions.get((revision, sha256)),
            base=self._base,
            read_plain=read_plain_counts if self.is_short else None,
        )

    def read(self, records: list[Any]) -> None:
        """A batch, as the shell does it."""
        index = 0
        while index < len(records):
            before = index
            index = self.fold.skim(records, index)
            self.skimmed_count += index - before
            if index < len(records):
                self.said += self.fold.step(line_of(records[index]))
                index += 1

    def flush(self) -> None:
        atoms = self.fold.take_dirty()
        self._table.write(atoms)
        for atom in atoms:
            self.taken.append(orjson.dumps([atom.key, atom.offset, atom.body], option=orjson.OPT_SORT_KEYS))

    def restart(self) -> None:
        self.flush()
        self.fold = self._new_fold()
        self.fold.load(self._table.atoms())


def side_by_side(
    ways: Sequence[Way], records: Sequence[Any], dice: random.Random, *, sizes: list[int], flushed: float
) -> None:
    """The same log each way, in batches of such sizes, with flushes (after so many) and restarts at the same places."""
    start = 0
    while start < len(records):
        end = start + dice.choice(sizes)
        event = dice.random()
        for way in ways:
            way.read(list(records[start:end]))
            if event < flushed:
                way.flush()
            if event < 0.01:
                way.restart()
        assert len({way.fold.now for way in ways}) == 1
        start = end
    for way in ways:
        way.flush()


def compare(records: list[Any], base: Catalogue, revisions: list[Catalogue], dice: random.Random) -> int:
    """Read the same log both ways, in batches, with flushes and restarts; how many records went the short way."""
    short, long = Way(base, revisions, is_short=True), Way(base, revisions, is_short=False)
    side_by_side((short, long), records, dice, sizes=[1, 2, 7, 50, 500], flushed=0.1)
    assert short.said == long.said
    assert short.taken == long.taken
    assert long.skimmed_count == 0
    return short.skimmed_count


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_log_is_read_alike(seed: int) -> None:
    case = workload(seed)
    base = catalogue_of(case.definitions)
    # Every record twice, so that streams are touched again before they are decided on.
    lines = [line for line in case.lines if line["topic"] == TOPIC for _ in range(2)]
    records = [record(n, line["timestamp"], line.get("value"), line.get("key")) for n, line in enumerate(lines)]
    assert compare(records, base, [], random.Random(seed)) >= 0


BUSY: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"noData": {"after": "1m", "treat": "unknown"}}, True),
    ({"noData": {"after": "30s"}}, False),  # a silence within a bucket
    ({"grace": "0s"}, False),  # late at once
    ({"grace": "1m", "correctFor": "3m", "window": {"calendar": "day", "timezone": "Asia/Kathmandu"}}, True),
    ({"budgeting": {"timeslices": "1m", "sliceTarget": "95%"}}, False),
    ({"warnings": {}, "window": {"rolling": "30d"}, "target": "99.9%"}, True),
]


@pytest.mark.parametrize(("spec", "is_mostly_short"), BUSY, ids=[", ".join(spec) or "plain" for spec, _ in BUSY])
def test_a_busy_log_is_read_alike_and_mostly_the_short_way(spec: dict[str, Any], *, is_mostly_short: bool) -> None:
    dice = random.Random(repr(spec))
    later = catalogue_of([objective(**{**spec, "target": "95%"})], revision=7, version=7)
    weekly = objective("weekly", window={"rolling": "7d"}, grace=spec.get("grace", "2m"))
    step_ms = dice.choice([100, 1_000]) if "noData" not in spec else 60_000
    quiet = objective("quiet", indicator={"type": "ratio", "signal": "quiet"}, noData={"after": "5s"})
    base = catalogue_of([objective(**spec), weekly, quiet, agreement("sla", "paid", period=MONTH)])
    base, later = (replace(each, decide_every_ms=step_ms) for each in (base, later))
    now, records = T0, []
    for offset in range(20_000):
        now += dice.choice([0, 0, 0, 1, 3, 10, 60]) if dice.random() < 0.999 else dice.choice([9_000, 11_000, 70_000])
        records.append(one_of_a_busy_log(dice, offset, now, later))
    skimmed_count = compare(records, base, [later], dice)
    assert (skimmed_count > 8_000) is is_mostly_short


def one_of_a_busy_log(dice: random.Random, offset: int, now: int, later: Catalogue) -> Any:
    """Mostly plain counts on time; sometimes whatever else there is."""
    at = now - dice.choice([0, 0, 0, 5, 50, 900])
    plain = {**COUNTS, "at": at, "good": dice.randrange(50), "bad": int(dice.random() < 0.05)}
    draw = dice.random()
    if draw < 0.92:
        return record(offset, now, plain, "pay")
    exclusion = {"type": "exclusion", "service": "pay", "id": f"x{offset}", "from": now - 60_000, "to": now + 60_000}
    odd: list[Any] = [
        {**plain, "at": now + dice.choice([1, 2_000, 59_000, 299_000, 301_000])},
        {**plain, "at": now - dice.choice([30_000, 61_000, 119_000, 121_000, 600_000])},
        {**plain, "service": "other"},
        {**plain, "service": ["pay"]},
        {**plain, "signal": {}},
        {**plain, "signal": "ko"},
        {**plain, "signal": "quiet"},
        {**plain, "signal": "quiet"},
        {**plain, "good": 1.0},
        {**plain, "good": True},
        {**plain, "bad": 2**53},
        {**plain, "instance": "eu"},
        {**plain, "source": "s", "sequence": dice.randrange(100)},
        {**plain, "type": "sample", "value": 1.5},
        {"type": "tick"},
        {"type": "change", "service": "pay", "id": f"c{offset}", "at": at},
        b'{"type":"counts"',
        b"\xff",
        None,
    ]
    if draw < 0.9204:
        return record(offset, now, dice.choice([exclusion, marker(later)]), None)
    return record(offset, now, dice.choice(odd), dice.choice(["pay", "pay", "other", None]), dice.choice([1, 1, 1, 0]))


def test_a_log_stamped_by_its_producers_goes_the_long_way() -> None:
    base = catalogue_of([objective()])
    records = [record(n, T0 + n, {**COUNTS, "at": T0 + n}, "pay", stamp=0) for n in range(100)]
    assert compare(records, base, [], random.Random(1)) == 0


def test_a_service_that_no_definition_names_goes_the_long_way() -> None:
    base = catalogue_of([document("Service", "pay", owner="team")])
    records = [record(n, T0 + n, {**COUNTS, "at": T0 + n}, "pay") for n in range(100)]
    assert compare(records, base, [], random.Random(1)) == 0

"""Wherever a worker is killed, its successor says what it would have said: the law of restarts, without a broker."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
import yaml

from schemas.catalogue_log import CatalogueLog
from schemas.dead_letter import dead_letter
from schemas.definitions import load
from schemas.feeds import decode_notice
from schemas.inbound import decode_telemetry
from sla.detect import Detect
from sla.dispatch import Dispatch
from sla.fold import Fold, Line
from tests.oracle.replayed import logs
from tests.oracle.workload import workload
from tests.system.interrupted import Interrupted, MakeFold, Said, alone

SEEDS = range(12)
LIVES = 8


class Day(NamedTuple):
    """One partition of a random day, and the fold that reads it."""

    make_fold: MakeFold
    lines: list[Line]
    expected: Said


def a_day(seed: int, folder: Path) -> Day:
    case = workload(seed)
    folder.joinpath("definitions.yaml").write_text(yaml.safe_dump_all(case.definitions, sort_keys=False))
    catalogue = load([folder]).catalogue
    assert catalogue is not None
    log = CatalogueLog(catalogue)
    lines = [
        Line(
            step.offset,
            None if step.key is None else step.key.encode(),
            orjson.dumps(step.value),
            step.at,
            step.at if step.moves_time else None,
        )
        for step in logs(case.lines, case.tick_ms, None)[0]
    ]

    def make_fold() -> Fold:
        return Detect(
            "sla.telemetry.v1",
            0,
            cluster="test",
            decode=decode_telemetry,
            dead_letter=dead_letter,
            catalogue_reader=log.at,
            base=catalogue,
        )

    return Day(make_fold, lines, alone(make_fold, lines))


@pytest.mark.parametrize("seed", SEEDS)
def test_detect_says_the_same_wherever_it_is_killed(seed: int, tmp_path: Path) -> None:
    day = a_day(seed, tmp_path)
    assert day.expected
    life = Interrupted(day.make_fold, day.lines, random.Random(seed))
    said = life.run(LIVES)
    unlike = next((place for place, pair in enumerate(zip(said, day.expected, strict=False)) if pair[0] != pair[1]), -1)
    assert said == day.expected, f"the first difference is at {unlike} of {len(day.expected)}"


def test_dispatch_says_the_same_wherever_it_is_killed(tmp_path: Path) -> None:
    notices = [
        (key, value)
        for seed in range(4)
        for topic, key, value in a_day(seed, tmp_path).expected
        if topic.endswith("notices.v1")
    ]
    assert notices
    lines = [
        Line(offset, (key or "").encode(), value, offset * 1000, offset * 1000)
        for offset, (key, value) in enumerate([*notices, *notices[:20]])
    ]

    def make_fold() -> Fold:
        return Dispatch("sla.notices.v1", 0, decode=decode_notice, dead_letter=dead_letter)

    expected = alone(make_fold, lines)
    assert Interrupted(make_fold, lines, random.Random(7)).run(LIVES) == expected

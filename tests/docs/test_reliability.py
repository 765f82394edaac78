"""docs/reliability.md describes the run that tests/system makes, and shows reports of everything that can go wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from tests.chaos.fleet import BUSY
from tests.chaos.fleet import STORIES as CHAOS_STORIES
from tests.chaos.report import WORDS as CHAOS_WORDS
from tests.engine.test_overrides import REPAIRS, SWITCHED
from tests.simulation.faults import Fault
from tests.simulation.mutants import MUTANTS
from tests.simulation.test_simulation import FAILED_ONCE
from tests.system.services import SECONDS, STORIES
from tests.system.test_run import VALIDATED
from tests.system.workers import PARTITIONS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
WORDS = {4: "four", 7: "seven"}


@pytest.mark.parametrize(
    "told",
    [
        f"{sum(story.count for story in STORIES)} services on {WORDS[PARTITIONS]} partitions",
        f"runs for {SECONDS} seconds",
        f"reads {WORDS[len(VALIDATED)]} topics",
    ],
)
def test_the_fleet_is_as_the_document_says(told: str) -> None:
    assert told in DOCUMENT


def block(beginning: str) -> str:
    """The report that begins like this."""
    found = re.search(rf"^```text\n({beginning}.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no report begins with {beginning}"
    return found[1]


def test_the_simulation_injected_every_fault_there_is_and_what_it_found_is_kept() -> None:
    report = block("schedules +1,250 ")
    struck = dict(re.findall(r"^  (\w+) +([\d,]+)$", report, re.MULTILINE))
    assert {kind.__name__ for kind in get_args(Fault)} <= struck.keys()
    assert report.splitlines()[-1].split() == ["violations", "0", "in", "0", "schedules"]
    found = re.findall(r"schedules?\s\(([\d, ]+)\)", DOCUMENT)
    assert len(found) == 3
    assert {int(seed) for seeds in found for seed in seeds.split(",")} <= set(FAILED_ONCE)


def test_every_planted_bug_is_named() -> None:
    report = block("offsets committed before the flush").splitlines()
    assert [line[:42].rstrip() for line in report[:-1]] == list(MUTANTS)


def test_every_override_of_faust_stands_with_its_test() -> None:
    told = re.findall(r"^\| `([\w.]+)` \| (.+) \| `([\w.]+)` \|$", DOCUMENT, re.MULTILINE)
    switched = [(name.value, each.without, each.test) for name, each in SWITCHED.items()]
    put_back = [(name, each.without, each.law.__name__) for name, each in REPAIRS.items()]  # type: ignore[attr-defined]
    assert told == [*switched, *put_back]


def test_chaos_struck_in_every_way_and_broke_no_law() -> None:
    report = block("seed ")
    struck = {words: int(count) for words, count in re.findall(r"^\| ([^|]+) \| (\d+) \|", report, re.MULTILINE)}
    assert set(struck) == set(CHAOS_WORDS.values())
    assert report.splitlines()[-1] == "violations 0"
    assert f"{sum(story.count for story in (*CHAOS_STORIES, BUSY))} services" in DOCUMENT

"""Every measure in small: that it runs, and that what it answers has the shape of an answer. Never how fast."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from bench.lab import Lab, Scale
from bench.measures.all import ALL
from bench.measures.measure import Found, Measure, ratio_of_pairs
from bench.report.goals import GOALS
from bench.report.results import Results
from tests.harness import Missing, require


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(Scale.SMOKE, is_quiet=True) as lab:
        yield lab


@pytest.mark.parametrize("measure", ALL, ids=lambda measure: measure.name)
def test_a_measure_answers_what_it_was_asked(measure: Measure, lab: Lab) -> None:
    try:
        found = measure.run(lab)
    except Missing as missing:
        require("kafka", missing)
    assert found.figures
    assert found.figures.keys() <= set(measure.keys)
    assert all(math.isfinite(figure) for figure in found.figures.values()), found.figures
    assert found.rows
    assert {len(row) for row in found.rows} == {len(found.head)}


def test_a_ratio_is_the_median_of_the_pairs_and_not_the_pair_of_the_medians() -> None:
    # The machine was busy in the second round, for both.
    assert ratio_of_pairs([(6.0, 10.0), (0.6, 1.0), (7.0, 10.0)]) == pytest.approx(0.6)


def test_no_two_measures_answer_to_one_key_and_every_goal_has_its_measure() -> None:
    keys = [key for measure in ALL for key in measure.keys]
    assert len(keys) == len(set(keys))
    assert GOALS.keys() <= set(keys)


def test_a_measure_replaces_its_own_figures_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.json"
    first, second = ALL[0], ALL[1]
    results = Results(path)
    results.put(first, Found({first.keys[0]: 0.7, first.keys[1]: 0.4}, ("a",), [["1"]]), "2026-11-28T10:00:00Z")
    results.put(second, Found({second.keys[0]: 3.0}, ("a",), [["1"]]), "2026-11-28T10:01:00Z")
    Results(path).put(first, Found({first.keys[0]: 0.8}, ("a",), [["2"]]), "2026-11-28T11:00:00Z")
    held = orjson.loads(path.read_bytes())
    assert held[first.keys[0]] == 0.8
    assert first.keys[1] not in held  # it was not found again
    assert held[second.keys[0]] == 3.0
    assert held["measured_at"] == {first.name: "2026-11-28T11:00:00Z", second.name: "2026-11-28T10:01:00Z"}

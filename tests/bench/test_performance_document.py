"""docs/performance.md is held to the code: its keys, commands and goals."""

from __future__ import annotations

import re
from pathlib import Path

from bench.measures.all import ALL
from bench.report.goals import GOALS

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


def rows() -> list[list[str]]:
    section = DOCUMENT.read_text().split("## Figures")[1]
    found = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found]


def test_each_figure_stands_beside_the_command_that_measures_it() -> None:
    command_of = {key: f"`make bench ARGS={measure.name}`" for measure in ALL for key in measure.keys}
    assert {row[0].strip("`"): row[3] for row in rows()} == {
        key: command_of[key] for row in rows() for key in [row[0].strip("`")]
    }


def test_no_goal_is_left_out_and_none_is_told_otherwise_than_it_is() -> None:
    told = {row[0].strip("`"): row[2] for row in rows()}
    assert GOALS.keys() <= told.keys()
    for key, goal in GOALS.items():
        assert told[key].startswith(goal.wording), key


def test_a_goal_that_is_not_reached_is_said_so() -> None:
    for name, figure, wording, _ in rows():
        goal = GOALS.get(name.strip("`"))
        if figure == "–":
            assert "not measured" in wording, name
        elif goal is not None:
            value = float(re.sub(r"[^\d.]", "", figure))
            assert ("not reached" in wording) is not goal.is_reached_by(value), name

"""docs/reliability.md describes the run that tests/system makes."""

from __future__ import annotations

from pathlib import Path

import pytest

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

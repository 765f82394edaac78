"""docs/semantics.md tells what replay does: each of its examples is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.examples import Example, examples, is_status, played, told

DOCUMENT = Path(__file__).parents[2] / "docs" / "semantics.md"


@pytest.mark.parametrize("example", examples(DOCUMENT), ids=lambda example: example.title)
def test_an_example_says_what_replay_says(example: Example, tmp_path: Path) -> None:
    assert told(example, played(example, tmp_path)) == sorted(example.told, key=is_status)


def test_every_block_of_the_document_belongs_to_an_example() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    counts = {language: text.count(f"```{language}\n") for language in ("yaml", "json", "text")}
    assert set(counts.values()) == {len(examples(DOCUMENT))}
    assert len(examples(DOCUMENT)) >= 10


def test_an_example_that_promises_something_else_is_seen(tmp_path: Path) -> None:
    example = examples(DOCUMENT)[0]
    assert told(example._replace(told=[]), played(example, tmp_path)) != []

"""A revision is published whole, once, and by one person at a time."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from forewarn import apply as catalogue
from forewarn.kafka import read_to_end, write
from tests.cli.conftest import Run

DEFINITIONS = """
apiVersion: forewarn/v1
kind: Service
metadata: {name: payments}
spec: {owner: payments-team}
---
apiVersion: forewarn/v1
kind: Objective
metadata: {name: payments-availability}
spec:
  service: payments
  indicator: {type: ratio, signal: availability}
  target: TARGET
  window: {rolling: 30d}
"""


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    return write_definitions(tmp_path / "definitions.yaml", "99.9%")


def write_definitions(path: Path, target: str) -> Path:
    path.write_text(DEFINITIONS.replace("TARGET", target))
    return path


def test_documents_go_first_and_the_commit_names_what_it_was_made_from(
    run: Run, bootstrap: str, definitions: Path
) -> None:
    applied = run("apply", str(definitions), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    assert applied.exit_code == 0, applied.output
    assert applied.stdout.splitlines()[-1] == "revision 2 is in force: 2 documents"
    records = read_to_end({"bootstrap.servers": bootstrap}, "sla.catalogue.v1")
    assert [(r.key or b"").decode() for r in records] == [
        "Service/payments",
        "Objective/payments-availability",
        "commit",
    ]
    *documents, commit = (orjson.loads(record.value or b"") for record in records)
    assert [document["index"] for document in documents] == [0, 1]
    assert (commit["base_revision"], commit["documents_count"]) == (0, 2)
    assert len({value["apply_id"] for value in (*documents, commit)}) == 1


def test_the_same_definitions_again_publish_nothing(run: Run, bootstrap: str, definitions: Path) -> None:
    for words in ("revision 2 is in force", "nothing to do: revision 2 holds the same"):
        assert words in run("apply", str(definitions), KAFKA_BOOTSTRAP_SERVERS=bootstrap).stdout
    assert len(read_to_end({"bootstrap.servers": bootstrap}, "sla.catalogue.v1")) == 3


def test_a_changed_definition_is_the_next_revision(run: Run, bootstrap: str, definitions: Path) -> None:
    run("apply", str(definitions), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    write_definitions(definitions, "99.5%")
    result = run("apply", "--json", str(definitions), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    told = orjson.loads(result.stdout.splitlines()[-1])
    assert (told["outcome"], told["revision"], told["base_revision"]) == ("applied", 5, 2)


def test_a_dry_run_publishes_nothing(run: Run, bootstrap: str, definitions: Path) -> None:
    result = run("apply", "--dry-run", str(definitions), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    assert (result.exit_code, "would replace revision 0 by 2 documents" in result.stdout) == (0, True)
    assert read_to_end({"bootstrap.servers": bootstrap}, "sla.catalogue.v1") == []


def test_whoever_comes_second_is_told_who_won(
    run: Run, bootstrap: str, definitions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = write_definitions(tmp_path / "rival.yaml", "99%")

    def write_after_a_rival(*arguments: object) -> object:
        monkeypatch.setattr(catalogue, "write", write)
        assert "revision 2" in run("apply", str(rival), KAFKA_BOOTSTRAP_SERVERS=bootstrap).stdout
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(catalogue, "write", write_after_a_rival)
    result = run("apply", str(definitions), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    assert (result.exit_code, "revision 2 is in force" in result.stdout, "void" in result.stdout) == (1, True, True)


def test_definitions_with_errors_are_shown_and_not_published(run: Run, bootstrap: str, definitions: Path) -> None:
    write_definitions(definitions, "100%")
    result = run("apply", str(definitions), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    assert (result.exit_code, "nothing was published" in result.stdout) == (1, True)
    assert f"{definitions}:13" in result.stdout.replace("\n", "")
    assert read_to_end({"bootstrap.servers": bootstrap}, "sla.catalogue.v1") == []


def test_a_path_that_is_not_there_is_a_finding_and_not_a_traceback(run: Run, tmp_path: Path) -> None:
    result = run("lint", str(tmp_path / "nowhere"))
    assert (result.exit_code, "nowhere" in result.stdout, "Traceback" in result.output) == (1, True, False)

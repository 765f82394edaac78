"""What ships with the definitions: examples, the editors' schema, the reference, the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from forewarn.console import ExitCode
from forewarn.lint import lint
from schemas.definitions import load, load_documents
from schemas.definitions.jsonschema import FILE, json_schema, text
from schemas.definitions.kinds import API_VERSION, KINDS
from schemas.definitions.rules import RULES
from tests.definitions.documents import OBJECTIVE, SURROUNDINGS, load_text

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "deploy" / "examples"
REFERENCE = ROOT / "docs" / "definitions.md"


def validator() -> Any:
    return jsonschema.Draft202012Validator(json_schema())


def test_the_examples_lint_without_a_remark() -> None:
    loaded = load([EXAMPLES])
    assert [str(finding) for finding in loaded.findings] == []
    assert loaded.catalogue is not None
    assert {each.kind for each in loaded.defined} == {
        "Objective", "TicketObjective", "Calendar", "Service", "Agreement", "Stakeholder",
    }  # fmt: skip


def test_the_schema_file_is_the_one_that_the_models_give() -> None:
    assert FILE.read_text() == text(), "run: python -m schemas.definitions.jsonschema"


def test_the_schema_is_a_schema_for_every_kind() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert set(json_schema()["discriminator"]["mapping"]) == set(KINDS)


def test_the_schema_takes_the_examples() -> None:
    own = [document for document in load([EXAMPLES]).documents if document["apiVersion"] == API_VERSION]
    assert len(own) > 10
    for document in own:
        assert [error.message for error in validator().iter_errors(document)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("99.9%", "99.9"), ("service:", "sevice:"), ("30d", "30 days"), ("type: ratio", "type: ration")],
)
def test_the_schema_refuses_what_lint_refuses(old: str, new: str, tmp_path: Path) -> None:
    document = yaml.safe_load(OBJECTIVE.replace(old, new))
    assert not validator().is_valid(document)
    assert load_documents([document]).refused()
    assert load_text(tmp_path, OBJECTIVE.replace(old, new), SURROUNDINGS).refused()


def documents_in(markdown: str) -> list[str]:
    return [block.split("```")[0] for block in markdown.split("```yaml\n")[1:]]


def test_the_reference_lists_every_rule_with_its_level() -> None:
    reference = REFERENCE.read_text()
    rows = [line.split("|") for line in reference.splitlines() if line.startswith("| `")]
    listed = {
        row[1].strip().strip("`"): row[2].strip() for row in rows if row[2].strip() in ("error", "warning", "note")
    }
    assert listed == {rule: str(level) for rule, (level, _) in RULES.items()}


def test_the_reference_shows_documents_that_are_read(tmp_path: Path) -> None:
    shown = documents_in(REFERENCE.read_text())
    (tmp_path / "shown.yaml").write_text("---\n".join(shown))
    loaded = load([tmp_path])
    assert not loaded.refused(), [str(finding) for finding in loaded.findings]
    assert set(KINDS) <= {document["kind"] for document in loaded.documents}


def test_every_field_is_in_the_reference() -> None:
    reference = REFERENCE.read_text()
    fields = {name for each in json_schema()["$defs"].values() for name in each.get("properties", {})}
    assert [name for name in sorted(fields) if f"`{name}`" not in reference and f"{name}:" not in reference] == []


def test_lint_prints_findings_and_ends_with_their_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(OBJECTIVE)
    bad.write_text(OBJECTIVE.replace("99.9%", "99.9"))
    assert lint([good]) is ExitCode.FINE
    assert lint([good], strict=True) is ExitCode.FINDING
    capsys.readouterr()
    assert lint([bad]) is ExitCode.FINDING
    assert f"{bad}:7: error: " in capsys.readouterr().out
    assert lint([bad], json=True) is ExitCode.FINDING
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"level", "rule", "file", "line", "message"} == set(records[0])
    assert (records[0]["rule"], records[0]["line"]) == ("wrong-value", 7)


def test_lint_of_good_definitions_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint([EXAMPLES], strict=True) is ExitCode.FINE
    assert "nothing to remark" in capsys.readouterr().out

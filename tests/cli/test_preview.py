"""`forewarn preview`: messages before anybody gets them, and what is wrong with a folder of templates."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from forewarn.cli import app
from forewarn.preview.samples import SAMPLES

RUN = CliRunner()


def shown(*arguments: str) -> list[dict[str, object]]:
    result = RUN.invoke(app, ["preview", "--json", *arguments])
    assert result.exit_code == 0, result.output
    return [orjson.loads(line) for line in result.output.splitlines()]


def test_a_sample_is_shown_for_every_audience() -> None:
    found = shown("--sample", "breach")
    assert [each["audience"] for each in found] == ["oncall", "owner", "customer", "supplier", "executive"]
    assert all(each["mistake"] is None for each in found)


def test_what_programs_get_is_shown_as_they_get_it() -> None:
    named = [part for kind in ("webhook", "pagerduty", "alertmanager", "mail") for part in ("--channel", kind)]
    webhook, pagerduty, alertmanager, mail = shown("--audience", "oncall", *named)
    assert webhook["body"]["type"] == "forewarn.message.v1"  # type: ignore[index]
    assert pagerduty["body"]["routing_key"] == "***"  # type: ignore[index]
    assert alertmanager["body"]["labels"]["service"] == "payments"  # type: ignore[index]
    assert "<h1" in str(mail["html"])


def test_an_event_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(orjson.dumps(SAMPLES["recovery"]))
    (found,) = shown(str(file), "--audience", "customer")
    assert found["subject"] == "payments-availability is met again"


@pytest.mark.parametrize(
    ("content", "why"), [(b"{", "no JSON"), (b"[]", "holds no event"), (b'{"id":1,"data":{}}', "holds no event")]
)
def test_a_file_that_is_no_event_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(content)
    result = RUN.invoke(app, ["preview", str(file)])
    assert result.exit_code == 2
    assert why in result.output


@pytest.mark.parametrize("option", ["--audience", "--channel", "--sample"])
def test_an_unknown_name_is_told_with_the_known_ones(option: str) -> None:
    result = RUN.invoke(app, ["preview", option, "nobody"])
    assert result.exit_code == 2
    assert "choose from" in result.output


def test_what_is_wrong_with_a_folder_of_templates_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "customer").mkdir()
    (tmp_path / "customer" / "breach.txt").write_text("{{ sbject }}\n{% for %}")
    (tmp_path / "default.txt").write_text("{{ 1 / 0 }}")
    (tmp_path / "binary.txt").write_bytes(b"\xff")
    result = RUN.invoke(app, ["preview", "--templates", str(tmp_path), "--check"])
    assert result.exit_code == 1
    assert "customer/breach.txt:2: " in result.output
    assert "oncall, early_warning: plain words instead of a template's: division by zero" in result.output
    assert "binary.txt: cannot be read as UTF-8" in result.output
    assert RUN.invoke(app, ["preview", "--check"]).exit_code == 0


def test_a_message_whose_template_fails_is_shown_in_plain_words_and_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "default.txt").write_text("{{ 1 / 0 }}")
    result = RUN.invoke(app, ["preview", "--templates", str(tmp_path), "--audience", "oncall"])
    assert result.exit_code == 1
    assert "!! plain words instead of a template's" in result.output
    assert "Early warning" in result.output

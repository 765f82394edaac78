"""`forewarn replay` as a person calls it: files, pipes, what goes wrong and how it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from forewarn.cli_options import new_app
from forewarn.console import UserError
from forewarn.replay.command import read_tick, read_until, replay
from forewarn.replay.recording import read_range

T = 1_795_428_000_000
DEFINITIONS = """
apiVersion: forewarn/v1
kind: Objective
metadata: {name: shop-availability}
spec:
  service: shop
  indicator: {type: ratio, signal: availability}
  target: 99%
  window: {rolling: 1d}
"""

app = new_app("Only replay.")
app.command()(replay)


@app.command()
def other() -> None:
    """A second command, so that the first keeps its name."""


def forewarn(*arguments: str | Path, given: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=given)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(DEFINITIONS)
    values = [
        {"type": "counts", "service": "shop", "signal": "availability", "at": T + n * 1000, "good": 50, "bad": 50}
        for n in range(120)
    ]
    lines = [{"topic": "sla.telemetry.v1", "key": "shop", "value": value, "timestamp": value["at"]} for value in values]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def printed(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in raw.splitlines()]


def test_a_file_a_pipe_and_an_output_file_give_the_same_bytes(folder: Path) -> None:
    file = forewarn("replay", "--definitions", folder, "--input", folder / "in.jsonl")
    assert file.exit_code == 0, file.output
    assert next(set(line) for line in printed(file.stdout_bytes)) == {"topic", "key", "value"}
    pipe = forewarn("replay", "--definitions", folder, "--input", "-", given=(folder / "in.jsonl").read_bytes())
    assert pipe.stdout_bytes == file.stdout_bytes
    out = folder / "out.jsonl"
    kept = forewarn("replay", "--definitions", folder, "--input", folder / "in.jsonl", "--output", out, "--json")
    assert (kept.exit_code, kept.stdout_bytes) == (0, b"")
    assert out.read_bytes() == file.stdout_bytes


def test_replay_exits_with_0_whatever_it_found(folder: Path) -> None:
    found = forewarn("replay", "--definitions", folder, "--input", "-", given=b"\xff\nno line\n\n[]\n{}\n")
    assert found.exit_code == 0
    assert [line["value"]["reason"] for line in printed(found.stdout_bytes)] == ["bad_line"] * 5
    assert [line["value"]["offset"] for line in printed(found.stdout_bytes)] == [0, 1, 2, 3, 4]
    breached = forewarn(
        "replay", "--definitions", folder, "--input", folder / "in.jsonl", "--until", str(T + 7_200_000)
    )
    assert breached.exit_code == 0


def test_an_empty_input_prints_nothing(folder: Path) -> None:
    nothing = forewarn("replay", "--definitions", folder, "--input", "-", given=b"")
    assert (nothing.exit_code, nothing.stdout_bytes) == (0, b"")


def test_the_cluster_is_the_source_of_events(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sources(*more: str) -> set[str]:
        found = forewarn("replay", "--definitions", folder, "--input", folder / "in.jsonl", *more)
        return {line["value"]["source"] for line in printed(found.stdout_bytes) if "specversion" in line["value"]}

    monkeypatch.delenv("FOREWARN_CLUSTER", raising=False)
    assert sources() == {"/forewarn/default"}
    monkeypatch.setenv("FOREWARN_CLUSTER", "north")
    assert sources() == {"/forewarn/north"}
    assert sources("--cluster", "south") == {"/forewarn/south"}


def test_definitions_with_errors_are_told_and_nothing_is_printed(folder: Path) -> None:
    (folder / "shop.yaml").write_text(DEFINITIONS.replace("99%", "much"))
    broken = forewarn("replay", "--definitions", folder, "--input", folder / "in.jsonl")
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert "shop.yaml:8: error" in broken.stderr
    assert "Traceback" not in broken.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--input", "nowhere.jsonl"), "nowhere.jsonl: No such file"),
        ((), "name one input"),
        (("--input", "-", "--from-kafka", ".."), "name one input"),
        (("--input", "-", "--tick", "soon"), "--tick"),
        (("--input", "-", "--tick", "0s"), "--tick"),
        (("--input", "-", "--until", "soon"), "'soon' is not an instant"),
        (
            ("--input", "-", "--output", "/nowhere/out"),
            "/nowhere/out: No such file or directory\n  name a file that can be written",
        ),
        (("--from-kafka", "yesterday"), "'yesterday' is not a range"),
    ],
)
def test_wrong_use_is_told_in_words(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    wrong = forewarn("replay", "--definitions", folder, *arguments, given=b"")
    assert wrong.exit_code == 2
    assert said in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_reader_that_leaves_early_is_no_error(folder: Path) -> None:
    program = "from tests.replay.test_command import app; app()"
    command = [sys.executable, "-c", program, "replay", "--definitions", str(folder), "--input", "-"]
    lines = b"".join(b"bad line %d\n" % number for number in range(20_000))
    (folder / "bad").write_bytes(lines)
    with (folder / "bad").open("rb") as source:
        process = subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert (process.wait(60), said) == (0, b"")


@pytest.mark.parametrize(("text", "tick_ms"), [("1s", 1000), ("500ms", 500), ("5m", 300_000)])
def test_a_tick_is_a_duration(text: str, tick_ms: int) -> None:
    assert read_tick(text) == tick_ms


def test_an_instant_has_two_forms() -> None:
    assert read_until("2026-11-23T10:00:00Z") == read_until(str(T)) == T


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T10:00:00Z..2026-11-23T11:00:00+01:00", (T, T)),
        (f"{T}..{T + 1}", (T, T + 1)),
        ("..", (0, 2**62)),
        (f"{T}..", (T, 2**62)),
        (f"..{T}", (0, T)),
    ],
)
def test_a_range_is_two_instants_either_of_which_may_be_left_out(text: str, expected: tuple[int, int]) -> None:
    assert read_range(text) == expected


@pytest.mark.parametrize("text", ["", "1", "1..x", f"{T + 1}..{T}"])
def test_a_wrong_range_is_told(text: str) -> None:
    with pytest.raises(UserError):
        read_range(text)

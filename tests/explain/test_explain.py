"""`forewarn explain`: what is listed adds up to the number of the event, whatever happened to the clock."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from forewarn.cli import app
from forewarn.explain.clock import account_of
from forewarn.explain.evidence import Evidence
from sla.clock import listed
from sla.clock.listed import LISTED_MAX
from sla.clock.reckoning import Kind, Uncounted, reckoned
from sla.units import MINUTE_MS
from sla.working_time import ALWAYS
from tests.clock import histories
from tests.clock.world import MIDNIGHT, World, at, promise
from tests.core.world import Document, document

OFFICE = document(
    "Calendar", "office", timezone="UTC", hours={"mon-fri": ["09:00-12:00", "13:00-17:00"]}, holidays={"country": "US"}
)


def forewarn(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def kept(folder: Path, world: World, *documents: Document) -> list[str]:
    """The options that name what was said and by which definitions."""
    lines = [json.dumps({"topic": e.topic, "key": e.key, "value": dict(e.value)}) + "\n" for e in world.said]
    (folder / "said.jsonl").write_text("".join(lines))
    (folder / "definitions.yaml").write_text(yaml.safe_dump_all(documents))
    return ["--input", str(folder / "said.jsonl"), "--definitions", str(folder / "definitions.yaml")]


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def holidays(tmp_path: Path) -> tuple[World, list[str]]:
    """From the Wednesday before Thanksgiving to the Friday after it, with a pause and a maintenance."""
    documents = (OFFICE, promise(target="8h", calendar="office", pause={"state": ["pending"]}))
    world = World(*documents)
    world.created(at("15:00", 2))
    world.event(at("16:00", 2), state="pending")
    world.event(at("16:30:00", 2) + 1, state="open")
    world.exclusion("09:00", "CHG-7", "10:00", "11:00")
    maintenance = {"from": at("09:30", 4), "to": at("10:00", 4), "reason": "new disks"}
    world.tell(at("18:00", 3), {
        "type": "exclusion", "service": "pay", "id": "CHG-8", "category": "planned", **maintenance,
    })  # fmt: skip
    world.event(at("11:00", 4), state="resolved")
    return world, kept(tmp_path, world, *documents)


def test_every_stretch_is_listed_with_its_reason_and_they_add_up_to_the_millisecond(
    holidays: tuple[World, list[str]],
) -> None:
    world, options = holidays
    event = world.events("sla.clocks.v1", "clock.met")[0]
    *pieces, total = objects(forewarn(event["id"], *options, "--json"))
    assert [(each["from"][8:16], each["kind"], each["why"]) for each in pieces] == [
        ("25T15:00", "counted", None),
        ("25T16:00", "paused", "paused by its condition"),
        ("25T16:30", "counted", None),
        ("25T17:00", "closed", "outside hours"),
        ("26T00:00", "closed", "holiday: Thanksgiving Day"),
        ("27T00:00", "closed", "outside hours"),
        ("27T09:00", "counted", None),
        ("27T09:30", "excluded", "exclusion CHG-8 (planned): new disks"),
        ("27T10:00", "counted", None),
    ]
    expected_ms = 180 * MINUTE_MS - 1
    assert (total["elapsed_ms"], total["said_ms"], total["adds_up"]) == (expected_ms, expected_ms, True)
    assert event["data"]["ticket"]["elapsed_ms"] == expected_ms


def test_a_person_reads_a_table_and_the_sum(holidays: tuple[World, list[str]], tmp_path: Path) -> None:
    world, options = holidays
    (tmp_path / "event.json").write_text(json.dumps(world.events("sla.clocks.v1", "clock.met")[0]))
    result = forewarn(tmp_path / "event.json", *options)
    assert result.exit_code == 0
    assert "holiday: Thanksgiving Day" in result.stdout
    assert "10799999 ms of 28800000 ms have elapsed (37 %); the event carries 10799999 ms" in result.stdout


def test_a_calendar_that_was_changed_since_does_not_add_up(holidays: tuple[World, list[str]], tmp_path: Path) -> None:
    world, options = holidays
    changed = {**OFFICE, "spec": {**OFFICE["spec"], "holidays": None, "hours": {"mon-fri": ["09:00-17:00"]}}}
    del changed["spec"]["holidays"]
    definitions = yaml.safe_dump_all([changed, promise(target="8h", calendar="office")])
    (tmp_path / "definitions.yaml").write_text(definitions)
    result = forewarn(world.events("sla.clocks.v1", "clock.met")[0]["id"], *options)
    assert result.exit_code == 1
    assert "they differ" in result.stdout


@pytest.mark.parametrize(
    ("event", "words"),
    [("0" * 32, "no event"), ("no-such-file", "cannot be read"), ("started", "no record of event")],
)
def test_what_cannot_be_explained_is_said_in_a_line(holidays: tuple[World, list[str]], event: str, words: str) -> None:
    world, options = holidays
    asked = world.events("sla.clocks.v1", "clock.started")[0]["id"] if event == "started" else event
    result = forewarn(asked, *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_another_target_than_the_one_then_is_refused(holidays: tuple[World, list[str]], tmp_path: Path) -> None:
    world, options = holidays
    (tmp_path / "definitions.yaml").write_text(yaml.safe_dump_all([OFFICE, promise(target="9h", calendar="office")]))
    result = forewarn(world.events("sla.clocks.v1", "clock.met")[0]["id"], *options)
    assert result.exit_code == 2
    assert "target_ms" in result.stderr


@pytest.mark.parametrize("seed", range(6))
def test_every_recorded_event_of_any_history_adds_up(seed: int, tmp_path: Path) -> None:
    made, documents = histories.history(seed, 60), histories.documents(random.Random(seed))
    (tmp_path / "definitions.yaml").write_text(yaml.safe_dump_all(documents))
    fold, said = made.make(), []
    for line in made.lines:
        said += fold.step(line)
    records = {e.value["event_id"]: e.value for e in said if e.topic == "sla.records.v1" and "event_id" in e.value}
    checked = 0
    for each in said:
        record = records.get(each.value.get("id"))
        if record is None or record["revision"] != 0:
            continue
        account = account_of(Evidence(dict(each.value), record), [tmp_path / "definitions.yaml"])
        assert account.counted_ms == account.said_ms
        checked += 1
    assert checked


@pytest.mark.parametrize("seed", range(6))
def test_every_recorded_event_adds_up_where_few_pauses_are_listed(
    seed: int, tmp_path: Path, core_patch: pytest.MonkeyPatch
) -> None:
    core_patch.setattr(listed, "LISTED_MAX", 1)
    test_every_recorded_event_of_any_history_adds_up(seed, tmp_path)


@pytest.mark.parametrize("kind", ["timer", "deadline"])
def test_of_very_many_pauses_those_before_the_listed_are_one_line_with_their_count(kind: str, tmp_path: Path) -> None:
    documents = (OFFICE, promise(target="400h", calendar="office", pause={"state": ["pending"]}, type=kind))
    world = World(*documents)
    world.created("09:00")
    for number in range(1, 4_000):
        world.event(at("09:00") + number * MINUTE_MS, state="pending" if number % 2 else "open")
    options = kept(tmp_path, world, *documents)
    event = world.events("sla.clocks.v1")[-1]
    summed, *pieces, total = objects(forewarn(event["id"], *options, "--json"))
    assert (summed["kind"], summed["from"]) == ("summed", "2026-11-23T09:00:00.000Z")
    assert summed["pauses_count"] == 1_999 - LISTED_MAX
    assert pieces[0]["from"] == summed["to"]
    assert (total["elapsed_ms"], total["adds_up"]) == (event["data"]["ticket"]["elapsed_ms"], True)
    table = forewarn(event["id"], *options).stdout
    assert f"counted of it, between {summed['pauses_count']} pauses that are too many to list" in table


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=6))
def test_the_pieces_cover_all_of_the_time_without_a_hole(spans: list[tuple[int, int]]) -> None:
    start, end = MIDNIGHT + 100, MIDNIGHT + 400
    uncounted = [Uncounted(MIDNIGHT + a, MIDNIGHT + b, Kind.PAUSED, "x") for a, b in spans]
    pieces = reckoned(ALWAYS, start, end, uncounted)
    assert [piece.start for piece in pieces] == [start, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == end
    counted_ms = ALWAYS.elapsed_ms(start, end, [(each.start, each.end) for each in uncounted])
    assert sum(piece.counted_ms for piece in pieces) == counted_ms

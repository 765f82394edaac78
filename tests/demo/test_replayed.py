"""The demo without Kafka: what it plays, given to `forewarn replay`, tells the same stories."""

from __future__ import annotations

from collections import defaultdict
from itertools import takewhile
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from forewarn.cli import app
from forewarn.demo.expectations import Sighting
from forewarn.demo.runner import EXAMPLES
from forewarn.demo.scenarios import PLAY_MS, SCENARIOS, Scenario, live_records, past_records
from forewarn.demo.timeline import sighting_of
from schemas.instants import read_instant
from schemas.topics import ALERTS, RECORDS
from sla.units import MINUTE_MS

START = 1_795_428_000_000 // MINUTE_MS * MINUTE_MS


@pytest.fixture(scope="module")
def emissions(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    folder: Path = tmp_path_factory.mktemp("replay")
    played = [*past_records(START), *takewhile(lambda each: each.due_at <= START + PLAY_MS, live_records(START))]
    lines = [{"topic": each.topic, "key": each.key, "value": each.body, "timestamp": each.due_at} for each in played]
    source, output = folder / "input.jsonl", folder / "output.jsonl"
    source.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    files = ("--input", str(source), "--output", str(output))
    result = CliRunner().invoke(app, ["replay", "--definitions", str(EXAMPLES), *files])
    assert result.exit_code == 0, result.output
    return [orjson.loads(line) for line in output.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def sightings(emissions: list[dict[str, dict[str, object]]]) -> dict[str, list[Sighting]]:
    found: dict[str, list[Sighting]] = defaultdict(list)
    for emission in emissions:
        if emission["topic"] == ALERTS.name:
            event = emission["value"]
            at = read_instant(str(event["time"]))
            assert at is not None
            found[str(event["data"]["service"])].append(sighting_of(event, at))  # type: ignore[index]
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_each_scenario_is_told_as_expected(scenario: Scenario, sightings: dict[str, list[Sighting]]) -> None:
    verdict = scenario.expects.judge(sightings[scenario.service], START)
    assert verdict.is_met, (verdict.why, sightings[scenario.service])


def test_nobody_looks_away_and_nothing_is_refused(emissions: list[dict[str, object]]) -> None:
    topics = {emission["topic"] for emission in emissions}
    assert "sla.dlq.v1" not in topics
    types = {emission["value"].get("type") for emission in emissions if emission["topic"] == RECORDS.name}  # type: ignore[attr-defined]
    assert "detector_gap" not in types


def test_stakeholders_are_told_of_what_concerns_them(emissions: list[dict[str, dict[str, str]]]) -> None:
    told = {(e["value"]["stakeholder"], e["value"]["dedup_key"]) for e in emissions if e["topic"] == "sla.outbox.v1"}
    assert {("on-call", "payments/payments-availability"), ("shop-owner", "checkout/checkout-availability")} <= told
    assert ("acme-contact", "payments/payments-availability") in told
    assert not any(key.startswith(("reports/", "catalog/")) for _, key in told)

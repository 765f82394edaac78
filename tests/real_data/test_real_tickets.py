"""Real incidents: which clocks were met and missed, against the instance's own flag. docs/real-tickets.md has them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from forewarn.replay.run import run
from sla.units import HOUR_MS
from tests.real_data.incidents import FILE, kept, lines, rows

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason=f"no real incidents in {FILE}: FOREWARN_REAL_DATA names the folder that has them"
)

DEFINITIONS = Path(__file__).with_name("tickets.yaml")
DOCUMENT = Path(__file__).parents[2] / "docs" / "real-tickets.md"
OBJECTIVES = ("urgent", "usual", "usual-paused")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The whole log through the product."""
    folder = tmp_path_factory.mktemp("tickets")
    (folder / "incidents.jsonl").write_text("".join(f"{line}\n" for line in lines()))
    run([DEFINITIONS], str(folder / "incidents.jsonl"), str(folder / "events.jsonl"), tick_ms=HOUR_MS)
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def outcomes(printed: list[dict[str, Any]], objective: str) -> dict[str, bool]:
    """Whether each ticket's last clock was met in time, from the events that say so."""
    found: dict[str, bool] = {}
    for each in printed:
        if each["topic"] != "sla.clocks.v1" or each["value"]["data"]["objective"]["name"] != objective:
            continue
        kind, data = each["value"]["type"], each["value"]["data"]
        if kind == "forewarn.clock.breached.v1":
            found[data["ticket"]["id"]] = False
        elif kind == "forewarn.clock.met.v1":
            found[data["ticket"]["id"]] = not data["late"]
    return found


def compared(found: Mapping[str, bool], flags: Mapping[str, bool]) -> Counter[tuple[bool, bool]]:
    return Counter((found[number], flags[number]) for number in found.keys() & flags.keys())


def table(printed: list[dict[str, Any]]) -> list[str]:
    flags = kept()
    halves = {"first half": list(flags)[: len(flags) // 2], "second half": list(flags)[len(flags) // 2 :]}
    told = []
    for objective in OBJECTIVES:
        found = outcomes(printed, objective)
        for half, numbers in halves.items():
            counts = compared(found, {number: flags[number] for number in numbers})
            alike, total = counts[True, True] + counts[False, False], counts.total()
            told.append(
                f"| {objective} | {half} | {total} | {counts[True, True]} | {counts[False, False]} "
                f"| {counts[True, False]} | {counts[False, True]} | {100 * alike // total} % |"
            )
    return told


def test_the_document_says_what_was_met_and_missed(printed: list[dict[str, Any]]) -> None:
    written = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert [row for row in table(printed) if row not in written] == []


def test_no_event_is_refused_and_each_incident_that_the_log_shows_open_has_an_outcome(
    printed: list[dict[str, Any]],
) -> None:
    assert [each for each in printed if each["topic"] == "sla.dlq.v1"] == []
    told = {number for objective in OBJECTIVES for number in outcomes(printed, objective)}
    assert set(kept()) & {row.number for row in rows() if row.state not in ("Resolved", "Closed")} <= told


def test_each_breach_was_warned_of_before_it_or_came_with_another_target(printed: list[dict[str, Any]]) -> None:
    warned: set[str] = set()
    breaches = 0
    for each in printed:
        if each["topic"] not in ("sla.alerts.v1", "sla.clocks.v1"):
            continue
        kind, key = each["value"]["type"], each["value"]["data"]["dedup_key"]
        if kind in ("forewarn.early_warning.v1", "forewarn.clock.retargeted.v1"):
            warned.add(key)
        elif kind == "forewarn.breach.v1":
            breaches += 1
            assert key in warned, each
    assert breaches > 0


def test_a_clock_that_pauses_never_breaks_more_promises_than_one_that_does_not(printed: list[dict[str, Any]]) -> None:
    plain, paused = outcomes(printed, "usual"), outcomes(printed, "usual-paused")
    assert not [number for number, is_met in plain.items() if is_met and not paused[number]]
    assert sum(paused.values()) > sum(plain.values())
    assert any(row.state.startswith("Awaiting") for row in rows())

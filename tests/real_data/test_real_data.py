"""A real series: what it warned of, when, and what it left in peace. docs/real-data.md has the figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from statistics import median

import pytest

from forewarn.replay.run import run
from schemas.definitions import load
from sla.catalogue import Objective
from sla.units import MINUTE_MS
from tests.real_data.figures import Event, alerts, false_alarms, is_warning, leads, tables, warnings_in
from tests.real_data.series import DATA, Stretch, label, lines, samples, stretches

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real series in {DATA}: FOREWARN_REAL_DATA names the folder that has them"
)

DEFINITIONS = Path(__file__).with_name("definitions.yaml")
DOCUMENT = Path(__file__).parents[2] / "docs" / "real-data.md"
TICK_MS = 30 * MINUTE_MS
LIMIT_PERCENT = 50
HOUR = 12  # samples
LOAD_BEGINS_AT = datetime.fromisoformat("2014-07-12T01:19:00Z")
"""The first sample above the limit that the hourly job does not explain."""
BUILT_IN = "built-in"


@pytest.fixture(scope="module")
def objectives() -> dict[str, Objective]:
    catalogue = load([DEFINITIONS]).catalogue
    assert catalogue is not None
    return dict(catalogue.objectives)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The whole series through the product."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "series.jsonl").write_text("".join(f"{line}\n" for line in lines()))
    run([DEFINITIONS], str(folder / "series.jsonl"), str(folder / "events.jsonl"), tick_ms=TICK_MS)
    with (folder / "events.jsonl").open(encoding="utf-8") as file:
        return alerts(file)


def worst_share(bad: list[bool], length: int) -> float:
    return max(sum(bad[start : start + length]) for start in range(len(bad) - length + 1)) / length


def bad_by_hour(stretch: Stretch) -> list[list[bool]]:
    within = filter(lambda sample: stretch.holds(sample.at), samples())
    found = groupby(within, key=lambda sample: sample.at.replace(minute=0))
    return [[sample.percent > LIMIT_PERCENT for sample in hour] for _, hour in found]


def part(name: str) -> Stretch:
    return next(stretch for stretch in stretches() if stretch.name == name)


def test_the_definitions_rest_on_the_first_four_weeks(objectives: dict[str, Objective]) -> None:
    first = part("first four weeks")
    chosen = [sample for sample in samples() if first.holds(sample.at)]
    bad = [sample.percent > LIMIT_PERCENT for sample in chosen]
    assert round(median(sample.percent for sample in chosen)) == 32
    assert round(100 * sum(bad) / len(bad)) == 8
    bad_hours = [4 * sum(hour) > len(hour) for hour in bad_by_hour(first)]
    kept = {
        "samples-week": 100 * (1 - worst_share(bad, 24 * HOUR)),
        "hours-week": 100 * (1 - worst_share(bad_hours, 7 * 24)),
    }
    assert {name: round(share, 1) for name, share in kept.items()} == {"samples-week": 82.3, "hours-week": 98.8}
    for name, share in kept.items():
        assert objectives[name].target_ppm == share // 5 * 5 * 10_000
    assert objectives["hours-month"].target_ppm == objectives["hours-week"].target_ppm


def test_the_load_rises_a_day_and_a_half_after_the_label_begins() -> None:
    start, _ = label()
    assert LOAD_BEGINS_AT - start == timedelta(hours=36, minutes=50)
    hour = LOAD_BEGINS_AT.replace(minute=0)
    assert max(map(sum, bad_by_hour(Stretch("before", start, hour)))) == 4
    assert min(map(sum, bad_by_hour(Stretch("from then on", hour, hour + timedelta(days=1))))) == 6


def test_every_objective_breaches_in_the_labelled_stretch_and_nowhere_else(
    events: list[Event], objectives: dict[str, Objective]
) -> None:
    found = leads(events)
    assert [lead.objective for lead in found] == sorted(objectives)
    assert all(part("labelled").holds(lead.breach.at) for lead in found)


def test_every_breach_was_warned_of_hours_before_in_the_same_episode(events: list[Event]) -> None:
    for lead in leads(events):
        assert lead.warning is not None
        assert lead.time is not None
        assert lead.time >= timedelta(hours=5)
        if lead.objective != BUILT_IN:
            assert lead.critical is not None
            assert lead.warning.at <= lead.critical.at < lead.breach.at


def test_a_lasting_load_is_warned_of_within_three_hours(events: list[Event]) -> None:
    for lead in leads(events):
        assert lead.warning is not None
        assert timedelta() < lead.warning.at - LOAD_BEGINS_AT <= timedelta(hours=3)


def test_calm_stretches_are_calm(events: list[Event], objectives: dict[str, Objective]) -> None:
    own = [event for event in events if event.objective != BUILT_IN]
    first, calm = part("first four weeks"), part("calm after that")
    assert [event for event in own if first.holds(event.at)] == []
    after = [event for event in own if calm.holds(event.at)]
    assert {event.kind for event in after} <= {"early_warning", "recovery"}
    assert {event.severity for event in after} <= {"info", "warning"}
    assert sum(map(is_warning, after)) <= 0.1 * calm.days
    assert sum(false_alarms(events, name) for name in objectives if name != BUILT_IN) <= 1


def test_what_is_built_in_is_nearly_as_calm_but_pages_late(events: list[Event]) -> None:
    before = [
        *warnings_in(events, BUILT_IN, part("first four weeks")),
        *warnings_in(events, BUILT_IN, part("calm after that")),
    ]
    assert [event.rule for event in before if event.state == "ok"] == ["budget_consumed"] * 4
    assert false_alarms(events, BUILT_IN) == 1
    (lead,) = [lead for lead in leads(events) if lead.objective == BUILT_IN]
    assert lead.critical is None


def test_the_document_has_the_figures_of_this_run_and_no_other_table(events: list[Event]) -> None:
    checked = DOCUMENT.read_text(encoding="utf-8").partition("## Decided more often")[0]
    found = [list(rows) for is_row, rows in groupby(checked.splitlines(), lambda row: row.startswith("|")) if is_row]
    assert found == tables(events)

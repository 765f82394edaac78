"""`forewarn diff`: what it compares, what it says is kept, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from forewarn.diff.difference import compare, in_files
from forewarn.diff.memory import State
from forewarn.kafka import read_to_end
from schemas.definitions import load_documents
from sla.units import MINUTE_MS
from tests.cli.comparison import SERVICE, SLICES, WATCHER, Folder, write
from tests.cli.conftest import NOBODY, Run
from tests.core.world import T0, Document, World, catalogue_of, marker, objective, renamed


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Folder:
    return Folder(run, tmp_path)


# -- what of the past stays: said by the diff, done by the detector

AGAIN = {"type": "ratio", "signal": "again"}
FINE_SLICES = {"timeslices": "1m", "sliceTarget": "99%"}


@pytest.mark.parametrize(
    ("before", "after", "told", "counted", "end"),
    [
        # paid breaches at 10:06:30 by 10 bad ones a minute; the revision follows at 10:10, and nothing comes after it
        ([objective()], [objective(grace="5m")], (State.KEPT, True), 100, None),
        ([objective()], [objective(target="80%")], (State.KEPT, True), 100, "cleared"),
        ([objective()], [objective(window={"rolling": "2h"})], (State.KEPT, True), 100, "cleared"),
        ([objective()], [renamed("paid", objective("settled"))], (State.KEPT, True), 100, None),
        ([objective()], [objective(budgeting=SLICES)], (State.KEPT, False), 0, "cleared"),
        ([objective(budgeting=FINE_SLICES)], [objective()], (State.KEPT, True), 100, None),
        (
            [objective(budgeting=FINE_SLICES)],
            [objective(budgeting={**FINE_SLICES, "sliceTarget": "90%"})],
            (State.KEPT, True),
            9,
            None,
        ),
        ([objective()], [objective(indicator=AGAIN)], (State.MOVED, False), None, "retired"),
        ([objective()], [objective(mode="shadow")], (State.TURNED, True), None, "retired"),
        ([objective()], [], (State.ENDED, False), None, "retired"),
        ([], [objective()], (State.BEGUN, False), None, None),
        ([objective("other")], [objective("other"), objective()], (State.BEGUN, True), 100, None),
    ],
)
def test_the_detector_keeps_of_a_promise_what_the_diff_says(
    before: list[Document], after: list[Document], told: tuple[State, bool], counted: int | None, end: str | None
) -> None:
    held = in_files("before", load_documents([SERVICE, *before]))
    difference = compare(held, load_documents([SERVICE, *after]))
    (memory,) = {(m.state, m.has_counts) for each in difference.told for m in each.memory}
    assert memory == told
    revision = catalogue_of([SERVICE, *after], 10, 2)
    world = World(SERVICE, *before, revisions=[revision])
    world.minutes(0, 10, 0, 10)
    world.tell(T0 + 10 * MINUTE_MS, marker(revision), None)
    said_count = len(world.said)
    world.tick(T0 + 11 * MINUTE_MS)
    later = [each.value["data"] for each in world.said[said_count:] if each.topic == "sla.status.v1"]
    of_paid = [data for data in later if data["dedup_key"] == "pay/paid"]
    assert ([data["budget"]["consumed_count"] for data in of_paid[-1:]] or [None]) == [counted]
    ends = [event for event in world.events("recovery") if event["data"]["dedup_key"] == "pay/paid"]
    assert [event["data"]["reason"]["rule"] for event in ends] == ([end] if end else [])


# -- documents that come, go, or mean something else through another


def test_a_renamed_promise_goes_on_under_its_new_name(folder: Folder) -> None:
    old, new, *_ = folder.told([SERVICE, objective()], [SERVICE, renamed("paid", objective("settled"))])
    assert (old["change"], old["means"], old["memory"]) == ("removed", ["it goes on as settled"], {})
    assert (new["change"], new["means"]) == ("added", ["it was paid; its dedup key stays"])
    assert new["memory"] == {"settled": {"state": "kept", "has_counts": True}}


def test_a_promise_renamed_and_moved_at_once_keeps_no_key(folder: Folder) -> None:
    moved = renamed("paid", objective("settled", indicator=AGAIN))
    _, new, *_ = folder.told([SERVICE, objective()], [SERVICE, moved])
    assert new["means"] == ["it was paid", "it moves from pay/ok to pay/again"]


def test_a_removed_promise_says_how_its_episode_ends(folder: Folder) -> None:
    said = folder.diff([SERVICE, objective(), objective("other")], [SERVICE, objective("other")]).stdout.splitlines()
    assert said == [
        "- Objective paid",
        "    it is promised no longer",
        "    an open episode ends with a recovery (rule retired); after that nothing more is said of it",
        "    concerns pay-team (owner of pay)",
        f"against {Path(said[-1].split()[1]).parent / 'old.yaml'}: 1 removed; the hash changes",
    ]


def openslo(kind: str, name: str, **spec: Any) -> Document:
    return {"apiVersion": "openslo/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_a_document_that_means_something_else_through_another_is_told(folder: Folder) -> None:
    source = {"metricSource": {"type": "Prometheus", "spec": {"query": "up"}}}
    threshold = openslo("SLI", "fast", thresholdMetric=source)
    ratio = openslo("SLI", "fast", ratioMetric={"counter": True, "good": source, "total": source})
    window = [{"duration": "4w", "isRolling": True}]
    promised = [{"target": 0.99, "op": "lte", "value": 300}]
    slo = openslo("SLO", "quick", service="pay", indicatorRef="fast", timeWindow=window, objectives=promised)
    slo["spec"]["budgetingMethod"] = "Occurrences"
    sli, quick, _ = folder.told([SERVICE, threshold, slo], [SERVICE, ratio, slo])
    assert (sli["kind"], quick["kind"], quick["name"], quick["fields"]) == ("SLI", "SLO", "quick", [])
    assert quick["means"] == [
        "records are counted in another way",
        "the document is the same, and so is its version: another one that it refers to changes",
    ]
    assert quick["memory"] == {"quick": {"state": "kept", "has_counts": False}}


# -- the broker's catalogue, and other definitions in its place


def test_the_catalogue_in_force_is_compared_and_left_as_it_is(run: Run, bootstrap: str, tmp_path: Path) -> None:
    path = write(tmp_path / "d.yaml", SERVICE, objective(target="99.9%"))
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap}
    result = run("diff", str(path), **kafka)
    assert (result.exit_code, "against nothing, for no revision is in force: 2 added" in result.stdout) == (1, True)
    assert run("apply", str(path), **kafka).exit_code == 0
    result = run("diff", str(path), **kafka)
    assert (result.exit_code, result.stdout) == (0, "no difference: revision 2 holds the same documents\n")
    write(path, SERVICE, objective(target="99.95%"))
    result = run("diff", str(path), **kafka)
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        [
            "~ Objective paid (version 1 → 2)",
            "    target: 99.9% → 99.95%",
            "    0.05% of the events may be bad, half as much as before (0.1%)",
            "    the whole window is judged by that at the next decision: a breach may follow at once",
            "    counts, state and episode stay",
            "    concerns pay-team (owner of pay)",
            "against revision 2: 1 changed; the hash changes",
        ],
    )
    assert len(read_to_end({"bootstrap.servers": bootstrap}, "sla.catalogue.v1")) == 3


def test_documents_in_another_order_change_the_hash_alone(run: Run, bootstrap: str, tmp_path: Path) -> None:
    path = write(tmp_path / "d.yaml", SERVICE, objective())
    run("apply", str(path), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    write(path, objective(), SERVICE)
    result = run("diff", "--json", str(path), KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    (total,) = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, total["change"], total["revision"], total["is_same_hash"]) == (0, "sum", 2, False)
    assert total["sha256"] != total["sha256_before"]


def test_the_same_definitions_in_files_differ_in_nothing(folder: Folder) -> None:
    result = folder.diff([SERVICE, objective()], [SERVICE, objective()])
    assert (result.exit_code, "holds the same documents" in result.stdout) == (0, True)


@pytest.mark.parametrize("broken", ["new", "old"])
def test_definitions_with_errors_are_shown_on_either_side(folder: Folder, broken: str) -> None:
    sound, wrong = [SERVICE, objective()], [SERVICE, objective(target="100%")]
    result = folder.diff(*((wrong, sound) if broken == "old" else (sound, wrong)))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "nothing was compared")
    assert f"{broken}.yaml:" in result.stdout


@pytest.mark.parametrize(("environment", "code"), [({}, 2), ({"KAFKA_BOOTSTRAP_SERVERS": NOBODY}, 3)])
def test_without_a_broker_there_is_an_error_and_no_difference(
    run: Run, tmp_path: Path, environment: dict[str, str], code: int
) -> None:
    result = run("diff", str(write(tmp_path / "d.yaml", SERVICE, objective())), **environment)
    assert (result.exit_code, result.stdout, "Traceback" in result.output) == (code, "", False)


def test_what_a_document_says_cannot_steer_the_terminal(folder: Folder) -> None:
    before, after = (
        {**WATCHER, "spec": {**WATCHER["spec"], "channels": [{"webhook": url}]}} for url in ("a", "\x1b[2J")
    )
    result = folder.diff([SERVICE, objective(), before], [SERVICE, objective(), after])
    assert (result.exit_code, "\x1b" in result.stdout) == (1, False)

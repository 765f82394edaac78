"""Seeded logs for the restart law: the oracle's workloads, with changes rolled out and definitions switched in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import NamedTuple

from sla.detect import Detect
from sla.fold import Line
from tests.oracle.replayed import logs
from tests.oracle.workload import workload

from .world import Document, catalogue_of, detect_of, document, line_of, marker

GAP_MS = 10_000
FORECAST = {"within": "2h", "probability": "50%"}


class History(NamedTuple):
    make: Callable[[], Detect]
    lines: list[Line]


def history(seed: int, lines_most: int | None = None) -> History:
    """The log of a workload, cut after so many lines, with markers of later revisions in it."""
    dice = random.Random(seed)
    case = workload(seed)
    documents = by_calendar(dice, forecast(dice, case.definitions))
    steps = logs(case.lines, case.tick_ms, None)[0][:lines_most]
    values = [(step.at, step.moves_time, step.key, step.value) for step in steps]
    service = documents[0]["metadata"]["name"]
    for number in range(dice.randrange(4)):
        place = dice.randrange(len(values))
        at = values[place][0]
        values.insert(place, (at, True, service, {"type": "change", "service": service, "at": at, "id": f"v{number}"}))
    base = replace(catalogue_of(documents), decide_every_ms=case.tick_ms)
    revisions = [
        replace(catalogue_of(changed, 10 * number, number + 1), decide_every_ms=case.tick_ms)
        for number, changed in enumerate(later(dice, documents), start=1)
    ]
    places = sorted(dice.randrange(len(values)) for _ in revisions)
    for place, revision in reversed(list(zip(places, revisions, strict=True))):
        values.insert(place, (values[place][0], True, None, marker(revision)))
    lines = [line_of(n, at, value, key, appended=moves) for n, (at, moves, key, value) in enumerate(values)]
    return History(lambda: detect_of(base, revisions, max(GAP_MS, case.tick_ms)), lines)


def forecast(dice: random.Random, documents: list[Document]) -> list[Document]:
    """With the forecast on, which the oracle leaves out, in half of the workloads."""
    found = deepcopy(documents)
    if dice.random() < 0.5:
        for each in objectives(found):
            each["spec"]["warnings"]["forecast"] = FORECAST
    return found


def by_calendar(dice: random.Random, documents: list[Document]) -> list[Document]:
    """With the hours of a calendar in a third of the workloads."""
    if dice.random() < 0.3:
        spans = [f"{hour:02}:{minute:02}-{hour:02}:{minute + 25:02}" for hour in range(24) for minute in (3, 31)]
        hours = {"mon-sun": dice.sample(spans, 36)}
        documents = [*documents, document("Calendar", "bits", hours=hours)]
        for each in objectives(documents):
            each["spec"]["calendar"] = "bits"
    return documents


def objectives(documents: list[Document]) -> list[Document]:
    return [each for each in documents if each["kind"] == "Objective"]


def later(dice: random.Random, documents: list[Document]) -> list[list[Document]]:
    """Revisions, each one change away from the first or from the one before."""
    found: list[list[Document]] = []
    for _ in range(dice.choice([0, 1, 2, 3])):
        start = deepcopy(found[-1] if found and dice.random() < 0.6 else documents)
        change: Callable[[random.Random, list[Document]], list[Document]] = dice.choice(
            [removed, retargeted, given_another_name, in_shadow, unheard, lambda _, same: same]
        )
        found.append(change(dice, start))
    return found


def removed(dice: random.Random, documents: list[Document]) -> list[Document]:
    if len(objectives(documents)) == 1:
        return documents
    gone = dice.choice(objectives(documents))
    return promising(documents, gone["metadata"]["name"], None, [each for each in documents if each is not gone])


def retargeted(dice: random.Random, documents: list[Document]) -> list[Document]:
    spec = dice.choice(objectives(documents))["spec"]
    spec["target"] = "97%"
    spec["warnings"] = {"burnRates": "none", "budgetConsumed": ["50%"], "forecast": FORECAST}
    return documents


def given_another_name(dice: random.Random, documents: list[Document]) -> list[Document]:
    chosen = dice.choice(objectives(documents))
    old = chosen["metadata"]["name"]
    if "renamedFrom" in chosen["metadata"]:
        return documents
    chosen["metadata"] = {"name": f"{old}-x", "renamedFrom": old}
    return promising(documents, old, f"{old}-x", documents)


def in_shadow(dice: random.Random, documents: list[Document]) -> list[Document]:
    dice.choice(objectives(documents))["spec"]["mode"] = "shadow"
    return documents


def unheard(dice: random.Random, documents: list[Document]) -> list[Document]:
    dice.choice(objectives(documents))["spec"]["noData"] = {"after": "4m", "treat": "unknown"}
    return documents


def promising(documents: list[Document], old: str, new: str | None, kept: list[Document]) -> list[Document]:
    """The documents to keep, with an objective's name replaced or left out in every agreement."""
    for each in documents:
        if each["kind"] == "Agreement":
            names = [new if name == old else name for name in each["spec"]["objectives"]]
            each["spec"]["objectives"] = [name for name in names if name is not None]
    return [each for each in kept if each["kind"] != "Agreement" or each["spec"]["objectives"]]

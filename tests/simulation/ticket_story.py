"""What a seed of tickets tells: promises about tickets, what a desk sends of them, and what goes wrong."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import orjson

from sla.partitioner import partition_of
from tests.oracle.definitions import SECOND_MS
from tests.oracle.ticket_workload import exclusions, ticket_events, ticket_promises
from tests.oracle.windows import instant
from tests.oracle.workload import document, stakeholder
from tests.simulation.faults import plan
from tests.simulation.story import POISON, STARTS, Document, Sent, Story, is_harsh, restraint, with_more_stakeholders

UNIT_MS = 10 * SECOND_MS  # targets of a few seconds to a quarter of an hour
DELAYS_MS = (2_000, 9_000, 60_000, 200_000)


def ticket_story(seed: int) -> Story:
    """The story of a seed."""
    dice = random.Random(seed)
    lasts_s = float(dice.choice([300, 420, 600]))
    epoch_ms = instant(dice.choice(STARTS)) + dice.randrange(10_000)
    count = dice.choice([2, 3])
    step_ms = dice.choice([5_000, 5_000, 2_000])
    settings = document("Settings", "settings", {"decideEvery": f"{step_ms // 1000}s"})
    documents = [settings, *ticket_promises(dice, unit_ms=UNIT_MS)]
    documents.append(stakeholder(documents))
    if is_harsh(seed):
        documents[-1]["spec"] |= restraint(dice)
    is_plain = dice.random() < 0.7
    revisions = with_more_stakeholders(dice, documents) if is_plain else _other_promises(dice, documents)
    roles = {"detect": 0, "clock": dice.choice([1, 2, 3]), "dispatch": dice.choice([0, 0, 1])}
    workers = [f"{role}-{number}" for role, workers in roles.items() for number in range(workers)]
    return Story(
        seed,
        epoch_ms,
        lasts_s,
        step_ms,
        count,
        append_time=dice.random() < 0.85,
        roles=roles,
        revisions=revisions,
        is_plain=is_plain,
        sent=_sent(dice, epoch_ms, int(lasts_s * 1000), count),
        faults=plan(dice, workers, lasts_s, len(revisions) - 1, is_harsh=is_harsh(seed)),
    )


def _other_promises(dice: random.Random, documents: list[Document]) -> list[list[Document]]:
    """A revision that has other targets, and perhaps one promise less."""
    changed = deepcopy(documents)
    promised = [each for each in changed if each["kind"] == "TicketObjective"]
    for each in promised:
        each["spec"]["target"] = dice.choice([each["spec"]["target"], "45s", "150s"])
    if len(promised) > 1 and dice.random() < 0.5:
        changed.remove(promised[0])
    return [documents, changed]


def _sent(dice: random.Random, epoch_ms: int, length_ms: int, count: int) -> list[Sent]:
    lines: list[tuple[dict[str, Any], str]] = []
    for number in range(dice.choice([3, 6, 10])):
        delays_ms = dice.choice([(), (), DELAYS_MS])
        told = ticket_events(dice, f"T-{number}", epoch_ms, length_ms, delays_ms=delays_ms)
        lines += [(line, "late" if line["timestamp"] > instant(line["value"]["at"]) else "") for line in told]
    lines += [(line, "") for line in exclusions(dice, epoch_ms, length_ms, calm=dice.random() < 0.6)]
    found: list[Sent] = []
    for line, kind in lines:
        at, value = (line["timestamp"] - epoch_ms) / 1000 + dice.uniform(0, 0.5), line["value"]
        if line["key"] is None:
            found += [Sent(at, None, orjson.dumps(value), partition) for partition in range(count)]
            continue
        key = line["key"].encode()
        home = partition_of(key, count)
        is_astray = dice.random() < 0.04
        place = (home + 1) % count if is_astray else home
        found.append(Sent(at, key, orjson.dumps(value), place, "misplaced" if is_astray else kind))
    for _ in range(dice.choice([0, 2, 8])):
        value = dice.choice(POISON)
        is_marker = b"catalogue" in value
        place = dice.randrange(count) if is_marker else partition_of(b"T-0", count)
        found.append(Sent(dice.uniform(1, length_ms / 1000 - 5), None if is_marker else b"T-0", value, place, "poison"))
    return sorted((each for each in found if each.at < length_ms / 1000 - 5), key=lambda each: each.at)

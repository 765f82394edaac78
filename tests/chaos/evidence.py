"""What a run left on the topics, as the simulation's laws read it, and two laws more that need no fold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import count
from typing import Any

import orjson

from agents.routing import FORWARDED
from schemas.topics import ALL, DELIVERIES, NOTICES, OUTBOX, ROLES_WITH_STATE, STATUS, TELEMETRY, changelog_of
from sla.partitioner import partition_of
from tests.chaos import fleet
from tests.chaos.measure import is_probe
from tests.harness import Received
from tests.simulation.broker import APPEND_TIME, CREATE_TIME, Place, Record
from tests.simulation.outcome import Outcome
from tests.simulation.story import Story
from tests.system.recorded import committed, read_all
from tests.system.workers import PARTITIONS

ROLES = {"detect": TELEMETRY.name, "dispatch": NOTICES.name}
CHANGELOGS = frozenset(map(changelog_of, ROLES_WITH_STATE))

NAMES = tuple(topic.name for topic in ALL)
OUTCOMES = frozenset({"delivered", "failed"})

Topics = dict[str, list[Received]]


def read_topics(bootstrap: str) -> Topics:
    """Everything."""
    return {name: read_all(bootstrap, name) for name in NAMES}


def outcome(topics: Topics, bootstrap: str, seed: int) -> Outcome:
    """As the simulation's laws want it. Who wrote first is known within a partition only."""
    order = count()
    logs: dict[Place, list[Record]] = {
        (topic.name, number): [] for topic in ALL for number in range(topic.partitions or PARTITIONS)
    }
    for records in topics.values():
        for record in records:
            if not is_outcome(record):
                logs[record.topic, record.partition].append(_record(record, next(order)))
    committed_to = {
        (topic, partition): offset
        for role, topic in ROLES.items()
        for partition, offset in committed(bootstrap, role, topic, PARTITIONS).items()
    }
    return Outcome(
        Story(
            seed,
            epoch_ms=0,
            lasts_s=0.0,
            step_ms=1000,
            partitions_count=PARTITIONS,
            append_time=True,
            roles=dict.fromkeys(ROLES, 1),
            revisions=[fleet.definitions()],
            is_plain=True,
            sent=[],
            faults=[],
        ),
        logs={place: log for place, log in logs.items() if place[0] not in CHANGELOGS},
        changelogs={place: log for place, log in logs.items() if place[0] in CHANGELOGS},
        history={},
        commits=[],
        committed=committed_to,
        kinds=_kinds(topics[TELEMETRY.name]),
        ends=[],
        errors=[],
        injected=Counter(),
        calm_from=_just_after_the_last(topics[TELEMETRY.name]),
        settled_from=float("inf"),
        stopped_at=float("inf"),
        excused=set(),
        steps_count=0,
        lives_count=0,
        generations_count=0,
    )


def _just_after_the_last(telemetry: Iterable[Received]) -> float:
    """Of a producer's records: a tick that its owner writes while it stops is read by the next one, if there is any."""
    return max((record.timestamp for record in telemetry if record.key), default=0) / 1000 + 0.001


def _record(record: Received, order: int) -> Record:
    kind = APPEND_TIME if record.timestamp_type == "append" else CREATE_TIME
    return Record(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        record.timestamp,
        kind,
        record.headers,
        order,
        record.timestamp / 1000,
    )


def is_outcome(record: Received) -> bool:
    """Whether `deliver` wrote it, which is no fold: what it says depends on the channel and on its own clock."""
    return record.topic == DELIVERIES.name and orjson.loads(record.value or b"")["outcome"] in OUTCOMES


def is_misplaced(record: Received) -> bool:
    """Whether its producer hashed the key in its own way."""
    is_first = all(name != FORWARDED for name, _ in record.headers)
    return bool(record.key) and is_first and partition_of(record.key, PARTITIONS) != record.partition


def _kinds(telemetry: Iterable[Received]) -> dict[tuple[int, int], str]:
    found = {}
    for record in telemetry:
        if is_probe(record):
            found[record.partition, record.offset] = "poison"
        elif is_misplaced(record):
            found[record.partition, record.offset] = "misplaced"
    return found


# -- laws that read the topics alone


def sums(topics: Topics) -> list[str]:
    """What the year's budgets have consumed is the sum of what was produced, wherever it was put."""
    produced: Counter[str] = Counter()
    for record in topics[TELEMETRY.name]:
        if (record.key or b"").startswith(b"busy") and not record.headers:
            body = orjson.loads(record.value or b"")
            produced[body["service"]] += body.get("bad", 0)
    newest = {(record.key or b"").decode(): orjson.loads(record.value or b"")["data"] for record in topics[STATUS.name]}
    found = []
    for service, bad in sorted(produced.items()):
        data: dict[str, Any] = newest.get(f"{service}/{service}-promise", {})
        consumed = (data.get("budget") or {}).get("consumed_count")
        if consumed != bad:
            found.append(f"{service}: {bad} were produced, {consumed} are counted")
    return found if produced else ["nothing was produced"]


def told_once(topics: Topics) -> list[str]:
    """Each message of the outbox has one outcome, which repeats exactly if at all."""
    sends = {orjson.loads(record.value or b"")["id"] for record in topics[OUTBOX.name]}
    outcomes: defaultdict[str, set[str]] = defaultdict(set)
    for record in topics[DELIVERIES.name]:
        body = orjson.loads(record.value or b"")
        if is_outcome(record):
            outcomes[body["id"]].add(body["outcome"])
    found = [f"{name} was never delivered" for name in sorted(sends - outcomes.keys())]
    found += [f"{name} was delivered and never sent" for name in sorted(outcomes.keys() - sends)]
    return found if sends else ["nobody was told anything"]


def counted(topics: Topics) -> dict[str, int]:
    """How much there was of everything."""
    telemetry = topics[TELEMETRY.name]
    return {
        "records": len(telemetry),
        "misplaced": sum(map(is_misplaced, telemetry)),
        "probes": sum(map(is_probe, telemetry)),
        "alerts": len({record.value for name in ("sla.alerts.v1", "sla.alerts.shadow.v1") for record in topics[name]}),
        "statuses": len(topics[STATUS.name]),
        "notices": sum(1 for record in topics[NOTICES.name] if record.key),
    }

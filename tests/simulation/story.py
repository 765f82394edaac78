"""What a seed tells: definitions, what is produced when, and what goes wrong."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.topics import TELEMETRY, TICKETS
from sla.partitioner import partition_of
from tests.core.histories import later
from tests.oracle.definitions import MINUTE_MS, duration_ms, share
from tests.oracle.windows import floor_to, instant, spell
from tests.oracle.workload import (
    Signal,
    Span,
    agreement,
    document,
    history,
    measurement,
    objective,
    stakeholder,
    trouble_of,
    warnings,
)
from tests.simulation.faults import Fault, plan

Document = dict[str, Any]

STARTS = ("2026-11-23T23:52:30Z", "2026-11-23T10:07:10Z", "2026-10-25T00:55:00Z", "2026-12-31T23:50:00Z")
TICKETS_FROM = 100_000  # seeds from here on tell of tickets: tests/simulation/ticket_story.py
RUSH_SHARE = 0.3  # of the phases of counts: many records between two decisions
POISON = (
    b"",
    b"not json",
    b"\xff\xfe",
    b"[1,2]",
    b'{"type":"counts"}',
    b'{"type":"nonsense","service":"svc0","signal":"sig0","at":0}',
    b'{"type":"counts","service":"svc0","signal":"sig0","at":"yesterday","good":1,"bad":0}',
    b'{"type":"counts","service":"svc0","signal":"sig0","at":1795428000000,"good":-1,"bad":0}',
    b'{"type":"catalogue","revision":999999,"sha256":"00"}',
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One record of a producer. `kind` names what is wrong with it, or "" for nothing."""

    at: float  # seconds of the run
    key: bytes | None
    value: bytes
    partition: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """See the module. `revisions[0]` is in force from the start; `is_plain`: the later ones change no promise."""

    seed: int
    epoch_ms: int
    lasts_s: float
    step_ms: int
    partitions_count: int
    append_time: bool
    roles: dict[str, int]  # how many workers of each
    revisions: list[list[Document]]
    is_plain: bool
    sent: list[Sent]
    faults: list[Fault]

    @property
    def source(self) -> str:
        """The topic that producers write to."""
        return TICKETS.name if self.seed >= TICKETS_FROM else TELEMETRY.name

    def home_of(self, data: dict[str, Any]) -> int:
        """The partition whose fold says an event."""
        key = data["service"] if data.get("ticket") is None else data["ticket"]["id"]
        return partition_of(str(key).encode(), self.partitions_count)

    @property
    def is_harsh(self) -> bool:
        """See `story`."""
        return is_harsh(self.seed)


def is_harsh(seed: int) -> bool:
    """Every third story has rushes, long freezes, early compaction, and stakeholders who want to be told less."""
    return seed % 3 == 1


def story(seed: int) -> Story:
    """The story of a seed."""
    dice = random.Random(seed)
    lasts_s = float(dice.choice([300, 420, 420, 600]))
    epoch_ms = instant(dice.choice(STARTS)) + dice.randrange(10_000)
    span = Span(epoch_ms, epoch_ms + int(lasts_s * 1000))
    count = dice.choice([2, 3, 4])
    step_ms = dice.choice([5_000, 5_000, 5_000, 2_000])
    documents: list[Document] = [document("Settings", "settings", {"decideEvery": f"{step_ms // 1000}s"})]
    sent: list[Sent] = []
    for number in [0, *dice.sample(range(1, 20), dice.choice([1, 1, 2]))]:
        more, lines = _service(dice, f"svc{number}", span, count, has_rushes=is_harsh(seed))
        documents += more
        sent += lines
    documents.append(stakeholder(documents))
    if is_harsh(seed):
        documents[-1]["spec"] |= restraint(dice)
    sent += _poison(dice, span, count)
    is_plain = dice.random() < 0.7
    revisions = _revisions(dice, documents, is_plain=is_plain)
    roles = {"detect": dice.choice([1, 2, 3]), "clock": 0, "dispatch": dice.choice([0, 0, 1, 2])}
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
        sent=sorted(sent, key=lambda each: each.at),
        faults=plan(dice, workers, lasts_s, len(revisions) - 1, is_harsh=is_harsh(seed)),
    )


def _revisions(dice: random.Random, documents: list[Document], *, is_plain: bool) -> list[list[Document]]:
    if not is_plain:
        settings, rest = documents[:1], documents[1:]
        return [documents, *([*settings, *changed] for changed in later(dice, rest))]
    return with_more_stakeholders(dice, documents)


def with_more_stakeholders(dice: random.Random, documents: list[Document]) -> list[list[Document]]:
    """Revisions that change no promise."""
    found = [documents]
    for number in range(dice.choice([0, 1, 1, 2])):
        extra = document("Stakeholder", f"extra{number}", {**documents[-1]["spec"], "audience": "management"})
        found.append([*found[-1], extra] if dice.random() < 0.7 else deepcopy(found[-1]))
    return found


def restraint(dice: random.Random) -> dict[str, Any]:
    """What a stakeholder may ask for who wants to be told less, or again."""
    wishes: dict[str, Any] = {
        "groupWait": dice.choice(["10s", "30s"]),
        "digest": dice.choice(["1m", "2m"]),
        "repeat": "1m",
        "rateLimit": "2/h",
    }
    return {name: wish for name, wish in wishes.items() if dice.random() < 0.6}


def _service(
    dice: random.Random, name: str, span: Span, count: int, *, has_rushes: bool
) -> tuple[list[Document], list[Sent]]:
    documents = [document("Service", name, {"owner": "team"})]
    sent: list[Sent] = []
    names: list[str] = []
    align_ms = dice.choice([MINUTE_MS, 5 * MINUTE_MS])
    kinds = dice.choices(["ratio", "threshold", "uptime"], weights=[3, 2, 2], k=dice.choice([1, 1, 2]))
    for number, kind in enumerate(kinds):
        signal_name = f"sig{number}"
        grace, correct_for = dice.choice(["0s", "1m", "2m", "90s"]), dice.choice(["20m", "1h"])
        targets = []
        for place in range(dice.choice([1, 1, 2])):
            promised = objective(dice, kind, span, align_ms=align_ms, no_data_after=dice.choice(["3m", "5m"]))
            # A budget that a few bad minutes can spend; the slices of a month the oracle counts one by one.
            if dice.random() < 0.7 or (has_rushes and "budgeting" in promised["spec"]):
                promised["spec"]["window"] = {"rolling": "1h"}
                promised["spec"]["warnings"] = warnings(dice, promised["spec"])
            promised["spec"]["service"] = name
            promised["spec"]["indicator"]["signal"] = signal_name
            promised["spec"] |= {"grace": grace, "correctFor": correct_for}
            promised["metadata"]["name"] = f"{name}-{signal_name}-{place}"
            documents.append(promised)
            names.append(promised["metadata"]["name"])
            targets.append(share(promised["spec"]["target"]))
        signal = Signal(name, signal_name, kind, targets, duration_ms(correct_for))
        sliced = any("budgeting" in one["spec"] for one in documents if one["metadata"]["name"] in names)
        if kind == "ratio" and not sliced and dice.random() < 0.5:
            body = history(dice, signal, span)[0]["value"]
            sent.append(_sent(1.0, name, body, partition_of(name.encode(), count)))
        sent += _telemetry(dice, signal, span, count, has_rushes=has_rushes and kind == "ratio")
    documents += [agreement(dice, f"{name}-deal{number}", names, span) for number in range(dice.choice([0, 1]))]
    return documents, [*sent, *_exclusions(dice, name, span, align_ms, count)]


def _sent(at: float, key: str | None, body: dict[str, Any], partition: int, kind: str = "") -> Sent:
    return Sent(at, None if key is None else key.encode(), orjson.dumps(body), partition, kind)


def _telemetry(dice: random.Random, signal: Signal, span: Span, count: int, *, has_rushes: bool) -> list[Sent]:
    every_ms = dice.choice([4, 8, 15]) * 1000
    source = dice.choice([None, f"probe-{signal.name}"])
    volume = dice.choice([5, 40, 200])
    home = partition_of(signal.service.encode(), count)
    astray = dice.choice([home, home, (home + 1) % count])  # where a client that hashes otherwise puts it
    step_at, step_ms = dice.uniform(0, 900), dice.choice([0, 0, -90_000, 120_000])
    at = span.begin + dice.randrange(1000, 30_000)
    sent: list[Sent] = []
    sequence = 0
    tolerated = 1 - max(signal.targets)
    while at < span.end - 5000:
        mode = dice.choice(["calm", "calm", "leak", "outage", "outage", "silence"])
        is_rush = has_rushes and dice.random() < RUSH_SHARE
        lasts_s = dice.randrange(10, 40) if is_rush else dice.randrange(60, 300)
        phase_end = min(at + lasts_s * 1000, span.end - 5000)
        trouble = trouble_of(dice, mode, tolerated)
        while at < phase_end:
            if mode != "silence":
                sequence += 1
                body = measurement(dice, signal.kind, volume, trouble)
                body |= {"service": signal.service, "signal": signal.name}
                if source is not None:
                    body |= {"source": source, "sequence": sequence}
                seconds = (at - span.begin) / 1000
                shown_at = at + (step_ms if seconds > step_at else 0)
                sent += _deliveries(dice, signal, seconds, shown_at, body, home, astray)
            at += dice.randrange(50, 900) if is_rush else every_ms + dice.randrange(-2000, 2000)
    return sent


def _deliveries(
    dice: random.Random, signal: Signal, seconds: float, at: int, body: dict[str, Any], home: int, astray: int
) -> list[Sent]:
    """The record as the broker gets it: at once, late, ahead of time, out of order, twice, in the wrong partition."""
    chance, kind = dice.random(), ""
    delay_s = dice.uniform(0, 2)
    if chance < 0.02:
        kind, delay_s = "late", dice.uniform(30, 280)
    elif chance < 0.03:
        kind, at = "ahead", at + dice.randrange(100_000)
    elif chance < 0.07:
        kind, delay_s = "reordered", dice.uniform(8, 25)
    body["at"] = dice.choice([spell(at), at])
    has_source = "source" in body
    partition = astray if has_source or dice.random() < 0.3 else home
    key = None if not has_source and dice.random() < 0.05 else signal.service
    if partition != home:
        kind = "misplaced"
    first = _sent(seconds + delay_s, key, body, partition, kind)
    if not has_source or dice.random() > 0.06:
        return [first]
    again = "misplaced" if kind == "misplaced" else "duplicate"
    return [first, _sent(first.at + dice.uniform(0, 60), key, body, partition, again)]


def _exclusions(dice: random.Random, service: str, span: Span, align_ms: int, count: int) -> list[Sent]:
    home = partition_of(service.encode(), count)
    sent = []
    for number in range(dice.choice([0, 0, 1, 2])):
        told_s = dice.uniform(120, (span.end - span.begin) / 1000 - 60)
        told_at = span.begin + int(told_s * 1000)
        # Never all the time there is, nor told ahead: what is left then is a corner that the formats leave open.
        begin = max(floor_to(told_at + dice.choice([-5, -2, 0]) * MINUTE_MS, align_ms), span.begin + 2 * MINUTE_MS)
        begin = -(-begin // align_ms) * align_ms
        end = begin + max(align_ms, floor_to(dice.randrange(1, 4) * MINUTE_MS, align_ms))
        if begin > told_at:
            continue
        value = {
            "type": "exclusion",
            "service": service,
            "id": f"CHG-{number}",
            "from": spell(begin),
            "to": spell(end),
            "reason": "work",
            "category": dice.choice(["planned", "customer", "force_majeure"]),
        }
        sent.append(_sent(told_s, service, {**value, "status": "approved"}, home))
        if dice.random() < 0.4:
            sent.append(_sent(told_s + dice.uniform(20, 300), service, {**value, "status": "revoked"}, home))
    limit = (span.end - span.begin) / 1000 - 5
    return [each for each in sent if each.at < limit]


def _poison(dice: random.Random, span: Span, count: int) -> list[Sent]:
    seconds = (span.end - span.begin) / 1000
    found = []
    for _ in range(dice.choice([0, 2, 8])):
        value = dice.choice(POISON)
        is_marker = b"catalogue" in value
        key = None if is_marker or dice.random() < 0.3 else b"svc0"
        partition = dice.randrange(count) if is_marker else partition_of(b"svc0", count)
        found.append(Sent(dice.uniform(1, seconds - 5), key, value, partition, "poison"))
    return found

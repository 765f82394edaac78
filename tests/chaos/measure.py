"""How long a partition stood still: the longest time between two answers, while probes went in five times a second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import orjson

from schemas.topics import TELEMETRY
from tests.chaos.fleet import PROBE_KEY
from tests.chaos.stage import Played
from tests.harness import Received

LOOKED_BACK_MS = 1_000

Answers = dict[int, list[int]]
"""By partition, when a probe was answered for the first time, in epoch milliseconds."""


def answers(telemetry: Iterable[Received], dead_letters: Iterable[Received]) -> Answers:
    """The instants at which the dead letters of probes were written, each probe once."""
    probes = {(record.partition, record.offset) for record in telemetry if is_probe(record)}
    first: dict[tuple[int, int], int] = {}
    for record in dead_letters:
        letter = orjson.loads(record.value or b"{}")
        place = letter["partition"], letter["offset"]
        if letter["topic"] == TELEMETRY.name and place in probes:
            first[place] = min(record.timestamp, first.get(place, record.timestamp))
    found: Answers = defaultdict(list)
    for (partition, _), at in first.items():
        found[partition].append(at)
    return {partition: sorted(instants) for partition, instants in found.items()}


def is_probe(record: Received) -> bool:
    """Whether it is one of the fleet's probes."""
    return not record.key and PROBE_KEY.encode() in (record.value or b"")


def stood_still_ms(instants: Sequence[int], begin: int, end: int) -> int:
    """The longest time between two answers that touches [begin, end]."""
    return max((late - early for early, late in pairwise(instants) if early <= end and late >= begin), default=0)


def longest_ms(played: Iterable[Played], answered: Answers) -> Mapping[str, list[int]]:
    """By kind of act, how long the partition that stood still the longest did so, for each act.

    Where the broker was away it is counted from its return: `brokerkill` says how long the workers took from there.
    """
    found: dict[str, list[int]] = defaultdict(list)
    for act in played:
        spans = [
            stood_still_ms(instants, act.began_at - LOOKED_BACK_MS, act.ended_at) for instants in answered.values()
        ]
        found[act.kind].append(max(0, max(spans, default=0) - act.down_ms))
    return found

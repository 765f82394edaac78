"""One objective on one ticket: how far its clocks were told, and when the next thing is due."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from .clock_truth import Reading, Run
from .machine import dedup_key
from .ticket_definitions import Promise

ALERTS, CLOCKS = "sla.alerts.v1", "sla.clocks.v1"
LONGEST_KEY = 255
Facts = list[tuple[str, int]]


class Truth(NamedTuple):
    """Of one objective on one ticket, of what lies behind an instant: what must have been told in the end, and may."""

    must: Facts
    may: Facts
    silent_until: int


def ticket_key(service: str, objective: str, ticket: str) -> str:
    """`<service>/<objective>/ticket:<id>`; the colon is no part of a name."""
    first, last = dedup_key(service, objective), "ticket:" + dedup_key(ticket)
    whole = f"{first}/{last}"
    return whole if len(whole) <= LONGEST_KEY else f"{first}/{hashlib.sha256(last.encode()).hexdigest()[:32]}"


class Track:
    """One objective on one ticket: its episode, and how far its clocks were told."""

    def __init__(self, key: str, promise: Promise, ticket: str, service: str) -> None:
        self.key, self.promise, self.ticket, self.service = key, promise, ticket, service
        self.runs: list[Run] = []
        self.place = 0  # of the run told last
        self.told: Facts = []  # of that run
        self.stage = 0
        self.is_breached = False
        self.state = "ok"
        self.highest = "info"
        self.is_open = False
        self.episode = 0
        self.opened_at: int | None = None
        self.sequences = {ALERTS: 0, CLOCKS: 0}

    def due(self, reading: Reading, run: Run, stage: int) -> int | None:
        promise, count = self.promise, len(self.promise.marks)
        if stage == count:
            deadline = reading.reached(promise.target_ms)
            return None if deadline is None else deadline + promise.grace_ms
        mark = promise.marks[stage] if stage < count else None
        if mark is None:
            later = promise.repeats[stage - count - 1 :]
            if not later:
                return None
            mark = later[0]
        at = reading.reached(mark.elapsed_ms)
        return None if at is None else max(at, run.attached_at)

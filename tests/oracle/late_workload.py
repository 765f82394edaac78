"""Workloads whose probes are cut off now and then: what they measured meanwhile comes all at once, and late."""

from __future__ import annotations

import random
from typing import Any

from .definitions import MINUTE_MS
from .workload import Workload

MEASUREMENTS = ("counts", "sample", "state")


def held_back(seed: int, case: Workload) -> Workload:
    """The same measurements, of which stretches of some minutes arrive at the end of each stretch."""
    dice = random.Random(f"late {seed}")
    signals = sorted({signal_of(line) for line in case.lines if line["value"]["type"] in MEASUREMENTS})
    stretches = {signal: cuts(dice, case.lines) for signal in signals}
    lines = [
        line if line["value"]["type"] not in MEASUREMENTS else arriving(line, stretches[signal_of(line)])
        for line in case.lines
    ]
    return case._replace(lines=sorted(lines, key=lambda line: line["timestamp"]))  # stable: what was held comes first


def signal_of(line: dict[str, Any]) -> tuple[str, str]:
    return line["value"].get("service", ""), line["value"].get("signal", "")


def cuts(dice: random.Random, lines: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Disjoint, in order."""
    at, end = lines[0]["timestamp"], lines[-1]["timestamp"]
    found: list[tuple[int, int]] = []
    while True:
        at += dice.randrange(10, 90) * MINUTE_MS
        until = at + dice.randrange(150, 1800) * 1000
        if until >= end:
            return found
        found.append((at, until))
        at = until


def arriving(line: dict[str, Any], stretches: list[tuple[int, int]]) -> dict[str, Any]:
    until = next((until for begin, until in stretches if begin <= line["timestamp"] < until), line["timestamp"])
    return {**line, "timestamp": until}

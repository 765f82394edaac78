"""Workloads whose promises look ahead: with the rule `forecast`, and mostly with days of the past to learn from."""

from __future__ import annotations

import random
from typing import Any

from .definitions import HOUR_MS, of_kind, share
from .windows import floor_to, spell
from .workload import Workload

MEASUREMENTS = ("counts", "sample", "state")
HIGHEST = 200
SHAPES = ((1, 1), (1, 20), (0, 9), (5, 5))
"""The least and the most traffic of an hour, in parts."""


def looking_ahead(seed: int, case: Workload) -> Workload:
    dice = random.Random(f"forecast {seed}")
    lines = [counted(dice, line) for line in case.lines]
    for promised in of_kind(case.definitions, "Objective"):
        within = dice.choice(["30m", "1h", "3h", "6h", "24h"])
        rule = {"within": within, "probability": dice.choice(["10%", "50%", "66.6667%", "90%"])}
        promised["spec"]["warnings"]["forecast"] = dice.choice([rule, rule, "none"])
        if promised["spec"]["indicator"]["type"] == "threshold":
            promised["spec"]["indicator"] = {"type": "ratio", "signal": promised["spec"]["indicator"]["signal"]}
    for service, signal in sorted({place_of(line) for line in lines if line["value"]["type"] in MEASUREMENTS}):
        promises = [each["spec"] for each in of_kind(case.definitions, "Objective")]
        concerned = [each for each in promises if (each["service"], each["indicator"]["signal"]) == (service, signal)]
        if concerned[0]["indicator"]["type"] == "ratio" and dice.random() < 0.8:
            lines = [line for line in lines if not (is_history(line) and place_of(line) == (service, signal))]
            highest = max(share(each["target"]) for each in concerned)
            lines = [*past(dice, service, signal, float(1 - highest), case.lines[0]["timestamp"]), *lines]
    return case._replace(lines=sorted(lines, key=lambda line: line["timestamp"]))


def counted(dice: random.Random, line: dict[str, Any]) -> dict[str, Any]:
    """A sample as counts: only of these a past can be loaded."""
    value = line["value"]
    if value["type"] != "sample":
        return line
    total, is_bad = dice.randrange(1, 40), value["value"] > HIGHEST
    more = {"type": "counts", "good": 0 if is_bad else total, "bad": total if is_bad else 0}
    return {**line, "value": {**{name: each for name, each in value.items() if name != "value"}, **more}}


def place_of(line: dict[str, Any]) -> tuple[str, str]:
    return line["value"].get("service", ""), line["value"].get("signal", "")


def is_history(line: dict[str, Any]) -> bool:
    return bool(line["value"]["type"] == "history")


def past(dice: random.Random, service: str, signal: str, tolerated: float, until: int) -> list[dict[str, Any]]:
    """One line for each hour of some days, of which one day may be missing, all told at the beginning of the log."""
    end = floor_to(until, HOUR_MS)
    least, most = dice.choice(SHAPES)
    volume, badness = dice.choice([30, 300, 3_000]), tolerated * dice.choice([0, 0.3, 0.8, 1.1])
    found = []
    for start in range(end - dice.choice([26, 50, 75]) * HOUR_MS, end, HOUR_MS):
        total = volume * dice.randint(least, most)
        bad = min(total, int(total * badness * dice.choice([0, 0.5, 1, 2])))
        value = {"type": "history", "service": service, "signal": signal, "good": total - bad, "bad": bad}
        value |= {"from": spell(start), "to": spell(start + HOUR_MS)}
        found.append({"topic": "sla.telemetry.v1", "key": service, "value": value, "timestamp": until})
    return found

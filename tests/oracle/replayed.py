"""The lines of a replay's input as the log of each telemetry partition, with the ticks that replay adds."""

from __future__ import annotations

import json
from itertools import count
from typing import Any, NamedTuple

TELEMETRY = "sla.telemetry.v1"


class Step(NamedTuple):
    """One record of the log of a partition: what it holds, and where it stands."""

    at: int
    moves_time: bool
    offset: int
    key: str | None
    value: dict[str, Any]


def logs(lines: list[dict[str, Any]], step_ms: int, until: int | None) -> dict[int, list[Step]]:
    """The log of each telemetry partition, with ticks where the input holds none."""
    if not lines:
        return {}
    earliest = min(line["timestamp"] for line in lines)
    last = max(line["timestamp"] for line in lines) if until is None else until
    found: dict[int, list[dict[str, Any]]] = {}
    for line in lines:
        if line["topic"] == TELEMETRY:
            found.setdefault(line.get("partition", 0), []).append(line)
    first_tick = -(-earliest // step_ms) * step_ms
    return {partition: log(found[partition], first_tick, last, step_ms) for partition in sorted(found)}


def log(lines: list[dict[str, Any]], first_tick: int, last: int, step_ms: int) -> list[Step]:
    values = [json.loads(line["value"]) if isinstance(line["value"], str) else line["value"] for line in lines]
    ticks = [] if any(value["type"] == "tick" for value in values) else list(range(first_tick, last + 1, step_ms))
    offsets = count()
    steps = []
    for line, value in zip(lines, values, strict=True):
        while ticks and ticks[0] <= line["timestamp"]:
            steps.append(Step(ticks.pop(0), moves_time=True, offset=next(offsets), key=None, value={"type": "tick"}))
        stamped = line.get("timestamp_type", "append") == "create"
        moves = not stamped or value["type"] == "tick"
        offset = line.get("offset", next(offsets))
        steps.append(Step(line["timestamp"], moves, offset, line["key"], value))
    steps += [Step(tick, moves_time=True, offset=next(offsets), key=None, value={"type": "tick"}) for tick in ticks]
    return steps

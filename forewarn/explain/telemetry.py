"""An event of telemetry worked out: the windows that its decision looked at, and the formula of their burn rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sla.units import MILLION, rounded


class Window(NamedTuple):
    """What one window held when it was decided. `burn_rate` is (bad / total) / (1 - target); None without data."""

    name: str
    from_at: str
    total_count: int
    bad_count: int
    burn_rate: float | None


def windows_of(record: Mapping[str, Any]) -> Iterator[Window]:
    """Each window of an alert's record."""
    target_ppm = record["definition"]["target_ppm"]
    for name, window in record["inputs"]["windows"].items():
        bad, total = window["bad_count"], window["total_count"]
        allowed = total * (MILLION - target_ppm)
        burn_rate = rounded(bad * MILLION, allowed, 2) if allowed else None
        yield Window(name, window["from"], total, bad, burn_rate)

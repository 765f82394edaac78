"""What is to be reached: policy, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, le
from typing import Final


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure's bound; `wording` is for people."""

    bound: float
    holds: Callable[[float, float], bool]
    wording: str

    def is_reached_by(self, figure: float) -> bool:
        """Whether the figure is as good as it should be."""
        return self.holds(figure, self.bound)


def at_least(bound: float, unit: str = "") -> Goal:
    """Reached by this much or more."""
    return Goal(bound, ge, f"≥ {bound:,g}{unit}")


def at_most(bound: float, unit: str = "") -> Goal:
    """Reached by this much or less."""
    return Goal(bound, le, f"≤ {bound:,g}{unit}")


GOALS: Final[Mapping[str, Goal]] = {
    "shell_over_bare": at_least(0.6),
    "full_over_bare": at_least(0.5),
    "full_over_stock": at_least(40),
    "full_over_kafka_streams": at_least(1),
    "bytes_per_signal": at_most(24 * 1024, " B"),
    "bytes_per_objective": at_most(2 * 1024, " B"),
    "changelog_bytes_per_touched_key": at_most(1024, " B"),
    "replay_over_json_loads": at_most(20),
    "latency_p99_ms_100k": at_most(1300, " ms"),
    "latency_p99_ms_100k_at_100ms": at_most(250, " ms"),
    "recovery_s": at_most(10, " s"),
    "recovery_peak_over_live": at_most(3),
    "restart_s": at_most(4, " s"),
    "tickets_per_s": at_least(20_000),
    "bytes_per_clock": at_most(2 * 1024, " B"),
    "clock_load_s": at_most(20, " s"),
    "due_delay_ms": at_most(1_000, " ms"),
    "notices_per_s": at_least(1_000),
    "critical_to_channel_p99_ms": at_most(2_000, " ms"),
    "storm_messages_per_stakeholder": at_most(6),
}

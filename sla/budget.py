"""The error budget of a window: what may go wrong, what has, and what that means."""

from __future__ import annotations

from typing import Final, NamedTuple

from sla.units import MILLION, rounded

COUNT_MOST: Final = 2**63 - 1
"""No more can be written. A single record may hold 2^53 - 1, and a month's worth of such seconds is beyond it."""
REARM_BELOW_PPM = 100_000
"""A mark of a rolling window can be told again once consumption is 10 points below it."""


class Budget(NamedTuple):
    """Counts of the whole window, extrapolated while it is not full."""

    allowed: int
    consumed: int

    @property
    def is_overspent(self) -> bool:
        """Whether the objective is missed."""
        return self.consumed > self.allowed

    @property
    def remaining_ratio(self) -> float | None:
        """What is left of the budget, negative when overspent; None where nothing is allowed."""
        if not self.allowed:
            return None
        left = self.allowed - self.consumed
        return rounded(left, self.allowed, 4)

    def has_reached(self, mark_ppm: int) -> bool:
        """Whether consumption is at or above a share of the budget; never where nothing is allowed."""
        return self.allowed > 0 and self.consumed * MILLION >= mark_ppm * self.allowed

    def most_below(self, mark_ppm: int) -> int:
        """The most consumption that has not reached a share of the budget; negative where nothing is allowed."""
        return (mark_ppm * self.allowed - 1) // MILLION

    def is_below(self, mark_ppm: int) -> bool:
        """Whether consumption has fallen far enough below a mark for it to count anew."""
        return self.consumed * MILLION <= (mark_ppm - REARM_BELOW_PPM) * self.allowed


def allowed_count(total_count: int, target_ppm: int) -> int:
    """How many bad events the objective tolerates; floors, because a promise is not rounded up."""
    return total_count * (MILLION - target_ppm) // MILLION


def extrapolated(total_count: int, window_ms: int, counted_seen_ms: int) -> int:
    """The traffic of a whole window, from what was seen of it (semantics.md 1, Budget)."""
    return min(total_count * window_ms // counted_seen_ms, COUNT_MOST)

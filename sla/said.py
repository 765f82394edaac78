"""What several dedup keys say at one instant, and in which order."""

from __future__ import annotations

from typing import NamedTuple

from sla.fold import Emission


class Said(NamedTuple):
    """What one objective says at one instant, by the dedup key that orders it."""

    dedup_key: str
    emissions: list[Emission]


def in_order(said: list[Said]) -> list[Emission]:
    """What was said at one instant, by dedup key."""
    if len(said) <= 1:  # which is nearly always so
        return said[0].emissions if said else []
    said.sort(key=lambda each: each.dedup_key)
    return [emission for each in said for emission in each.emissions]

"""What a ticket's clocks do not count: the exclusions of its service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sla.exclusions import Exclusions, InForce
from sla.records import Exclusion


class ServiceExclusions:
    """What was told of one service's exclusions, and by whom."""

    def __init__(self) -> None:
        """None."""
        self.sequences: dict[str, int] = {}  # of feeds, by source
        self._told = Exclusions()
        self._told_at = -1  # the offset of the last that was told: from it on the same are in force
        self._newest = InForce()

    def add(self, offset: int, exclusion: Exclusion) -> None:
        """Remember one."""
        self._told.add(offset, exclusion)
        self._look_anew(offset)

    def at(self, offset: int) -> InForce:
        """Those in force at an offset."""
        return self._newest if offset >= self._told_at else InForce.of(self._told.live(offset))

    def to_json(self) -> dict[str, Any]:
        """The state that a restart needs."""
        return {"exclusions": self._told.to_json(), "sequences": self.sequences}

    def load(self, body: Mapping[str, Any]) -> None:
        """Take back what `to_json` gave."""
        self.sequences = dict(body["sequences"])
        self._told.load(body["exclusions"])
        self._look_anew(max((offset for offset, *_ in body["exclusions"]), default=-1))

    def _look_anew(self, offset: int) -> None:
        self._told_at, self._newest = offset, InForce.of(self._told.live(offset))

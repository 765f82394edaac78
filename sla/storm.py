"""Dead letters in a row: many are a bad deploy upstream, and somebody must hear of it (design.md 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sla.events import watch_record
from sla.fold import Emission

IN_A_ROW_MAX: Final = 100


@dataclass(slots=True)
class DeadLetterRow:
    """The records of one partition that could not be used, one after the other; ticks and markers do not count."""

    count: int = 0
    since_at: int = 0

    def take_unusable(self, topic: str, partition: int, now: int) -> list[Emission]:
        """Count one more of this partition; a storm is told once, at the first record that is too many."""
        if self.count == 0:
            self.since_at = now
        self.count += 1
        if self.count != IN_A_ROW_MAX + 1:
            return []
        return [watch_record("dead_letter_storm", topic, partition, self.since_at, now)]

    def end(self) -> None:
        """A record that could be used."""
        self.count = 0

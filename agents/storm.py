"""Dead letters in a row: many are a bad deploy upstream, and somebody must hear of it while work goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import monotonic
from typing import Final

from agents.metrics import Metric, Metrics
from schemas.topics import DEAD_LETTERS
from sla.fold import Emission

log = logging.getLogger("forewarn.shell")

IN_A_ROW_MAX: Final = 100
UNREADY_FOR_S: Final = 60.0


class StormWatch:
    """Counts the dead letters of each partition; more than 100 in a row make the worker unready for a minute.

    Never an exit: after a restart it would read the same records (design.md 3.5).
    """

    def __init__(self, metrics: Metrics) -> None:
        """Calm."""
        self._metrics = metrics
        self._in_a_row: dict[int, int] = {}
        self._until: float = 0.0

    def saw(self, partition: int, emissions: Sequence[Emission]) -> None:
        """Take what one record led to."""
        if not emissions and not self._in_a_row:
            return  # nearly every record
        if not any(emission.topic == DEAD_LETTERS.name for emission in emissions):
            self._in_a_row.pop(partition, None)
            return
        self._metrics.count(Metric.DEAD_LETTERS)
        count = self._in_a_row[partition] = self._in_a_row.get(partition, 0) + 1
        if count > IN_A_ROW_MAX:
            self._until = monotonic() + UNREADY_FOR_S
            if count == IN_A_ROW_MAX + 1:
                self._metrics.count(Metric.DEAD_LETTER_STORMS)
                log.error("dead_letter_storm: %d records in a row of partition %d cannot be used", count, partition)

    @property
    def is_on(self) -> bool:
        """Whether the last minute saw a storm."""
        return monotonic() < self._until

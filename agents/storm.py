"""What a storm of dead letters does to the worker: it is unready for a minute, and work goes on."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from time import monotonic
from typing import Final

from agents.metrics import Metric, Metrics
from schemas.topics import DEAD_LETTERS, RECORDS
from sla.fold import Emission
from sla.storm import DeadLetterRow

log = logging.getLogger("forewarn.shell")

UNREADY_FOR_S: Final = 60.0


class StormWatch:
    """Counts the dead letters, and hears of a storm of them (`sla.storm`): of a fold, or of a role without one.

    Never an exit: after a restart it would read the same records (design.md 3.5).
    """

    def __init__(self, metrics: Metrics) -> None:
        """Calm."""
        self._metrics = metrics
        self._until: float = 0.0
        self._rows: defaultdict[tuple[str, int], DeadLetterRow] = defaultdict(DeadLetterRow)

    def saw(self, emissions: Sequence[Emission]) -> None:
        """Take what one record led to."""
        for emission in emissions:
            if emission.topic == DEAD_LETTERS.name:
                self._metrics.count(Metric.DEAD_LETTERS)
            elif emission.topic == RECORDS.name and emission.value["type"] == "dead_letter_storm":
                self._until = monotonic() + UNREADY_FOR_S
                self._metrics.count(Metric.DEAD_LETTER_STORMS)
                log.error("dead_letter_storm: more than 100 records in a row of %s cannot be used", emission.key)

    def read(self, topic: str, partition: int, now: int, *, is_usable: bool) -> None:
        """Take what became of a record where no fold counts. No record tells of such a storm: no state keeps it."""
        row = self._rows[topic, partition]
        if is_usable:
            row.end()
        else:
            self.saw(row.take_unusable(topic, partition, now))

    def forget(self) -> None:
        """All partitions have been revoked."""
        self._rows.clear()

    @property
    def is_on(self) -> bool:
        """Whether the last minute saw a storm."""
        return monotonic() < self._until

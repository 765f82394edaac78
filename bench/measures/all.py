"""Every measure, in the order of a whole run."""

from __future__ import annotations

from typing import Final

from bench.measures import clocks, counting, growth, latency, recovery, replaying, size, telling
from bench.measures.measure import Measure

ALL: Final[tuple[Measure, ...]] = (
    counting.MEASURE,
    latency.MEASURE,
    recovery.MEASURE,
    size.MEASURE,
    growth.MEASURE,
    replaying.MEASURE,
    clocks.MEASURE,
    telling.MEASURE,
)
BY_NAME: Final = {measure.name: measure for measure in ALL}

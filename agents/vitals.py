"""What a worker tells of its own pulse at each look at `/metrics` or `/readyz`: heartbeat, lag, last decision."""

from __future__ import annotations

from time import monotonic
from typing import Any

from agents.metrics import Metric, Metrics
from agents.watchdog import Watchdog


def tell(metrics: Metrics, watchdog: Watchdog, consumer: Any, owned: frozenset[int]) -> None:
    """Set the gauges. `consumer` (`agents.transport`) is None before the start, and nobody has confirmed anything."""
    metrics.gauge(Metric.PARTITIONS, len(owned))
    metrics.gauges(Metric.LAG, "partition", watchdog.lag_count())
    metrics.gauges(Metric.DECIDED, "partition", watchdog.idle_s(monotonic()))
    confirmed_at = 0.0 if consumer is None else consumer.confirmed_at()
    if confirmed_at:
        metrics.gauge(Metric.CONFIRMED, int(monotonic() - confirmed_at))

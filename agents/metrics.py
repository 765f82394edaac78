"""The worker's metrics: names declared once, with their meaning; exposed as Prometheus text (docs/metrics.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Metric(StrEnum):
    """Every name, without the prefix `forewarn_`; `MEANING` says what each counts."""

    RECORDS = "records_total"
    EMISSIONS = "emissions_total"
    DEAD_LETTERS = "dead_letters_total"
    DEAD_LETTER_STORMS = "dead_letter_storms_total"
    FORWARDED = "forwarded_total"
    UNKNOWN_SERVICES = "unknown_service_records_total"
    TICKS = "ticks_total"
    MARKERS = "catalogue_markers_total"
    FLUSHES = "flushes_total"
    HEADS_WRITTEN = "heads_written_total"
    SEGMENTS_WRITTEN = "segments_written_total"
    SEGMENTS_EXPIRED = "segments_expired_total"
    HELD_BACK = "flushes_held_back_total"
    DELIVERIES = "deliveries_total"
    PENDING = "messages_pending"
    CHANNELS_BROKEN = "channels_broken"
    PROJECTED = "projected_total"
    PARTITIONS = "partitions_owned"
    READY = "ready"
    LAG = "lag_records"
    DECIDED = "last_batch_age_seconds"
    CONFIRMED = "last_heartbeat_age_seconds"


MEANING: Final[dict[Metric, tuple[str, str]]] = {
    Metric.RECORDS: ("counter", "Records handed to the role, by topic; ticks and markers included."),
    Metric.EMISSIONS: ("counter", "Records published by the role's fold, by topic."),
    Metric.DEAD_LETTERS: ("counter", "Records that could not be used and went to the dead-letter topic."),
    Metric.DEAD_LETTER_STORMS: ("counter", "Times more than 100 records in a row of one partition were dead letters."),
    Metric.FORWARDED: ("counter", "Records found in the wrong partition and sent on to the right one."),
    Metric.UNKNOWN_SERVICES: ("counter", "Records of a service or signal that no definition names."),
    Metric.TICKS: ("counter", "Ticks appended to silent partitions."),
    Metric.MARKERS: ("counter", "Catalogue markers appended to owned partitions."),
    Metric.FLUSHES: ("counter", "Times changed state was written to the changelog."),
    Metric.HEADS_WRITTEN: ("counter", "Heads (one per changed atom and flush) written to the changelog."),
    Metric.SEGMENTS_WRITTEN: ("counter", "Segments (counts of the past that heads name) written to the changelog."),
    Metric.SEGMENTS_EXPIRED: ("counter", "Segments deleted from the changelog, since no head names them any more."),
    Metric.HELD_BACK: ("counter", "Flushes held back because the coordinator had not confirmed this worker lately."),
    Metric.DELIVERIES: ("counter", "Tries to hand a message to its channel, by outcome: delivered, failed, retry."),
    Metric.PENDING: ("gauge", "Messages that this worker keeps until they have an outcome."),
    Metric.CHANNELS_BROKEN: ("gauge", "Channels that failed so often that they are only probed."),
    Metric.PROJECTED: ("counter", "Status records written to Redis."),
    Metric.PARTITIONS: ("gauge", "Partitions of the role's topic that this worker holds."),
    Metric.READY: ("gauge", "1 when the worker does its work, else 0; the reason is on /readyz."),
    Metric.LAG: (
        "gauge",
        "Records that wait behind the last one worked off, by partition, when the broker was last asked.",
    ),
    Metric.DECIDED: (
        "gauge",
        "Whole seconds since the last decision: since a batch was last worked off, by partition.",
    ),
    Metric.CONFIRMED: ("gauge", "Whole seconds since the coordinator last confirmed this worker's heartbeat."),
}
_UNKNOWN_AT_FIRST: Final = frozenset({Metric.LAG, Metric.DECIDED, Metric.CONFIRMED})  # where 0 would mean all is well

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """The numbers of one worker process; written from its event loop alone."""

    def __init__(self) -> None:
        """All zero."""
        self._values: Counter[tuple[Metric, Labels]] = Counter()

    def count(self, metric: Metric, by: int = 1, **labels: str) -> None:
        """Add to a counter."""
        self._values[metric, tuple(sorted(labels.items()))] += by

    def gauge(self, metric: Metric, value: int) -> None:
        """Set a gauge."""
        self._values[metric, ()] = value

    def gauges(self, metric: Metric, label: str, values: Mapping[int, int]) -> None:
        """Set a gauge by label; what is not named is not told of any more."""
        for known in [each for each in self._values if each[0] is metric]:
            del self._values[known]
        self._values.update({(metric, ((label, str(name)),)): value for name, value in values.items()})

    def value(self, metric: Metric, **labels: str) -> int:
        """One number, 0 if nothing was counted yet."""
        return self._values[metric, tuple(sorted(labels.items()))]

    def text(self, role: str) -> str:
        """Prometheus' text format, every metric of the role with its meaning."""
        lines = []
        for metric, (kind, meaning) in MEANING.items():
            lines += [f"# HELP forewarn_{metric} {meaning}", f"# TYPE forewarn_{metric} {kind}"]
            found = {labels: value for (name, labels), value in self._values.items() if name is metric}
            unseen: dict[Labels, int] = {} if metric in _UNKNOWN_AT_FIRST else {(): 0}
            for labels, value in sorted((found or unseen).items()):
                shown = ",".join(f'{name}="{text}"' for name, text in (("role", role), *labels))
                lines.append(f"forewarn_{metric}{{{shown}}} {value}")
        return "\n".join(lines) + "\n"

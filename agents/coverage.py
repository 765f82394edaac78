"""Records that no definition asks for: accepted, counted, and told once per name, not once per record."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from agents.metrics import Metric, Metrics
from sla.catalogue import Catalogue
from sla.fold import Line
from sla.orders import ServiceOrder
from sla.records import Change, Counts, Exclusion, History, Rejection, Sample, State, TelemetryRecord

log = logging.getLogger("forewarn.coverage")

TOLD_MAX: Final = 1_000  # then only the metric counts on

Decode = Callable[[Line, int], TelemetryRecord | ServiceOrder | Rejection]


class WatchedDecode:
    """Decodes as `decode` does, and notes which services and signals the catalogue does not know."""

    def __init__(self, decode: Decode, catalogue: Callable[[], Catalogue], metrics: Metrics) -> None:
        """`catalogue` gives the newest revision."""
        self._decode = decode
        self._catalogue = catalogue
        self._metrics = metrics
        self._revision = -1
        self._services: set[str] = set()
        self._signals: set[tuple[str, str]] = set()
        self._told: set[tuple[str, str]] = set()

    def __call__(self, line: Line, now: int) -> TelemetryRecord | ServiceOrder | Rejection:
        """What the line says, whatever the catalogue knows."""
        record = self._decode(line, now)
        if not isinstance(record, Counts | Sample | State | History | Change | Exclusion):
            return record
        catalogue = self._catalogue()
        if catalogue.revision != self._revision:
            self._learn(catalogue)
        if isinstance(record, Change | Exclusion):
            if record.service not in self._services:
                self._tell(record.service, "")
        elif (record.service, record.signal) not in self._signals:
            self._tell(record.service, record.signal)
        return record

    def _learn(self, catalogue: Catalogue) -> None:
        self._revision = catalogue.revision
        objectives = catalogue.objectives.values()
        self._services = {objective.service for objective in objectives} | set(catalogue.services)
        self._signals = {
            (objective.service, objective.indicator.signal)
            for objective in objectives
            if objective.indicator.signal is not None
        }

    def _tell(self, service: str, signal: str) -> None:
        self._metrics.count(Metric.UNKNOWN_SERVICES)
        name = (service, signal)
        if name in self._told or len(self._told) >= TOLD_MAX:
            return
        self._told.add(name)
        what = f"signal {signal!r} of service {service!r}" if signal else f"service {service!r}"
        log.warning("no definition names the %s: its records are counted in no objective", what)

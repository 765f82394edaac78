"""The folds that a replay runs: those of the workers."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from forewarn.replay.replay import Folds, Slot
from schemas.catalogue_log import CatalogueLog
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_notice
from schemas.inbound import decode_telemetry, decode_tickets
from sla.catalogue import Catalogue
from sla.clock import Clock
from sla.detect import Detect
from sla.dispatch import Dispatch
from sla.fold import CatalogueReader, Fold

TELEMETRY: Final = "sla.telemetry.v1"
TICKETS: Final = "sla.tickets.v1"
NOTICES: Final = "sla.notices.v1"


def product_folds(base: Catalogue, log: CatalogueLog, tick_ms: int | None, cluster: str) -> Folds:
    """The folds of the product, as the workers run them."""

    def reader(slot: Slot) -> CatalogueReader:
        """The catalogue for a fold that decides: with it comes the pace of its ticks."""

        def catalogue_at(revision: int, sha256: str) -> Catalogue | None:
            found = log.at(revision, sha256)
            if found is None:
                return None
            found = paced(found, tick_ms)
            slot.pace.step_ms = found.decide_every_ms
            return found

        return catalogue_at

    def detect(slot: Slot) -> Fold:
        return Detect(
            TELEMETRY,
            slot.partition,
            cluster=cluster,
            decode=decode_telemetry,
            dead_letter=dead_letter,
            catalogue_reader=reader(slot),
            base=base,
            gap_ms=tick_ms or 0,
        )

    def clock(slot: Slot) -> Fold:
        return Clock(
            TICKETS,
            slot.partition,
            cluster=cluster,
            decode=decode_tickets,
            dead_letter=dead_letter,
            catalogue_reader=reader(slot),
            base=base,
            gap_ms=tick_ms or 0,
        )

    def dispatch(slot: Slot) -> Fold:
        def catalogue_at(revision: int, sha256: str) -> Catalogue | None:
            found = log.at(revision, sha256)
            return None if found is None else paced(found, tick_ms)

        return Dispatch(
            NOTICES,
            slot.partition,
            decode=decode_notice,
            dead_letter=dead_letter,
            catalogue_reader=catalogue_at,
            base=base,
            cluster=cluster,
            check_repeats=not slot.is_fed,
            sender_catalogue=log.revision if slot.is_fed else None,
        )

    return Folds(
        {TELEMETRY: detect, TICKETS: clock, NOTICES: dispatch},
        frozenset({NOTICES}),
        {TICKETS: frozenset({TELEMETRY, NOTICES}), TELEMETRY: frozenset({NOTICES})},
    )


def paced(catalogue: Catalogue, tick_ms: int | None) -> Catalogue:
    """The catalogue with the step of decisions that was asked for."""
    return catalogue if tick_ms is None else replace(catalogue, decide_every_ms=tick_ms)

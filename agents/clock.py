"""The role `clock`: tickets in, early warnings out. `faust -A agents.clock worker` runs it too."""

from __future__ import annotations

from typing import Any, Final

from agents.role import Context, FoldRole, written_by
from agents.shell import MakeFold
from agents.standalone import app_of
from schemas.catalogue_log import CatalogueLog
from schemas.dead_letter import dead_letter
from schemas.inbound import decode_tickets
from schemas.topics import TICKETS
from sla.catalogue import Catalogue
from sla.clock import Clock
from sla.fold import Fold


def make_fold(context: Context) -> MakeFold:
    """One fold per partition of the tickets; all of them read the one live catalogue."""
    catalogue = context.catalogue
    if catalogue is None:
        raise TypeError("clock follows the catalogue")

    def fold_of(topic: str, partition: int) -> Fold:
        return Clock(
            topic,
            partition,
            cluster=context.settings.forewarn_cluster,
            decode=decode_tickets,
            dead_letter=dead_letter,
            catalogue_reader=catalogue.at,
            base=Catalogue(),
        )

    return fold_of


def revision_of(fold: Fold) -> int:
    """The revision that a partition follows."""
    if not isinstance(fold, Clock):
        raise TypeError(f"clock runs Clock, not {type(fold).__name__}")
    return fold.revision


ROLE: Final = FoldRole(
    name="clock",
    source=TICKETS.name,
    writes=written_by("clock"),
    key_field="ticket",
    make_fold=make_fold,
    revision_of=revision_of,
    catalogue_log=CatalogueLog,
)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

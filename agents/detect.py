"""The role `detect`: telemetry in, early warnings out. `faust -A agents.detect worker` runs it too."""

from __future__ import annotations

from typing import Any, Final

from agents.coverage import WatchedDecode
from agents.role import Context, FoldRole, written_by
from agents.shell import MakeFold
from agents.standalone import app_of
from schemas.catalogue_log import CatalogueLog
from schemas.dead_letter import dead_letter
from schemas.inbound import decode_telemetry, read_plain_counts
from schemas.topics import TELEMETRY
from sla.catalogue import Catalogue
from sla.detect import Detect
from sla.fold import Fold


def make_fold(context: Context) -> MakeFold:
    """One fold per partition of the telemetry; all of them read the one live catalogue."""
    catalogue = context.catalogue
    if catalogue is None:
        raise TypeError("detect follows the catalogue")
    decode = WatchedDecode(decode_telemetry, lambda: catalogue.current, context.metrics)

    def fold_of(topic: str, partition: int) -> Fold:
        return Detect(
            topic,
            partition,
            cluster=context.settings.forewarn_cluster,
            decode=decode,
            dead_letter=dead_letter,
            catalogue_reader=catalogue.at,
            base=Catalogue(),
            read_plain=read_plain_counts,
        )

    return fold_of


def revision_of(fold: Fold) -> int:
    """The revision that a partition follows."""
    if not isinstance(fold, Detect):
        raise TypeError(f"detect runs Detect, not {type(fold).__name__}")
    return fold.revision


ROLE: Final = FoldRole(
    name="detect",
    source=TELEMETRY.name,
    writes=written_by("detect"),
    key_field=TELEMETRY.key,
    make_fold=make_fold,
    revision_of=revision_of,
    catalogue_log=CatalogueLog,
)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

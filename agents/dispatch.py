"""The role `dispatch`: who is told what, when. `faust -A agents.dispatch worker` runs it too."""

from __future__ import annotations

from typing import Any, Final

from agents.role import Context, FoldRole, written_by
from agents.shell import MakeFold
from agents.standalone import app_of
from schemas.catalogue_log import CatalogueLog
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_notice
from schemas.topics import NOTICES
from sla.dispatch import Dispatch
from sla.fold import Fold


def make_fold(context: Context) -> MakeFold:
    """One fold per partition of the notices; all of them read the one live catalogue."""
    catalogue = context.catalogue
    if catalogue is None:
        raise TypeError("dispatch follows the catalogue")

    def fold_of(topic: str, partition: int) -> Fold:
        return Dispatch(
            topic,
            partition,
            decode=decode_notice,
            dead_letter=dead_letter,
            catalogue_reader=catalogue.at,
            cluster=context.settings.forewarn_cluster,
        )

    return fold_of


def revision_of(fold: Fold) -> int:
    """The revision that a partition follows."""
    if not isinstance(fold, Dispatch):
        raise TypeError(f"dispatch runs Dispatch, not {type(fold).__name__}")
    return fold.revision


ROLE: Final = FoldRole(
    name="dispatch",
    source=NOTICES.name,
    writes=written_by("dispatch"),
    key_field=NOTICES.key,
    make_fold=make_fold,
    revision_of=revision_of,
    catalogue_log=CatalogueLog,
)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

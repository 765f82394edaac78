"""The role `dispatch`: who is told what, when. `faust -A agents.dispatch worker` runs it too."""

from __future__ import annotations

from typing import Any, Final

from agents.role import Context, FoldRole, written_by
from agents.shell import MakeFold
from agents.standalone import app_of
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_notice
from schemas.topics import NOTICES
from sla.dispatch import Dispatch


def make_fold(_context: Context) -> MakeFold:
    """One fold per partition of the notices."""
    return lambda topic, partition: Dispatch(topic, partition, decode=decode_notice, dead_letter=dead_letter)


ROLE: Final = FoldRole(
    name="dispatch",
    source=NOTICES.name,
    writes=written_by("dispatch"),
    key_field=NOTICES.key,
    make_fold=make_fold,
)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

"""What a look at a running installation finds: how grave, what, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How grave a finding is; a note alone is no reason to act."""

    ERROR = "error"  # Forewarn loses something, decides wrongly or stands still
    WARNING = "warning"  # it works, and something will go wrong that need not
    NOTE = "note"


class Finding(NamedTuple):
    """One thing that is not as it should be, and the command or step that cures it."""

    what: str
    remedy: str
    level: Level = Level.ERROR

"""Which queue a ticket waits in: its team and its priority, as they are told to whoever forecasts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LABEL_MOST_CHARACTERS: Final = 200  # as of any name

Labels = tuple[str | None, str | None]
"""A ticket's team and priority."""


def labels_of(fields: Mapping[str, Any]) -> Labels:
    """The team and the priority, where they are texts; cut to the length that a name may have."""
    return _label(fields.get("team")), _label(fields.get("priority"))


def _label(value: Any) -> str | None:
    return value[:LABEL_MOST_CHARACTERS] if type(value) is str and value else None

"""Where a promise stands (semantics.md 2)."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """The state of a promise."""

    UNKNOWN = "unknown"
    OK = "ok"
    AT_RISK = "at_risk"
    BREACHED = "breached"

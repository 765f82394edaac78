"""What machines are told of an open episode beside its state: who has taken it on, and why people are not told.

One for each objective or ticket clock, whichever fold keeps it. It ends with the episode. Each change is told by
`flags_changed`, whose rule is the name returned here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sla.orders import Ack

ACKED: Final = "acked"
UNACKED: Final = "unacked"
ACK_ENDED: Final = "ack_ended"
SILENCED: Final = "silenced"
UNSILENCED: Final = "unsilenced"
SUPPRESSED: Final = "suppressed"
UNSUPPRESSED: Final = "unsuppressed"


@dataclass(slots=True)
class EpisodeFlags:
    """See the module. `suppressed_by` is the dedup key of the trouble that this one came from, while that lasts."""

    acked_by: str | None = None
    acked_until: int | None = None  # None: until the episode ends
    is_silenced: bool = False
    suppressed_by: str | None = None

    def take_on(self, ack: Ack) -> str | None:
        """An ack that holds; the rule, or None if the same was known."""
        before = (self.acked_by, self.acked_until)
        self.acked_by, self.acked_until = ack.by, ack.until_at
        return ACKED if (ack.by, ack.until_at) != before else None

    def let_go(self) -> str | None:
        """Nobody has it any more; the rule, or None if nobody had."""
        if self.acked_by is None:
            return None
        self.acked_by = self.acked_until = None
        return UNACKED

    def expire(self, at: int) -> str | None:
        """The ack ends by itself when its time has come; the rule, or None."""
        if self.acked_until is None or self.acked_until > at:
            return None
        self.let_go()
        return ACK_ENDED

    def silence(self, *, holds: bool) -> str | None:
        """Whether a silence covers it now; the rule, or None if that is known."""
        if holds is self.is_silenced:
            return None
        self.is_silenced = holds
        return SILENCED if holds else UNSILENCED

    def suppress(self, by: str | None) -> str | None:
        """Which trouble it came from, while that lasts; the rule, or None if that is known."""
        if by == self.suppressed_by:
            return None
        self.suppressed_by = by
        return UNSUPPRESSED if by is None else SUPPRESSED

    def clear(self) -> None:
        """The episode has ended."""
        self.acked_by = self.acked_until = self.suppressed_by = None
        self.is_silenced = False

    def to_json(self) -> list[Any]:
        """The state that a restart needs."""
        return [self.acked_by, self.acked_until, self.is_silenced, self.suppressed_by]


def flags_of(entry: Mapping[str, Any]) -> EpisodeFlags:
    """Those that a table entry holds under `flags`; none in an entry written before there were any."""
    return EpisodeFlags(*entry.get("flags", ()))

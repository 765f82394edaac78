"""Whether a silence covers what a promise says, and which trouble of a dependency it came from (semantics.md 2)."""

from __future__ import annotations

from typing import Final, Protocol

from sla.catalogue import Catalogue
from sla.detect.facts import ServiceFacts
from sla.detect.track import Track
from sla.silences import Silences, labels
from sla.standing import Standing

SAID_LAST: Final = {
    Standing.UNKNOWN: "unknown",
    Standing.OK: "recovery",
    Standing.AT_RISK: "early_warning",
    Standing.BREACHED: "breach",
}
"""What a silence that names events is compared with when nothing is said just now."""


class Known(Protocol):
    """What a decision knows beside its stream."""

    @property
    def catalogue(self) -> Catalogue:
        """In force."""
        ...

    @property
    def facts(self) -> ServiceFacts:
        """Of the service, of which those up to `offset` count."""
        ...

    @property
    def silences(self) -> Silences:
        """In force."""
        ...

    @property
    def offset(self) -> int:
        """Of the line being applied."""
        ...


def refresh(track: Track, known: Known, name: str, severity: str) -> list[str]:
    """Bring the flags of an open episode up to date before `name` is said of it; the rules of those that changed."""
    if not track.is_open or track.opened_at is None:
        return []
    rules = (
        track.flags.silence(holds=_is_covered(track, known, name, severity)),
        track.flags.suppress(known.facts.suppressor(track.opened_at, known.offset)),
    )
    return [rule for rule in rules if rule is not None]


def _is_covered(track: Track, known: Known, name: str, severity: str) -> bool:
    if not known.silences:
        return False
    agreements = known.catalogue.agreements_of(track.objective.name)
    names = [agreement.name for agreement in agreements]
    customers = [agreement.customer for agreement in agreements if agreement.customer]
    about = labels(track.key, track.objective.name, severity, name, names, customers)
    return known.silences.matching(None, about) is not None

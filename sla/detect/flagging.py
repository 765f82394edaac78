"""Whether a silence covers what a promise says, and which trouble of a dependency it came from (semantics.md 2)."""

from __future__ import annotations

from typing import Protocol

from sla.catalogue import Catalogue
from sla.detect.facts import ServiceFacts
from sla.detect.track import Track
from sla.silences import Silences


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
    promise = track.objective.name
    agreements = known.catalogue.agreements_of(promise)
    rules = (
        track.flags.silence(holds=known.silences.cover(track.key, promise, severity, name, agreements)),
        track.flags.suppress(known.facts.suppressor(track.opened_at, known.offset)),
    )
    return [rule for rule in rules if rule is not None]

"""Whether a silence covers what is said of a ticket's clock (semantics.md 2). Of dependencies tickets know nothing."""

from __future__ import annotations

from typing import Final

from sla.clock.report import Moment
from sla.clock.track import Track
from sla.dedup import ticket_key
from sla.silences import SAID_LAST

CHANGED: Final = "flags_changed"


def refresh(track: Track, ticket: str, moment: Moment, name: str, severity: str) -> str | None:
    """Bring the flags of an open episode up to date before `name` is said of it; the rule if they changed.

    That they have changed is no news of its own, by which a silence that names events could be judged.
    """
    if not track.is_open or name == CHANGED:
        return None
    key, agreements = ticket_key(track.service, track.name, ticket), moment.catalogue.agreements_of(track.name)
    return track.flags.silence(holds=moment.silences.cover(key, track.name, severity, name, agreements))


def refresh_standing(track: Track, ticket: str, moment: Moment) -> str | None:
    """The same when nothing is said just now."""
    return refresh(track, ticket, moment, SAID_LAST[track.standing], track.highest.value)

"""Who takes a trouble on and who lets go of it: the same for a promise's episode and for that of a ticket's clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sla.events import NOTICES
from sla.flags import EpisodeFlags
from sla.fold import Emission, Json
from sla.orders import Ack, Given, Unack, accepted, refused
from sla.units import rfc3339


class Episodic(Protocol):
    """What has episodes."""

    episode: int
    is_open: bool
    flags: EpisodeFlags


def own(order: Ack | Unack, track: Episodic, now: int, say: Callable[[str | None], list[Emission]]) -> list[Emission]:
    """Carry an order out, or refuse it on record. That it is no repeat of one has been seen to.

    `say` tells machines that the flags have changed, by the rule it is given; with None they are as before.
    """
    flags = track.flags
    why_not = _why_not(order, track, now)
    if why_not is not None:
        return [refused(_given(order), now, why_not)]
    rule = flags.take_on(order) if isinstance(order, Ack) else flags.let_go()
    told = Emission(NOTICES, None, _passed_on(order), everywhere=True)
    return [*say(rule), told, accepted(_given(order), now)]


def refused_unknown(order: Ack | Unack, now: int, why: str) -> list[Emission]:
    """Nothing has the dedup key of an order."""
    return [refused(_given(order), now, why)]


def _given(order: Ack | Unack) -> Given:
    return Given("ack" if isinstance(order, Ack) else "unack", order.id, order.by, order.dedup_key)


def _why_not(order: Ack | Unack, track: Episodic, now: int) -> str | None:
    if not track.is_open:
        return f"its episode {track.episode} is closed" if track.episode else "it has no episode yet"
    if isinstance(order, Ack) and order.episode is not None and order.episode != track.episode:
        return f"it takes on episode {order.episode}, and that is over: episode {track.episode} is open"
    if isinstance(order, Unack):
        return None if track.flags.acked_by is not None else "nobody has acknowledged it"
    return None if order.until_at is None or order.until_at > now else "it expired before it was heard"


def _passed_on(order: Ack | Unack) -> Json:
    """The same order for the fold of notices: who was told of the trouble is told of this."""
    told = {"id": order.id, "by": order.by, "dedup_key": order.dedup_key}
    if isinstance(order, Unack):
        return {"type": "unack", **told}
    until = None if order.until_at is None else rfc3339(order.until_at)
    return {"type": "ack", **told, "reason": order.reason, "until": until}

"""The links in messages by which people answer: signed, for one stakeholder, one question or trouble, and a while."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from agents.settings import Settings
from notifiers.links import Link, May, url_of
from notifiers.view import NO_LINKS, Links
from schemas.instants import read_instant
from sla.dispatch import Send
from sla.fold import Json
from sla.units import DAY_MS

MAY_ACK: Final = frozenset({"oncall", "owner"})
"""The audiences that can do something about a trouble."""
ACK_WITHIN_MS: Final = 7 * DAY_MS  # of the event; what is open for longer is repeated, by a newer one
ACKS_MAX: Final = 5  # in one message
_TROUBLES: Final = frozenset({"early_warning", "breach", "unknown", "unack"})


class _SignedLinks(NamedTuple):
    base: str
    secret: str

    def answers(self, send: Send, question: Json) -> Sequence[tuple[str, str]]:
        """One link to the page with the question; none where it is not whole."""
        key, event_id, until_at = (question.get(name) for name in ("dedup_key", "event_id", "answer_by"))
        expires_at = read_instant(until_at) if isinstance(until_at, str) else None
        if not isinstance(key, str) or not isinstance(event_id, str) or expires_at is None:
            return ()
        return [("Answer", self._url(Link(May.REPLY, send.stakeholder, key, event_id, expires_at)))]

    def acks(self, send: Send) -> Sequence[tuple[str, str]]:
        """A link for each trouble that a message to people tells of and that was open, the first of them."""
        if send.audience not in MAY_ACK or send.kind == "machine":
            return ()
        found: dict[str, Link] = {}
        for item in send.items:
            key, event_id, time = (item.get(name) for name in ("dedup_key", "event_id", "time"))
            at = read_instant(time) if isinstance(time, str) else None
            is_open = item.get("holds") is True and item.get("event") in _TROUBLES
            if is_open and isinstance(key, str) and isinstance(event_id, str) and at is not None:
                episode = item.get("episode")
                known = episode if type(episode) is int else None
                found[key] = Link(May.ACK, send.stakeholder, key, event_id, at + ACK_WITHIN_MS, known)
        told = list(found.values())[:ACKS_MAX]
        return [(f"Take on {link.dedup_key}" if len(told) > 1 else "Take it on", self._url(link)) for link in told]

    def _url(self, link: Link) -> str:
        return url_of(self.base, self.secret, link)


def links_of(settings: Settings) -> Links:
    """Where the settings name an address and a secret; else messages name the command line alone."""
    base, secret = settings.forewarn_link_url, settings.link_secret()
    return NO_LINKS if base is None or secret is None else _SignedLinks(base, secret)

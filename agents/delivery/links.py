"""The links in messages by which people answer: signed, for one stakeholder and one question, until it is due."""

from __future__ import annotations

from collections.abc import Sequence

from agents.settings import Settings
from notifiers.links import Link, May, url_of
from notifiers.view import Links, no_links
from schemas.instants import read_instant
from sla.dispatch import Send
from sla.fold import Json


def links_of(settings: Settings) -> Links:
    """Where the settings name an address and a secret; else messages name the command line alone."""
    base, secret = settings.forewarn_link_url, settings.link_secret()
    if base is None or secret is None:
        return no_links

    def links(send: Send, question: Json) -> Sequence[tuple[str, str]]:
        key, event_id, until_at = (question.get(name) for name in ("dedup_key", "event_id", "answer_by"))
        expires_at = read_instant(until_at) if isinstance(until_at, str) else None
        if not isinstance(key, str) or not isinstance(event_id, str) or expires_at is None:
            return ()
        link = Link(May.REPLY, send.stakeholder, key, event_id, expires_at)
        return [("Answer", url_of(base, secret, link))]

    return links

"""PagerDuty, Events API v2: one incident per dedup key is triggered, acknowledged and resolved.

`${PAGERDUTY_KEY}` is the integration's key; another region's or another tool's address is written as
`https://events.eu.pagerduty.com/v2/enqueue?routing_key=${PAGERDUTY_KEY}`.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

import orjson

from notifiers.incident import Action, action_of, mapping, seen_of, text
from notifiers.protocol import Message, Outcome, Unusable
from notifiers.web import Web

ENQUEUE: Final = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_LONGEST: Final = 1024
KEY_LONGEST: Final = 255
_SEVERITIES: Final = frozenset({"info", "warning", "critical"})


class PagerDuty:
    """Posts each message as an event; PagerDuty keeps one incident per dedup key, so a repeat opens no second one."""

    def __init__(self, web: Web) -> None:
        """Over `web`."""
        self._web = web

    async def send(self, message: Message, url: str) -> Outcome:
        """Trigger, acknowledge or resolve."""
        place, key = place_of(url)
        return await self._web.post(place, orjson.dumps(event_of(message, key)), {})


def place_of(url: str) -> tuple[str, str]:
    """Where to post, and the routing key; raises `Unusable`."""
    if "://" not in url:
        return ENQUEUE, url
    parts = urlsplit(url)
    key = parse_qs(parts.query).get("routing_key", [""])[0]
    if not key:
        raise Unusable("pagerduty needs its key: write ${NAME}, or a URL with ?routing_key=${NAME}")
    return urlunsplit(parts._replace(query="", fragment="")), key


def event_of(message: Message, routing_key: str) -> dict[str, Any]:
    """The event of the Events API; only a trigger carries a payload."""
    send, words = message
    action = action_of(send)
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action.value,
        "dedup_key": send.dedup_key[:KEY_LONGEST],
    }
    if action is not Action.TRIGGER:
        return event
    data = seen_of(send)
    runbook = text(mapping(data.get("advice")).get("runbook"))
    links = [{"href": runbook, "text": "Runbook"}] if runbook.startswith(("http://", "https://")) else []
    payload = {
        "summary": words.subject[:SUMMARY_LONGEST],
        "source": text((send.event or {}).get("source")) or "forewarn",
        "severity": send.severity if send.severity in _SEVERITIES else "warning",
        "timestamp": text((send.event or {}).get("time")) or None,
        "component": text(data.get("service")) or None,
        "group": text(mapping(data.get("objective")).get("name")) or None,
        "class": text(mapping(data.get("reason")).get("rule")) or None,
        "custom_details": {"text": words.text, "event_id": send.event_id},
    }
    return {**event, "client": "Forewarn", "links": links, "payload": payload}

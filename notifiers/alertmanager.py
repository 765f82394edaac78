"""Alertmanager, API v2: labels are the identity of an alert, so they hold only what does not change while it lasts.

The severity rises within an episode and is an annotation: as a label it would make a second alert beside the first.
Alertmanager forgets an alert at its `endsAt`; each repeat puts that twice the repeat's time ahead.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import orjson

from notifiers.incident import Action, action_of, mapping, seen_of, text
from notifiers.protocol import Message, Outcome
from notifiers.web import Web, checked
from sla.units import DAY_MS, rfc3339

UNREPEATED_MS: Final = 7 * DAY_MS  # how long an alert stands that will not be repeated; its recovery ends it


class Alertmanager:
    """Posts each message as one alert."""

    def __init__(self, web: Web) -> None:
        """Over `web`."""
        self._web = web

    async def send(self, message: Message, url: str) -> Outcome:
        """Set or end the alert; to set it again only moves its end."""
        body = orjson.dumps([alert_of(message, self._web.now())])
        return await self._web.post(place_of(url), body, {})


def place_of(url: str) -> str:
    """The address of the alerts under Alertmanager's own, which may have a path in front."""
    parts = urlsplit(checked(url))
    path = parts.path.rstrip("/")
    return urlunsplit(parts._replace(path=path if path.endswith("/alerts") else f"{path}/api/v2/alerts", fragment=""))


def alert_of(message: Message, now: int) -> dict[str, Any]:
    """The alert: it stands until it is ended, or until nobody has repeated it for long."""
    send, words = message
    data = seen_of(send)
    is_over = action_of(send) is Action.RESOLVE
    labels = {
        "alertname": "ForewarnPromiseAtRisk",
        "dedup_key": send.dedup_key,
        "service": text(data.get("service")),
        "objective": text(mapping(data.get("objective")).get("name")),
        "instance": text(data.get("instance")),
        "stakeholder": send.stakeholder,
        "cluster": text((send.event or {}).get("source")).removeprefix("/forewarn/"),
    }
    annotations = {
        "summary": words.subject,
        "description": words.text,
        "severity": send.severity or "",
        "runbook_url": text(mapping(data.get("advice")).get("runbook")),
        "event_id": send.event_id,
    }
    stands_ms = UNREPEATED_MS if send.repeat_ms is None else 2 * send.repeat_ms
    alert = {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "endsAt": rfc3339(now if is_over else now + stands_ms),
    }
    opened_at = text(data.get("opened_at"))
    return {**alert, "startsAt": opened_at} if opened_at else alert

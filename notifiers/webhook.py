"""A webhook: the message as JSON, signed, with an idempotency key.

`https://example.com/hook#secret=${HOOK_SECRET}`: what follows `#` is never sent. The receiver computes
HMAC-SHA256(secret, timestamp + "." + body) and compares it with the signature; it refuses old timestamps, and drops
an `Idempotency-Key` that it has seen.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, urldefrag

import orjson

from notifiers.protocol import Message, Outcome
from notifiers.web import Web
from sla.wording import OUTSIDERS

KEY_HEADER: Final = "Idempotency-Key"
TIMESTAMP_HEADER: Final = "X-Forewarn-Timestamp"  # seconds since the epoch
SIGNATURE_HEADER: Final = "X-Forewarn-Signature"  # "sha256=" and the hexadecimal HMAC


class Webhook:
    """Posts each message to its URL."""

    def __init__(self, web: Web) -> None:
        """Over `web`."""
        self._web = web

    async def send(self, message: Message, url: str) -> Outcome:
        """POST it; the same message has the same key however often it comes."""
        place, fragment = urldefrag(url)
        secret = parse_qs(fragment).get("secret", [""])[0]
        body = orjson.dumps(body_of(message))
        headers = {KEY_HEADER: message.send.id}
        if secret:
            timestamp = str(self._web.now() // 1000)
            headers |= {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature(secret, timestamp, body)}
        return await self._web.post(place, body, headers)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=…` over the timestamp, a dot and the body."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, sha256).hexdigest()


def body_of(message: Message) -> dict[str, Any]:
    """The message as a receiver sees it; `event`, `items` and `planning` only for people of the house."""
    send, words = message
    is_outside = send.audience in OUTSIDERS
    return {
        "type": "forewarn.message.v1",
        "id": send.id,
        "stakeholder": send.stakeholder,
        "audience": send.audience,
        "kind": send.kind,
        "action": send.action,
        "severity": send.severity,
        "subject": words.subject,
        "text": words.text,
        "html": words.html,
        "dedup_key": send.dedup_key,
        "event_ids": list(send.event_ids),
        "event": None if is_outside else send.event,
        "items": [] if is_outside else list(send.items),
        "planning": [] if is_outside else list(send.planning),
    }

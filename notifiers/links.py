"""Signed links: whoever holds one may give a stakeholder's answer to one question, or take one trouble on.

A link is its own permission: it names what may be said, for whom, and until when, under an HMAC-SHA256 with a secret
that only Forewarn has. What it names cannot be changed, and nothing else can be said by it.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import quote

import orjson

SECRET_SHORTEST: Final = 32  # characters
TOKEN_LONGEST: Final = 4_096
_VERSION: Final = "1"


class May(StrEnum):
    """What a link permits."""

    REPLY = "reply"
    ACK = "ack"


class Link(NamedTuple):
    """What a link says. `expires_at` is epoch milliseconds; from there on it permits nothing."""

    may: May
    stakeholder: str
    dedup_key: str
    event_id: str
    expires_at: int
    episode: int | None = None  # that an ack takes on


class Invalid(StrEnum):
    """Why a link permits nothing."""

    FORGED = "forged"  # not signed by this secret, or cut, or changed
    EXPIRED = "expired"


class Opened(NamedTuple):
    """A link that permits what it says. `id` is the same however often it is opened: its command's id."""

    link: Link
    id: str


def sign(secret: str, link: Link) -> str:
    """The token of a link: letters, digits, `-`, `_` and a dot. Raises ValueError for a secret that is too short."""
    payload = orjson.dumps([_VERSION, *link])
    return f"{_text(payload)}.{_text(_mac(secret, payload))}"


def url_of(base: str, secret: str, link: Link) -> str:
    """Where the link leads: `<base>/answer?token=…`."""
    return f"{base.rstrip('/')}/answer?token={quote(sign(secret, link))}"


def verify(secret: str, token: str, now: int) -> Opened | Invalid:
    """What a token permits at an instant; whatever it is, never an exception but for a secret that is too short."""
    payload_text, _, mac_text = token.partition(".")
    payload, mac = _bytes(payload_text), _bytes(mac_text)
    if len(token) > TOKEN_LONGEST or not hmac.compare_digest(mac, _mac(secret, payload)):
        return Invalid.FORGED
    # Signed by us: it holds what `sign` wrote.
    _, may, *named = orjson.loads(payload)
    link = Link(May(may), *named)
    if now >= link.expires_at:
        return Invalid.EXPIRED
    return Opened(link, f"link-{sha256(payload).hexdigest()[:32]}")


def _mac(secret: str, payload: bytes) -> bytes:
    if len(secret) < SECRET_SHORTEST:
        raise ValueError(f"the secret of links must have {SECRET_SHORTEST} characters at least")
    return hmac.digest(secret.encode(), b"forewarn-link\n" + payload, "sha256")


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return b""

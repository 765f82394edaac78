"""Names that repeat themselves on purpose: dedup keys and event ids (wire.md 4)."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

KEY_BYTES_MAX: Final = 255
_DIGEST_CHARS: Final = 32
_DIGEST: Final = re.compile(f"[0-9a-f]{{{_DIGEST_CHARS}}}")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9\-._~]*")


def digest(text: str) -> str:
    """32 hexadecimal characters that the same text has again: of its SHA-256 the first half."""
    return sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]


def encoded(part: str) -> str:
    """A name as a part of a key: all but `A-Za-z0-9-._~` percent-encoded, UTF-8, upper-case hex."""
    return part if _UNRESERVED.fullmatch(part) else quote(part, safe="")


def join_key(parts: list[str], shorten: int = -1) -> str:
    """Encoded parts joined by `/`; if that is over 255 bytes, part `shorten` becomes the digest of its encoded text."""
    shown = [encoded(part) for part in parts]
    key = "/".join(shown)
    if len(key) > KEY_BYTES_MAX:
        shown[shorten] = digest(shown[shorten])
        key = "/".join(shown)
    return key


def ends_in_digest(key: str) -> bool:
    """Whether the last part of a key may stand for a name that was too long; nobody but its reader knows which."""
    return _DIGEST.fullmatch(key.rpartition("/")[2]) is not None


def objective_key(service: str, objective: str, instance: str | None = None) -> str:
    """`<service>/<objective>[/<instance>]`."""
    return join_key([service, objective] if instance is None else [service, objective, instance])


@lru_cache(maxsize=8_192)
def ticket_key(service: str, objective: str, ticket: str) -> str:
    """`<service>/<objective>/ticket:<id>`; the digest, where it is needed, is that of the encoded last part."""
    return _tagged_key(service, objective, f"ticket:{encoded(ticket)}")


def queue_key(service: str, objective: str, team: str | None, priority: str | None) -> str:
    """`<service>/<objective>/queue:<team>:<priority>`, either of them empty where the tickets have none."""
    return _tagged_key(service, objective, f"queue:{encoded(team or '')}:{encoded(priority or '')}")


def _tagged_key(service: str, objective: str, tagged: str) -> str:
    parts = [encoded(service), encoded(objective), tagged]
    key = "/".join(parts)
    if len(key) > KEY_BYTES_MAX:
        parts[-1] = digest(parts[-1])
        key = "/".join(parts)
    return key


def period_key(agreement: str, service: str, objective: str, period: str) -> str:
    """`<agreement>/<service>/<objective>/<period>`; it is the objective's part that is shortened."""
    return join_key([agreement, service, objective, period], shorten=2)


def close_place(agreement: str, objective: str) -> str:
    """`<agreement>/<objective>`: which account of a stream is to be closed. Either name may have a slash in it."""
    return f"{encoded(agreement)}/{encoded(objective)}"


def read_close_place(place: str) -> tuple[str, str]:
    """The agreement and the objective of a `close_place`."""
    agreement, _, objective = place.partition("/")
    return unquote(agreement), unquote(objective)


def event_id(topic: str, dedup_key: str, sequence: int, event_type: str) -> str:
    """The id of event `sequence` of a key on a topic: the same fact has the same id, whoever computes it."""
    return digest(f"{topic}\n{dedup_key}\n{sequence}\n{event_type}")

"""Secrets stand in the environment or in files; a channel's URL only names them, and nobody ever shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from notifiers.protocol import Unusable

FILE_BYTES_MAX: Final = 64 * 1024
OWN_PREFIXES: Final = ("KAFKA_", "REDIS_", "FOREWARN_")
"""Settings of Forewarn itself: a definition must not send them to a channel."""
HIDDEN: Final = "***"
_BEGIN_SHORTEST: Final = 4  # characters of a secret by which its beginning is known
_PART_SHORTEST: Final = 6  # characters of a part of a URL that may be a secret of its own
_PLACEHOLDER: Final = re.compile(r"\$\{(?:file:(?P<file>[^}]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*))\}", re.ASCII)


class Secrets:
    """Fills in `${NAME}` and `${file:name}`, and takes what it filled in out of any text."""

    def __init__(self, environment: Mapping[str, str], folder: Path, own: Path | None = None) -> None:
        """Files are read from `folder` alone, each time anew: a secret may be rotated. `own` is never read."""
        self._environment = environment
        self._folder = folder
        self._own = own
        self._seen: set[str] = set()

    def fill(self, url: str) -> str:
        """The URL with its secrets; raises `Unusable` for one that is not there.

        A secret that stands as a password (`:${X}@`) or as a value (`=${X}`) may hold any character. Elsewhere it is
        put in as it is, for it may be a whole path or URL.
        """
        return _PLACEHOLDER.sub(lambda found: self._filled(url, found), url)

    def _filled(self, url: str, found: re.Match[str]) -> str:
        value = self._from_file(found["file"]) if found["file"] else self._from_environment(found["name"])
        encoded = quote(value, safe="")
        self._seen |= {value, encoded, *_parts_of(value)}
        before, after = url[: found.start()][-1:], url[found.end() :][:1]
        return encoded if before == "=" or (before, after) == (":", "@") else value

    def _from_environment(self, name: str) -> str:
        if name.startswith(OWN_PREFIXES):
            raise Unusable(f"${{{name}}} is a setting of Forewarn's own: use another name for the channel's secret")
        value = self._environment.get(name, "")
        if not value:
            raise Unusable(f"${{{name}}} is not set: set {name} in the environment of deliver")
        return value

    def _from_file(self, name: str) -> str:
        folder = self._folder.resolve()
        path = (folder / name).resolve()  # Kubernetes mounts each secret as a link to a file beside it
        if "/" in name or not path.is_relative_to(folder):
            raise Unusable(f"${{file:{name}}} is outside of {folder}, where secrets are (FOREWARN_SECRETS)")
        if self._own is not None and path == self._own.resolve():
            raise Unusable(f"${{file:{name}}} is a secret of Forewarn's own: keep the channels' in another folder")
        try:
            with path.open("rb") as file:
                value = file.read(FILE_BYTES_MAX).decode().strip()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "is no text"
            raise Unusable(f"${{file:{name}}} cannot be read: {why}") from None
        if not value:
            raise Unusable(f"${{file:{name}}} is empty")
        return value

    def redact(self, text: str) -> str:
        """The text without any secret that was ever filled in, nor the beginning of one where the text was cut."""
        for secret in sorted(self._seen, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        for secret in self._seen:
            for length in range(min(len(secret), len(text)), _BEGIN_SHORTEST - 1, -1):
                if text.endswith(secret[:length]):
                    text = text[:-length] + HIDDEN
                    break
        return text


def _parts_of(value: str) -> set[str]:
    """Of a secret that is a whole URL, what the other side may show by itself: its path, its user, its values."""
    try:
        url = urlsplit(value)
    except ValueError:
        return set()
    if not url.netloc:
        return set()
    values = (said for text in (url.query, url.fragment) for _, said in parse_qsl(text))
    parts = {url.path, url.query, url.fragment, url.username or "", url.password or "", *values}
    return {part for part in parts if len(part) >= _PART_SHORTEST}

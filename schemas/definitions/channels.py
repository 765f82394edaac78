"""A stakeholder's channels as they are written: one kind and its URL each, with secrets only by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlsplit

from pydantic.json_schema import WithJsonSchema

from schemas.definitions.fields import reader
from schemas.definitions.findings import nearest
from schemas.definitions.values import MalformedError, shown

PLACEHOLDER: Final = re.compile(r"\$\{(?:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}", re.ASCII)
"""`${NAME}` of the environment, or `${file:name}` of the folder of secrets."""
_STAND_IN: Final = "secret"  # a URL is judged with this in the place of each secret
_SECRET_FIELDS: Final = frozenset({"token", "key", "apikey", "api_key", "secret", "password", "routing_key"})
_URL_LONGEST: Final = 2000


class ChannelEntry(NamedTuple):
    """One channel: its kind and where it leads (None for the console)."""

    kind: str
    url: str | None


def parse_channel(value: Any) -> ChannelEntry:
    """`console` or one kind with its URL: `{webhook: "https://…"}`. Secrets only as `${NAME}` or `${file:name}`."""
    if value == "console":
        return ChannelEntry("console", None)
    if not isinstance(value, dict) or len(value) != 1:
        raise MalformedError(
            f'{shown(value)} is not a channel: write console or one kind and its URL, such as webhook: "https://…"'
        )
    kind, url = next(iter(value.items()))
    if kind not in KINDS:
        raise MalformedError(f"{kind!r} is not a channel{nearest(kind, KINDS) or '; known are ' + ', '.join(KINDS)}")
    if kind == "console":
        if url not in (None, True, {}):
            raise MalformedError("the console takes no URL: write console")
        return ChannelEntry("console", None)
    if not isinstance(url, str) or not 1 <= len(url) <= _URL_LONGEST:
        raise MalformedError(f'{kind} takes its URL as text, such as {kind}: "https://…"')
    if _holds_secret(kind, url):
        raise MalformedError(
            f"{kind} holds a secret in plain text: write it as ${{NAME}} and set NAME in the environment"
        )
    if not PLACEHOLDER.fullmatch(url):
        _FORMS[kind].check(url)
    return ChannelEntry(kind, url)


def _holds_secret(kind: str, url: str) -> bool:
    if kind == "pagerduty" and "://" not in url:
        return not PLACEHOLDER.fullmatch(url)
    try:
        # `${NAME}` stands for its value: it must not be cut at its braces or count as a plain secret.
        parts = urlsplit(PLACEHOLDER.sub("", url))
        password = parts.password
    except ValueError:
        return False
    fields = (*parse_qsl(parts.query), *parse_qsl(parts.fragment))
    return bool(password) or any(name.lower() in _SECRET_FIELDS for name, text in fields if text)


class _Form(NamedTuple):
    """How a kind's URL is written, and what beside its scheme and host makes it one."""

    schemes: tuple[str, ...]  # empty: any
    written: str
    holds: Callable[[SplitResult], bool] = lambda _: True

    def check(self, url: str) -> None:
        """Raises MalformedError for a URL that makes no sense."""
        try:
            parts = urlsplit(PLACEHOLDER.sub(_STAND_IN, url))
            is_whole = bool(parts.netloc or (parts.scheme and not self.schemes)) and parts.port != 0
        except ValueError:
            is_whole = False
        if not is_whole or not parts.scheme or not _is_readable(url):
            raise MalformedError(f"{shown(url)} is not a URL: write {self.written}")
        if self.schemes and parts.scheme not in self.schemes:
            raise MalformedError(f"{shown(url)} begins with {parts.scheme}: write {self.written}")
        if not self.holds(parts):
            raise MalformedError(f"{shown(url)} is not whole: write {self.written}")


def _is_readable(url: str) -> bool:
    return url.isprintable() and " " not in url


def _is_mail(parts: SplitResult) -> bool:
    fields = parse_qs(parts.query)
    return all("@" in text for name in ("from", "to") for text in fields.get(name, [""]))


def _is_webhook(parts: SplitResult) -> bool:
    return not parts.fragment or list(parse_qs(parts.fragment)) == ["secret"]


_HTTP: Final = ("http", "https")
_FORMS: Final[Mapping[str, _Form]] = {
    "apprise": _Form((), 'apprise: "service://…", such as "ntfy://host/topic" (see https://appriseit.com)'),
    "webhook": _Form(_HTTP, 'webhook: "https://host/path#secret=${NAME}", without # if it is not signed', _is_webhook),
    "pagerduty": _Form(
        _HTTP,
        'pagerduty: "${NAME}", or "https://host/v2/enqueue?routing_key=${NAME}"',
        lambda parts: "routing_key" in parse_qs(parts.query),
    ),
    "alertmanager": _Form(_HTTP, 'alertmanager: "http://host:9093"'),
    "mail": _Form(
        ("smtp", "smtps"), 'mail: "smtps://user:${NAME}@host?from=<address>&to=<address>"', _is_mail
    ),
}  # fmt: skip
KINDS: Final = ("console", *_FORMS)

Channel = Annotated[
    ChannelEntry,
    reader(parse_channel),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "console"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {kind: {} if kind == "console" else {"type": "string"} for kind in KINDS},
                },
            ],
        },
    ),
]

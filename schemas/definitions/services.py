"""Whether Apprise knows the services that channels name. Asked of files that a person has written, not of revisions.

What was applied must mean the same to each worker, whatever version of Apprise it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from schemas.definitions.channels import PLACEHOLDER
from schemas.definitions.findings import Finding, nearest
from schemas.definitions.kinds import Stakeholder
from schemas.definitions.source import Defined
from schemas.definitions.values import shown


def check_services(defined: Iterable[Defined]) -> Iterator[Finding]:
    """An error for each Apprise URL that cannot work or shows a secret."""
    for each in defined:
        if not isinstance(each.document, Stakeholder):
            continue
        for place, channel in enumerate(each.document.spec.channels):
            if channel.kind == "apprise" and channel.url is not None and _is_to_be_judged(channel.url):
                objection = _objection(channel.url)
                if objection is not None:
                    yield each.error("wrong-value", ("spec", "channels", place), objection)


def _is_to_be_judged(url: str) -> bool:
    """Not where the service itself is a secret, nor where an ellipsis stands for what an example leaves open."""
    return not PLACEHOLDER.match(url) and "…" not in url


def _objection(url: str) -> str | None:
    import apprise  # noqa: PLC0415 - takes most of a second, and most files name no such channel

    service = url.partition(":")[0].lower()
    if PLACEHOLDER.search(url):
        return None if service in _services() else _unknown(url, service)
    plugin: Any = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if plugin is None:
        known = service in _services()
        return (
            f"{shown(url)} is not as {service} is written: see https://appriseit.com"
            if known
            else _unknown(url, service)
        )
    if plugin.url(privacy=True) != plugin.url():
        return (
            f"apprise holds a secret of {service} in plain text: write it as ${{NAME}} and set NAME in the environment"
        )
    return None


def _unknown(url: str, service: str) -> str:
    return f"{shown(url)} names no service of Apprise{nearest(service, _services()) or ': see https://appriseit.com'}"


def _services() -> list[str]:
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - as above

    manager = NotificationManager()
    manager.load_modules()
    found: list[str] = manager.schemas()
    return found

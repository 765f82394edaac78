"""Which kinds of channel there are, and the one way in: secrets are filled in, trouble becomes an outcome."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from notifiers.addresses import Guard, Network
from notifiers.alertmanager import Alertmanager
from notifiers.apprise import Apprise
from notifiers.console import Console, printable
from notifiers.mail import Mail
from notifiers.pagerduty import PagerDuty
from notifiers.protocol import Delivered, Failed, Message, Notifier, Outcome, Retry, Unusable
from notifiers.secrets import Secrets
from notifiers.web import Web
from notifiers.webhook import Webhook

CHANNEL_WITHIN_S: Final = 10.0
DETAIL_LONGEST: Final = 300


class Options(NamedTuple):
    """What an installation decides about its channels."""

    allowed: tuple[Network, ...] = ()
    secrets: Path = Path("/run/secrets/forewarn-channels")
    own_secret: Path | None = None  # a file that channels never get
    within_s: float = CHANNEL_WITHIN_S  # a channel that takes longer is tried again later


class Closable(Protocol):
    """What holds connections or threads."""

    async def close(self) -> None:
        """Let go of them."""
        ...


class Channels:
    """A notifier for each kind of channel."""

    def __init__(
        self,
        notifiers: Mapping[str, Notifier],
        secrets: Secrets,
        parts: Sequence[Closable] = (),
    ) -> None:
        """`parts` are what the notifiers share."""
        self._notifiers = notifiers
        self._secrets = secrets
        self._parts = parts

    async def hand_over(self, message: Message) -> Outcome:
        """Try once. Never raises but for being cancelled; the detail is one line without secrets."""
        channel = message.send.channel
        notifier = self._notifiers.get(channel.kind)
        if notifier is None:
            known = ", ".join(self._notifiers)
            return Failed(f"{printable(channel.kind)} is no channel of this release, which has {known}")
        try:
            url = self._secrets.fill(channel.url or "")
            outcome = await notifier.send(message, url)
        except Unusable as unusable:
            outcome = Failed(str(unusable))
        except Exception as error:  # noqa: BLE001 - whatever a channel does, others must not suffer and it is on record
            outcome = Retry(f"{type(error).__name__}: {error}")
        return outcome if isinstance(outcome, Delivered) else outcome._replace(detail=self._shown(outcome.detail))

    def _shown(self, detail: str) -> str:
        return printable(" ".join(self._secrets.redact(detail).split()))[:DETAIL_LONGEST]

    async def close(self) -> None:
        """Let go of connections."""
        for part in self._parts:
            await part.close()


def standard(options: Options, environment: Mapping[str, str] = os.environ) -> Channels:
    """All the channels of this release."""
    guard = Guard(options.allowed)
    web = Web(guard, within_s=options.within_s)
    apprise = Apprise(guard, within_s=options.within_s)
    notifiers: dict[str, Notifier] = {
        "console": Console(within_s=options.within_s),
        "webhook": Webhook(web),
        "apprise": apprise,
        "pagerduty": PagerDuty(web),
        "alertmanager": Alertmanager(web),
        "mail": Mail(guard, within_s=options.within_s),
    }
    secrets = Secrets(environment, options.secrets, options.own_secret)
    return Channels(notifiers, secrets, (web, apprise))

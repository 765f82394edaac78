"""Every channel beside a server of its own, so that one suite can ask all of them the same."""

from __future__ import annotations

import email
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import orjson

from notifiers.addresses import Guard
from notifiers.alertmanager import Alertmanager
from notifiers.apprise import Apprise
from notifiers.console import Console
from notifiers.mail import Mail
from notifiers.pagerduty import PagerDuty
from notifiers.protocol import Delivered, Failed, Message, Notifier, Outcome, Retry, Words
from notifiers.registry import Channels
from notifiers.secrets import Secrets
from notifiers.web import Web
from notifiers.webhook import KEY_HEADER, Webhook
from sla.dispatch import Send
from sla.records import Feed
from sla.stakeholder import Channel
from tests.notifiers.receivers import Manner, Receiver, http_receiver, smtp_receiver

WITHIN_S = 60.0  # nobody waits so long: a channel on a busy machine is no channel that hangs
HANGS_AFTER_S = 0.4
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
SECRET = "s3cr3t value/with?signs"  # noqa: S105 - there to be looked for
EVENT = {
    "id": "e1",
    "type": "forewarn.early_warning.v1",
    "source": "/forewarn/test",
    "time": "2026-11-23T10:00:00.000Z",
    "data": {
        "dedup_key": "payments/availability",
        "service": "payments",
        "objective": {"name": "availability"},
        "severity": "critical",
        "state": "at_risk",
        "opened_at": "2026-11-23T09:58:00.000Z",
        "reason": {"rule": "burn_rate"},
        "advice": {"runbook": "https://example.com/runbook"},
    },
}


def send(**fields: Any) -> Send:
    base = Send(
        "id-1", "ops", "oncall", Channel("console"), "Breach: x", "first\nsecond", "e1", "payments/availability",
        Feed("f", 1), severity="critical", event=EVENT, event_ids=("e1",),
    )  # fmt: skip
    return base._replace(**fields)


def message(words: Words | None = None, **fields: Any) -> Message:
    found = send(**fields)
    return Message(found, words or Words(found.subject, found.text))


class FakeNotifier:
    """The channel of tests that need one: takes what it is given, once per id, and behaves as it is told."""

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.taken: dict[str, Message] = {}

    async def send(self, message: Message, url: str) -> Outcome:
        del url
        match self.receiver.manner:
            case Manner.TROUBLED | Manner.HANGS | Manner.RESETS:
                return Retry("out of order")
            case Manner.REFUSES:
                return Failed("not wanted")
            case Manner.TAKES:
                self.taken.setdefault(message.send.id, message)
        return Delivered()


@dataclass
class Rig:
    """A channel, its server, and how a test looks at what arrived."""

    kind: str
    notifier: Notifier
    url: str
    receiver: Receiver
    told: Callable[[], str]  # all that arrived, as text
    identity: Callable[[], str] | None = None  # by which the other side knows a repeat
    environment: dict[str, str] = field(default_factory=lambda: {"SECRET": SECRET})

    def channels(self) -> Channels:
        return Channels({self.kind: self.notifier}, Secrets(self.environment, Path("/nowhere")))

    async def hand_over(self, url: str | None = None, **fields: Any) -> Outcome:
        target = Channel(self.kind, self.url if url is None else url)
        return await self.channels().hand_over(message(channel=target, **fields))


def _bodies(receiver: Receiver) -> str:
    return "\n".join(request.body.decode() for request in receiver.requests)


@asynccontextmanager
async def _http(kind: str, guard: Guard, within_s: float) -> AsyncIterator[Rig]:
    async with http_receiver() as receiver:
        web = Web(guard, within_s=within_s)
        base = f"http://127.0.0.1:{receiver.port}"

        def body() -> Any:
            return orjson.loads(receiver.last.body)

        notifier, url, identity = {
            "webhook": (Webhook(web), f"{base}/hook#secret=${{SECRET}}", lambda: receiver.last.headers[KEY_HEADER]),
            "pagerduty": (
                PagerDuty(web), f"{base}/v2/enqueue?routing_key=${{SECRET}}", lambda: body()["dedup_key"],
            ),
            "alertmanager": (Alertmanager(web), base, lambda: str(body()[0]["labels"])),
        }[kind]  # fmt: skip
        yield Rig(kind, notifier, url, receiver, lambda: _bodies(receiver), identity)
        await web.close()


@asynccontextmanager
async def _apprise(guard: Guard, within_s: float) -> AsyncIterator[Rig]:
    async with http_receiver(200) as receiver:
        notifier = Apprise(guard, within_s=within_s)
        url = f"json://127.0.0.1:{receiver.port}/?:token=${{SECRET}}"
        yield Rig("apprise", notifier, url, receiver, lambda: _bodies(receiver))
        await notifier.close()


@asynccontextmanager
async def _mail(guard: Guard, within_s: float) -> AsyncIterator[Rig]:
    async with smtp_receiver() as receiver:
        url = f"smtp://127.0.0.1:{receiver.port}?from=sla@example.com&to=ops@example.com"
        notifier = Mail(guard, within_s=within_s)

        def identity() -> str:
            return str(email.message_from_bytes(receiver.last.body)["Message-ID"])

        yield Rig("mail", notifier, url, receiver, lambda: _bodies(receiver), identity)


@asynccontextmanager
async def rig_of(kind: str, guard: Guard | None = None, *, within_s: float = WITHIN_S) -> AsyncIterator[Rig]:
    """A channel of this kind with a server that it may reach unless `guard` says otherwise, within `within_s`."""
    allowing = guard or Guard(LOOPBACK)
    if kind == "console":
        stream = io.StringIO()
        yield Rig(kind, Console(stream), "", Receiver(), stream.getvalue)
    elif kind == "fake":
        fake = FakeNotifier()

        def told() -> str:
            return "\n".join(each.words.subject for each in fake.taken.values())

        yield Rig(kind, fake, "", fake.receiver, told, lambda: ",".join(fake.taken))
    else:
        make = {"apprise": _apprise, "mail": _mail}.get(kind)
        async with make(allowing, within_s) if make is not None else _http(kind, allowing, within_s) as rig:
            yield rig

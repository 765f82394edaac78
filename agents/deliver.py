"""The role `deliver`: hands each message of the outbox to its channel and records what became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

from agents.metrics import Metric
from agents.outbox import Outbox
from agents.port import Port
from agents.role import Context, WorkRole, written_by
from agents.settings import Settings
from agents.shell import line_of
from agents.standalone import app_of
from notifiers.protocol import Delivered, Message, Outcome, Words
from notifiers.registry import Channels, Options, standard
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_send, delivery
from schemas.topics import OUTBOX
from sla.dispatch import Send
from sla.records import Rejection

log = logging.getLogger("forewarn.deliver")


class Deliver:
    """The messages of a batch all at once, their records, then the acknowledgement. A crash may repeat a message.

    A channel that fails is recorded as failed and holds up nobody for longer than its timeout.
    """

    def __init__(self, context: Context, channels: Channels | None = None) -> None:
        """`channels` are those of the registry by default."""
        self._context = context
        self._channels = channels or standard(options_of(context.settings))
        self._port: Port | None = None

    async def start(self, port: Port) -> None:
        """Channels connect when they are used."""
        self._port = port

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Deliver a batch; on return every outcome is on the broker."""
        if self._port is None:
            raise RuntimeError("deliver was not started")
        outbox = Outbox(self._port, self._context.metrics)
        messages: list[Send] = []
        for record in records:
            line = line_of(record)
            message = decode_send(line, self._context.clock.now())
            if isinstance(message, Rejection):
                self._context.metrics.count(Metric.DEAD_LETTERS)
                outbox.add([dead_letter(message, OUTBOX.name, partition, line)])
            elif isinstance(message, Send):
                messages.append(message)
        if messages:
            outcomes = await asyncio.gather(*(self._hand_over(message) for message in messages))
            now = self._context.clock.now()
            for message, outcome in zip(messages, outcomes, strict=True):
                name, detail = ("delivered", None) if isinstance(outcome, Delivered) else ("failed", outcome.detail)
                self._context.metrics.count(Metric.DELIVERIES, outcome=name)
                outbox.add([delivery(message, name, detail, now)])
        await outbox.send()
        await self._port.delivered()

    async def _hand_over(self, message: Send) -> Outcome:
        outcome = await self._channels.hand_over(Message(message, Words(message.subject, message.text)))
        if not isinstance(outcome, Delivered):
            log.warning("%s could not be told by %s: %s", message.stakeholder, message.channel.kind, outcome.detail)
        return outcome

    def forget(self) -> None:
        """Nothing is kept."""

    async def stop(self) -> None:
        """Let go of connections."""
        await self._channels.close()


def options_of(settings: Settings) -> Options:
    """What the settings say of channels."""
    return Options(settings.channels_allowed, settings.forewarn_secrets)


ROLE: Final = WorkRole(name="deliver", source=OUTBOX.name, writes=written_by("deliver"), make_work=Deliver)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

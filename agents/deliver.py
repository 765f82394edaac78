"""The role `deliver`: hands each message of the outbox to its channel and records what became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agents.metrics import Metric
from agents.outbox import Outbox
from agents.port import Port
from agents.role import Context, WorkRole, written_by
from agents.shell import line_of
from agents.standalone import app_of
from notifiers.protocol import Delivered, Failed, Notifier, Outcome
from notifiers.registry import available, hand_over
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_send, delivery
from schemas.topics import OUTBOX
from sla.dispatch import Send
from sla.records import Rejection

log = logging.getLogger("forewarn.deliver")

CHANNEL_WITHIN_S: Final = 30.0


class Deliver:
    """One after the other: the message, its record, then the acknowledgement. A crash may repeat a message.

    A channel that fails is recorded as failed and holds up nobody for longer than its timeout.
    """

    def __init__(self, context: Context, notifiers: Mapping[str, Notifier] | None = None) -> None:
        """`notifiers` by kind of channel; those of the registry by default."""
        self._context = context
        self._notifiers = available() if notifiers is None else notifiers
        self._port: Port | None = None

    async def start(self, port: Port) -> None:
        """Channels connect when they are used."""
        self._port = port

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Deliver a batch; on return every outcome is on the broker."""
        if self._port is None:
            raise RuntimeError("deliver was not started")
        outbox = Outbox(self._port, self._context.metrics)
        for record in records:
            line = line_of(record)
            now = self._context.clock.now()
            message = decode_send(line, now)
            if isinstance(message, Rejection):
                self._context.metrics.count(Metric.DEAD_LETTERS)
                outbox.add([dead_letter(message, OUTBOX.name, partition, line)])
            elif isinstance(message, Send):
                outcome = await self._hand_over(message)
                name, detail = ("failed", outcome.detail) if isinstance(outcome, Failed) else ("delivered", None)
                self._context.metrics.count(Metric.DELIVERIES, outcome=name)
                outbox.add([delivery(message, name, detail, now)])
            await outbox.send()
        await self._port.delivered()

    async def _hand_over(self, message: Send) -> Outcome:
        try:
            async with asyncio.timeout(CHANNEL_WITHIN_S):
                outcome = await hand_over(message, self._notifiers)
        except TimeoutError:
            outcome = Failed(f"the channel did not answer within {CHANNEL_WITHIN_S:g} s")
        if not isinstance(outcome, Delivered):
            log.warning("%s could not be told by %s: %s", message.stakeholder, message.channel.kind, outcome.detail)
        return outcome

    def forget(self) -> None:
        """Nothing is kept."""

    async def stop(self) -> None:
        """Nothing is open."""


ROLE: Final = WorkRole(name="deliver", source=OUTBOX.name, writes=written_by("deliver"), make_work=Deliver)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

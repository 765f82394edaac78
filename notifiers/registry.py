"""Which kinds of channel can be used, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from notifiers.console import Console
from notifiers.protocol import Failed, Notifier, Outcome
from sla.dispatch import Send


def available() -> Mapping[str, Notifier]:
    """A notifier for each kind of channel that this release has."""
    return {"console": Console()}


async def hand_over(message: Send, notifiers: Mapping[str, Notifier]) -> Outcome:
    """Send by the notifier of the message's channel; a kind that nobody serves is a failure that is recorded."""
    notifier = notifiers.get(message.channel.kind)
    if notifier is None:
        return Failed(f"channel not available yet: {message.channel.kind}")
    return await notifier.send(message)

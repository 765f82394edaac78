"""What every channel is: something that takes a message and says what became of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sla.dispatch import Send


class Delivered(NamedTuple):
    """The channel took the message; not that a person saw it."""


class Failed(NamedTuple):
    """The channel did not take it, and why: one line without secrets, for the delivery record."""

    detail: str


Outcome = Delivered | Failed


class Notifier(Protocol):
    """One kind of channel."""

    async def send(self, message: Send) -> Outcome:
        """Hand the message to the channel.

        May be called again with the same `message.id` after a crash; where the channel can tell, nobody is disturbed
        twice. A channel's own trouble is a `Failed`, never an exception.
        """
        ...

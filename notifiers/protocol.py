"""What every channel is: something that takes a message and says what became of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sla.dispatch import Send


class Words(NamedTuple):
    """A message as people read it; `html` is None where there is only plain text."""

    subject: str
    text: str
    html: str | None = None


class Message(NamedTuple):
    """What a channel is to hand on: the decision, and its words."""

    send: Send
    words: Words


class Delivered(NamedTuple):
    """The channel took the message; not that a person saw it."""


class Retry(NamedTuple):
    """It did not work now and may later: why in one line, and the wait that the other side asked for."""

    detail: str
    after_ms: int | None = None


class Failed(NamedTuple):
    """It will not work however often it is tried, and why: one line, for the delivery record."""

    detail: str


Outcome = Delivered | Retry | Failed


class Notifier(Protocol):
    """One kind of channel."""

    async def send(self, message: Message, url: str) -> Outcome:
        """Hand the message to the channel at `url`, whose secrets are filled in; once, without retries of its own.

        May be called again with the same `message.send.id`; where the other side can tell, nobody is disturbed twice.
        It bounds its own time: nobody else does. Raises `Unusable` for a URL that no retry will cure; any other
        exception counts as a `Retry`.
        """
        ...


class Unusable(Exception):  # noqa: N818 - it is the user's mistake, told in full
    """The channel's URL or its secret cannot be used; says what to write."""

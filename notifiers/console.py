"""The console channel: the message in plain lines on standard output, where the worker's operator reads it."""

from __future__ import annotations

import sys
from typing import TextIO

from notifiers.protocol import Delivered, Message, Outcome, Retry


class Console:
    """Writes each message as one block; a terminal never sees control characters that came in with an event."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, by default to the standard output of the moment of the message."""
        self._stream = stream

    async def send(self, message: Message, url: str) -> Outcome:
        """Print the message; it has no URL, and cannot tell a repeat."""
        del url
        stream = self._stream or sys.stdout
        try:
            stream.write(block_of(message))
            stream.flush()
        except (OSError, ValueError) as error:
            return Retry(f"cannot write to the console: {error}")
        return Delivered()


def block_of(message: Message) -> str:
    """The message as printed: who is told and the subject, then the text, indented."""
    send, words = message
    head = f"to {send.stakeholder} ({send.audience}): {words.subject}"
    lines = [head, *(f"  {line}" for line in words.text.split("\n"))]
    return "\n".join(printable(line) for line in lines) + "\n"


def printable(line: str) -> str:
    """The line with every character that a terminal would act on replaced by `?`."""
    return "".join(character if character.isprintable() else "?" for character in line)

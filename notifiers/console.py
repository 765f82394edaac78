"""The console channel: the message in plain lines on standard output, where the worker's operator reads it."""

from __future__ import annotations

import sys
from typing import TextIO

from notifiers.protocol import Delivered, Failed, Outcome
from sla.dispatch import Send


class Console:
    """Writes each message as one block; a terminal never sees control characters that came in with an event."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, by default to the standard output of the moment of the message."""
        self._stream = stream

    async def send(self, message: Send) -> Outcome:
        """Print the message; a closed or full output is a failure."""
        stream = self._stream or sys.stdout
        try:
            stream.write(block_of(message))
            stream.flush()
        except (OSError, ValueError) as error:
            return Failed(f"cannot write to the console: {error}")
        return Delivered()


def block_of(message: Send) -> str:
    """The message as printed: who is told and the subject, then the text, indented."""
    head = f"to {message.stakeholder} ({message.audience}): {message.subject}"
    lines = [head, *(f"  {line}" for line in message.text.split("\n"))]
    return "\n".join(printable(line) for line in lines) + "\n"


def printable(line: str) -> str:
    """The line with every character that a terminal would act on replaced by `?`."""
    return "".join(character if character.isprintable() else "?" for character in line)

"""The console channel: the message in plain lines on standard output, where the worker's operator reads it."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from notifiers.protocol import Delivered, Message, Outcome, Retry


class Console:
    """Writes each message as one block; a terminal never sees control characters that came in with an event."""

    def __init__(self, stream: TextIO | None = None, *, within_s: float = 10.0) -> None:
        """Write to `stream`, by default to the standard output of the moment of the message."""
        self._stream = stream
        self._within_s = within_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="console")

    async def send(self, message: Message, url: str) -> Outcome:
        """Print the message; it has no URL, and cannot tell a repeat.

        In a thread of its own: an output that nobody reads blocks whoever writes, and must not block other channels.
        """
        del url
        try:
            async with asyncio.timeout(self._within_s):
                await asyncio.get_running_loop().run_in_executor(self._thread, self._print, block_of(message))
        except TimeoutError:
            return Retry(f"nobody has read the console for {self._within_s:g} s")
        except (OSError, ValueError) as error:
            return Retry(f"cannot write to the console: {error}")
        return Delivered()

    def _print(self, block: str) -> None:
        stream = self._stream or sys.stdout
        stream.write(block)
        stream.flush()


def block_of(message: Message) -> str:
    """The message as printed: who is told and the subject, then the text, indented."""
    send, words = message
    head = f"to {send.stakeholder} ({send.audience}): {words.subject}"
    lines = [head, *(f"  {line}" for line in words.text.split("\n"))]
    return "\n".join(printable(line) for line in lines) + "\n"


def printable(line: str) -> str:
    """The line with every character that a terminal would act on replaced by `?`."""
    return "".join(character if character.isprintable() else "?" for character in line)

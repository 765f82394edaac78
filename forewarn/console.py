"""How the command line speaks: lines or JSON on standard output, errors and progress on standard error.

One central error type: whatever a user did wrong, or whatever part is away, ends as a `UserError` with what to do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Final

import orjson

Json = Mapping[str, Any]


class ExitCode(IntEnum):
    """design.md 6."""

    FINE = 0
    FINDING = 1
    WRONG_USE = 2
    REFUSES = 3


class UserError(Exception):
    """What went wrong and where (`message`), what to do about it (`hint`), and how the process ends (`code`)."""

    def __init__(self, message: str, hint: str = "", code: ExitCode = ExitCode.WRONG_USE) -> None:
        """Say it in words for a person; both texts are single sentences without a final line break."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


class Console:
    """Where a command prints. With `as_json` each record is one line of JSON and prose is left out."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Print for a program (`as_json`) or for a person."""
        self.as_json = as_json

    def record(self, value: Json, line: str) -> None:
        """One result: the JSON object, or the line that says the same to a person."""
        if self.as_json:
            print_line(orjson.dumps(value).decode())
        else:
            print_line(printable(line))

    def say(self, line: str) -> None:
        """Prose for a person; nothing for a program."""
        if not self.as_json:
            print_line(line)


def print_line(line: str) -> None:
    """One line to standard output, at once: output is often a pipe that somebody watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def printable(line: str) -> str:
    """The line without characters that a terminal would act on: what came in by a topic is not to be trusted."""
    return "".join(character if character.isprintable() else "?" for character in line)


def complain(error: UserError, *, as_json: bool) -> None:
    """The error, on standard error, in the form the caller asked for."""
    if as_json:
        body = {"error": {"message": error.message, "hint": error.hint, "code": int(error.code)}}
        sys.stderr.write(orjson.dumps(body).decode() + "\n")
        return
    sys.stderr.write(f"error: {error.message}\n")
    if error.hint:
        sys.stderr.write(f"  {error.hint}\n")


def warn(line: str) -> None:
    """A remark beside the result, on standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Say on a terminal that long work is going on, and remove that line when it is done; silent elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    sys.stderr.write(f"{what} …")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


_GAP: Final = "  "


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows in columns of equal width, left-aligned, without trailing blanks."""
    lines = [tuple(head), *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return [_GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]

"""Where a replay reads from and writes to."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from forewarn.console import UserError

STANDARD: Final = "-"


@contextmanager
def opened(source: str | BinaryIO) -> Iterator[BinaryIO]:
    """The input as a file that can be read twice: what comes through a pipe is kept in a temporary one."""
    try:
        if not isinstance(source, str):
            yield source
        elif source == STANDARD:
            with _kept(sys.stdin.buffer) as kept:
                yield kept
        else:
            with Path(source).open("rb") as file:
                if file.seekable():
                    yield file
                else:
                    with _kept(file) as kept:
                        yield kept
    except OSError as error:
        raise UserError(
            f"{error.filename or 'the input'}: {error.strerror}", "name a file of JSON lines, or - "
        ) from None


@contextmanager
def _kept(stream: BinaryIO) -> Iterator[BinaryIO]:
    with TemporaryFile("w+b") as kept:
        shutil.copyfileobj(stream, kept)
        kept.seek(0)
        yield kept


@contextmanager
def written(output: str) -> Iterator[Callable[[bytes], object]]:
    """Where lines go: a path, or `-` for standard output, whose reader may leave before the end."""
    if output == STANDARD:
        try:
            yield sys.stdout.buffer.write
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Python flushes once more at its exit; there must be something that takes it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    try:
        file = Path(output).open("wb")  # noqa: SIM115 - closed below; only its opening may be refused
    except OSError as error:
        raise UserError(f"{output}: {error.strerror}", "name a file that can be written, or -") from None
    with file:
        yield file.write

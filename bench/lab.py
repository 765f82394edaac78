"""What a measure is given: a broker when it asks for one, a size, and a way to say how far it is."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from enum import StrEnum
from types import TracebackType
from typing import Self

from bench.machine import cores
from tests.harness.kafka import real_kafka


class Scale(StrEnum):
    """How much is measured."""

    FULL = "full"
    SMOKE = "smoke"  # seconds: shows that a measure works, and its figures mean nothing


class Lab:
    """A context manager; each broker it started ends with it."""

    def __init__(self, scale: Scale, *, is_quiet: bool = False) -> None:
        """`is_quiet`: say nothing of the progress."""
        self.scale = scale
        self._is_quiet = is_quiet
        self._parts = ExitStack()

    def broker(self) -> str:
        """The address of a new, empty Kafka on the cores that are not measured.

        Raises `tests.harness.Missing` where this machine cannot run one. The one before it ends first.
        """
        self._parts.close()
        with cores.pinned(cores.OTHERS):
            return self._parts.enter_context(real_kafka())

    def say(self, line: str) -> None:
        """Progress, on standard error."""
        if not self._is_quiet:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was started."""
        self._parts.close()

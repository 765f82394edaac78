"""A contender as the measures see it: a command, run on the measured core until it says that it has read all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from bench.contenders.task import MARK, Task
from bench.machine import cores, memory
from tests.harness import Process, wait_for

_ROOT: Final = Path(__file__).parents[2]


class Pace(NamedTuple):
    """How one run went."""

    records_count: int
    seconds: float
    cpu_s: float
    peak_bytes: int

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records_count / self.seconds

    @property
    def rate_by_cpu(self) -> float:
        """Records a second of processor time: what the rate would be if nobody else wanted the core."""
        return self.records_count / self.cpu_s


@dataclass(frozen=True, slots=True)
class Contender:
    """Whoever reads the backlog. `share` of the records is enough for who is slow.

    `command` raises `tests.harness.Missing` where this machine cannot run it.
    """

    name: str
    command: Callable[[], Sequence[str]]
    share: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)


def module(name: str) -> Callable[[], Sequence[str]]:
    """The command of a contender that runs in Forewarn's own environment."""
    return lambda: [sys.executable, "-m", f"bench.contenders.{name}"]


def run(contender: Contender, task: Task, within_s: float) -> Pace:
    """One run, in a new process and group; fails with the end of its log when it ends or takes too long."""
    command = contender.command()
    environment = {**task.environment(), **contender.environment}
    with cores.pinned(cores.MEASURED):
        process = Process(command, name=contender.name.replace(" ", "-"), env=environment, cwd=_ROOT)
    with process:
        process.wait_for_log(MARK, within_s=within_s)
        line = _line(process, within_s)
        return Pace(**json.loads(line), peak_bytes=memory.peak_bytes(process.pid))


def _line(process: Process, within_s: float) -> str:
    found: list[str] = []

    def is_whole() -> bool:
        text = process.log.read_text(errors="replace")
        found[:] = [line for line in text.splitlines(keepends=True) if line.startswith(MARK) and line.endswith("\n")]
        return bool(found)

    wait_for(is_whole, f"{process.name} to tell its pace", within_s=within_s, explain=process.log_tail)
    return found[0].removeprefix(MARK)

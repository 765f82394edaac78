"""Forewarn itself: `shell` runs the counting fold, `full` the detector with all that it does, `tickets` the clocks.

Both are roles of their own name, so that each run begins anew: another group, another changelog.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from agents import clock, detect
from agents.app import run
from agents.metrics import Metric, Metrics
from agents.role import Context, FoldRole
from agents.settings import read
from agents.shell import MakeFold
from bench.contenders.counting import Counting
from bench.contenders.task import Stopwatch, Task


def _role(kind: str, task: Task) -> FoldRole:
    def watch(metrics: Metrics) -> None:
        Stopwatch(task, lambda: metrics.value(Metric.RECORDS, topic=task.topic)).start()

    def counting(context: Context) -> MakeFold:
        watch(context.metrics)
        return Counting

    def full(context: Context) -> MakeFold:
        watch(context.metrics)
        return detect.make_fold(context)

    def tickets(context: Context) -> MakeFold:
        watch(context.metrics)
        return clock.make_fold(context)

    if kind == "tickets":
        return replace(clock.ROLE, name=task.name, make_fold=tickets)
    if kind == "shell":
        return FoldRole(name=task.name, source=task.topic, writes=(), key_field="service", make_fold=counting)
    return replace(detect.ROLE, name=task.name, make_fold=full)


if __name__ == "__main__":
    sys.exit(run(read(), _role(sys.argv[1], Task.read())))

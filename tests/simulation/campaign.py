"""Many schedules, on all cores, and the report of them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from schemas.topics import ALERTS, CLOCKS, SHADOW_ALERTS
from tests.simulation.laws import broken
from tests.simulation.mutants import MUTANTS
from tests.simulation.outcome import Outcome
from tests.simulation.schedule import run
from tests.simulation.story import TICKETS_FROM, story
from tests.simulation.ticket_story import ticket_story

Ways = dict[str, list[str]]
"""Broken laws by name, and how each was broken."""


@dataclass(slots=True)
class Verdict:
    """What became of one schedule."""

    seed: int
    broken: Ways
    injected: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0


def judge(seed: int, mutant: str | None = None) -> Verdict:
    """Run one schedule, with a planted bug or without, and hold it against the laws."""
    began = time.process_time()
    planted = None if mutant is None else MUTANTS[mutant]
    told = ticket_story(seed) if seed >= TICKETS_FROM else story(seed)
    outcome = run(told) if planted is None else planted.run(told)
    counts = Counter(
        {
            "oracle": int(told.is_plain),
            "records": _count(outcome, told.source),
            "alerts": _count(outcome, ALERTS.name, SHADOW_ALERTS.name),
            "clocks": _count(outcome, CLOCKS.name),
            "lives": outcome.lives_count,
            "generations": outcome.generations_count,
            "steps": outcome.steps_count,
        }
    )
    return Verdict(seed, broken(outcome), outcome.injected, counts, time.process_time() - began)


def _count(outcome: Outcome, *topics: str) -> int:
    return sum(len(log) for (topic, _), log in outcome.logs.items() if topic in topics)


def deterministic() -> None:
    """Start this program anew with a fixed order of sets, unless it has one: without it a seed is no seed."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(  # noqa: S606 - this very program
            sys.executable, sys.orig_argv, {**os.environ, "PYTHONHASHSEED": "0"}
        )


def judged(seeds: Iterable[int], jobs_count: int) -> Iterator[Verdict]:
    """The verdicts on many seeds, in their order."""
    gc.freeze()
    with ProcessPoolExecutor(jobs_count, multiprocessing.get_context("fork")) as pool:
        yield from pool.map(judge, seeds, chunksize=4)


def killed(mutant: str, seeds: Iterable[int]) -> Verdict | None:
    """The first schedule in which a planted bug breaks a law; None if there is none."""
    gc.freeze()  # a worker that waits for ever collects garbage once a second
    return next((verdict for seed in seeds if (verdict := judge(seed, mutant)).broken), None)

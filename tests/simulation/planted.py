"""`python -m tests.simulation.planted`: every planted bug, and the schedule and law that caught it."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.harness.core import is_compiled
from tests.simulation.campaign import Verdict, deterministic, killed
from tests.simulation.mutants import MUTANTS

SEEDS_MOST = 120


def main() -> int:
    """Exit code 0: all of them are caught; 1: one survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planted", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS_MOST, help="schedules to try at most, for each bug")
    parser.add_argument("--only", default="", help="bugs whose name contains this")
    chosen = parser.parse_args()
    if is_compiled():
        parser.error("nothing can be planted in machine code: `make uncompile` first")
    deterministic()
    names = [name for name in MUTANTS if chosen.only in name]
    survived = 0
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("fork")) as pool:
        for name, verdict in zip(names, pool.map(partial(_killed, seeds_most=chosen.seeds), names), strict=True):
            survived += verdict is None
            sys.stdout.write(f"{name:<42} {shown(verdict)}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(names)} planted, {len(names) - survived} caught, {survived} survived\n")
    return 1 if survived else 0


def _killed(name: str, seeds_most: int) -> Verdict | None:
    first = MUTANTS[name].seeds_from
    return killed(name, range(first, first + seeds_most))


def shown(verdict: Verdict | None) -> str:
    """Who caught it."""
    if verdict is None:
        return "SURVIVED"
    return f"seed {verdict.seed:>3}: {', '.join(law.replace('_', ' ') for law in sorted(verdict.broken))}"


if __name__ == "__main__":
    sys.exit(main())

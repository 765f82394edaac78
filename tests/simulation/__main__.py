"""`python -m tests.simulation --seeds 0..999`: schedules, faults, violations, and how to run a failing seed again.

Seeds from 100,000 on tell of tickets. Without `--seeds`: 1,000 of telemetry and 250 of tickets.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter

from tests.harness.core import outdated
from tests.simulation.campaign import Verdict, deterministic, judged
from tests.simulation.story import TICKETS_FROM

SHOWN = 3


TICKETS_COUNT = 250


def seeds_of(text: str) -> list[int]:
    """`7`, `0..999`, both included, or several of these with commas between them."""
    spans = [part.partition("..") for part in text.split(",")]
    return [seed for first, _, last in spans for seed in range(int(first), int(last or first) + 1)]


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show(verdict: Verdict) -> None:
    """A schedule that broke a law."""
    tell(f"seed {verdict.seed} breaks {len(verdict.broken)} law(s)")
    for law, ways in verdict.broken.items():
        tell(f"  {law}: {len(ways)}")
        for way in ways[:SHOWN]:
            tell(f"    {way}")
    tell(f"  again: make simulate ARGS='--seeds {verdict.seed}'")


def main() -> int:
    """Exit code 0: no law is broken; 1: some are."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, help="0..999, both included; one number for one; 3,7,20..29")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    chosen = parser.parse_args()
    if finding := outdated():
        parser.error(finding)
    deterministic()
    every = [*range(1000), *range(TICKETS_FROM, TICKETS_FROM + TICKETS_COUNT)]
    seeds = every if chosen.seeds is None else chosen.seeds
    began = time.monotonic()
    injected: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    failed: list[Verdict] = []
    cpu_s = 0.0
    for verdict in judged(seeds, chosen.jobs):
        injected += verdict.injected
        counts += verdict.counts
        cpu_s += verdict.cpu_s
        if verdict.broken:
            failed.append(verdict)
            show(verdict)
    report(len(seeds), counts, injected, failed, time.monotonic() - began, cpu_s)
    return 1 if failed else 0


def report(
    schedules_count: int,
    counts: Counter[str],
    injected: Counter[str],
    failed: list[Verdict],
    seconds: float,
    cpu_s: float,
) -> None:
    """The summary that docs/reliability.md holds."""
    tell(f"schedules   {schedules_count:>9,}   in {seconds:.0f} s ({cpu_s:.0f} s of processor time)")
    for name in ("oracle", "records", "alerts", "clocks", "lives", "generations", "steps"):
        tell(f"{name:<11} {counts[name]:>9,}")
    tell("injected")
    for name, count in sorted(injected.items()):
        tell(f"  {name:<18} {count:>7,}")
    tell(f"violations  {sum(len(verdict.broken) for verdict in failed):>9,}   in {len(failed)} schedules")


if __name__ == "__main__":
    sys.exit(main())

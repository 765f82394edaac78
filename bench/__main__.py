"""`python -m bench [MEASURE …]`: run measures, print their tables, write bench/out/results.json.

Exit codes: 0 all was measured (whatever the figures), 1 a measure could not run, 2 wrong use.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

import pytest
from rich.console import Console

from bench.lab import Lab, Scale
from bench.measures.all import ALL, BY_NAME
from bench.report.results import PATH, Results
from bench.report.tables import show
from tests.harness import Missing
from tests.harness.core import outdated


def _options() -> argparse.ArgumentParser:
    minutes = sum(measure.minutes for measure in ALL)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"Side-by-side measurements; all of them take at most {minutes} minutes.",
        epilog="\n".join(f"{measure.name:<10} {measure.asks} (≤ {measure.minutes} min)" for measure in ALL),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help="those below; all if none is named")
    return parser


def main() -> int:
    """See the module."""
    parser = _options()
    names = parser.parse_args().measures or list(BY_NAME)
    if finding := outdated():
        parser.error(finding)
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        parser.error(f"there is no measure {', '.join(unknown)}: choose from {', '.join(BY_NAME)}")
    console, results, failed_count = Console(), Results(), 0
    with Lab(Scale.FULL) as lab:
        for name in names:
            measure = BY_NAME[name]
            lab.say(f"{name}: at most {measure.minutes} minutes")
            try:
                found = measure.run(lab)
            except (Missing, RuntimeError, pytest.fail.Exception) as failed:  # the last is how the harness fails
                console.print(f"{name} was not measured: {failed}", highlight=False)
                failed_count += 1
                continue
            results.put(measure, found, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
            show(console, measure, found)
    console.print(f"\nwritten to {PATH.relative_to(PATH.parents[2])}", highlight=False)
    return 1 if failed_count else 0


if __name__ == "__main__":
    sys.exit(main())

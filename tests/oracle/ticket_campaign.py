"""`python -m tests.oracle.ticket_campaign --seeds 0..200`: random tickets through the oracle and `forewarn replay`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from forewarn.replay.run import run

from .campaign import seeds_of, write
from .clock_compare import clock_differences
from .clocks import Told, told_of
from .replayed import log
from .ticket_workload import ticket_workload
from .workload import Workload

SHOWN = 12


def printed(case: Workload, folder: Path) -> list[dict[str, Any]]:
    """What the product makes of it."""
    definitions, source = write(case, folder)
    output = folder / "told.jsonl"
    run([definitions], str(source), str(output), tick_ms=case.tick_ms)
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def expected(case: Workload) -> Told:
    """What the oracle does."""
    earliest, last = case.lines[0]["timestamp"], case.lines[-1]["timestamp"]
    first_tick = -(-earliest // case.tick_ms) * case.tick_ms
    lines = [line for line in case.lines if line["topic"] == "sla.tickets.v1"]
    return told_of(case.definitions, log(lines, first_tick, last, case.tick_ms), case.tick_ms, dict(case.revisions))


def unlike(seed: int, folder: Path) -> tuple[list[str], Counter[str]]:
    """The differences of a seed, and what was compared."""
    case = ticket_workload(seed)
    wanted, told = expected(case), printed(case, folder)
    found = clock_differences(wanted, told)
    letters = {one["value"]["offset"]: one["value"] for one in told if one["topic"] == "sla.dlq.v1"}
    found += [f"dead letter: {letters[offset]['detail']}" for offset in letters.keys() - set(wanted.refused)]
    found += [f"no dead letter at offset {offset}" for offset in set(wanted.refused) - letters.keys()]
    counts = Counter(each["value"]["type"].removeprefix("forewarn.").removesuffix(".v1") for each in wanted.events)
    in_the_end = len(wanted.facts.keys() - wanted.orderly)
    return found, counts + Counter(exact=len(wanted.orderly), refused=len(wanted.refused), in_the_end=in_the_end)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default=range(200), help="0..199, both included")
    parser.add_argument("--keep", type=Path, help="a folder to keep definitions, inputs and outputs in")
    chosen = parser.parse_args()
    failed, total = 0, Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        for seed in chosen.seeds:
            folder = (chosen.keep or Path(temporary)) / str(seed)
            folder.mkdir(parents=True, exist_ok=True)
            found, counts = unlike(seed, folder)
            failed, total = failed + bool(found), total + counts
            for line in [f"seed {seed}: {len(found)} differences", *found[:SHOWN]] if found else []:
                sys.stdout.write(f"  {line}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{failed} of {len(chosen.seeds)} seeds differ; compared {dict(total)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

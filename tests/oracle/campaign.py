"""`python -m tests.oracle.campaign --seeds 0..50`: random workloads through the oracle and `forewarn replay`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from .compare import TOPICS, differences
from .detect import Outcome, run
from .forecast_workload import looking_ahead
from .hours_workload import hours_workload
from .late_workload import held_back
from .workload import Workload, workload

REPLAY_DEADLINE_S = 300


def write(case: Workload, folder: Path) -> tuple[Path, Path]:
    definitions, log = folder / "definitions.yaml", folder / "input.jsonl"
    definitions.write_text(yaml.safe_dump_all(case.definitions, sort_keys=False), encoding="utf-8")
    log.write_text("".join(json.dumps(line) + "\n" for line in case.lines), encoding="utf-8")
    return definitions, log


def replayed(definitions: Path, log: Path, tick_ms: int) -> list[dict[str, Any]]:
    """What the product prints for the same input. Raises CalledProcessError with its own words when it refuses."""
    command = [sys.executable, "-m", "forewarn", "replay", "--definitions", str(definitions), "--input", str(log)]
    finished = subprocess.run(
        [*command, "--tick", f"{tick_ms // 1000}s"],
        check=True,
        capture_output=True,
        text=True,
        timeout=REPLAY_DEADLINE_S,
    )
    return [json.loads(line) for line in finished.stdout.splitlines() if line]


def unlike(outcome: Outcome, told: list[dict[str, Any]]) -> list[str]:
    found = differences([event for _, event in outcome.alerts], told)
    late = [(one["value"]["late_ms"], one["value"]["counted"], one["value"]["offset"]) for _, one in outcome.late]
    told_late = [
        (one["value"]["late_ms"], one["value"]["counted"], one["value"]["offset"])
        for one in told
        if one["topic"] == "sla.late.v1"
    ]
    gaps = [(one["value"]["from"], one["value"]["to"]) for _, one in outcome.gaps]
    told_gaps = [
        (one["value"]["from"], one["value"]["to"]) for one in told if one["value"].get("type") == "detector_gap"
    ]
    found += [f"late: missing {one}" for one in late if one not in told_late]
    found += [f"late: unexpected {one}" for one in told_late if one not in late]
    found += [f"gap: missing {one}" for one in gaps if one not in told_gaps]
    found += [f"gap: unexpected {one}" for one in told_gaps if one not in gaps]
    found += [f"dead letter: {one['value']['detail']}" for one in told if one["topic"] == "sla.dlq.v1"]
    return found


def seeds_of(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def one_seed(
    seed: int,
    folder: Path,
    *,
    in_hours: bool = False,
    is_late: bool = False,
    looks_ahead: bool = False,
    oracle_only: bool = False,
) -> list[str]:
    case = hours_workload(seed) if in_hours else workload(seed)
    if looks_ahead:
        case = looking_ahead(seed, case)
    if is_late:
        case = held_back(seed, case)
    outcome = run(case.definitions, case.lines, case.tick_ms)
    definitions, log = write(case, folder)
    kinds = Counter(event["value"]["type"].split(".")[1] for _, event in outcome.alerts)
    sizes = f"{len(case.lines)} lines, late {len(outcome.late)}, gaps {len(outcome.gaps)}"
    sys.stdout.write(f"seed {seed}: {sizes}, expected {dict(kinds)}\n")
    if oracle_only:
        return []
    try:
        told = replayed(definitions, log, case.tick_ms)
    except subprocess.CalledProcessError as refused:
        words = (refused.stderr or refused.stdout).strip().splitlines()
        return [f"replay ended with {refused.returncode}: {words[-1] if words else 'no words'}"]
    (folder / "told.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told if one["topic"] in TOPICS))
    return unlike(outcome, told)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default=range(50), help="0..50, both included")
    parser.add_argument("--hours", action="store_true", help="promises that count in the hours of a calendar")
    parser.add_argument("--late", action="store_true", help="with probes that are cut off now and then")
    parser.add_argument("--forecast", action="store_true", help="with the rule forecast, and days of the past")
    parser.add_argument("--keep", type=Path, help="a folder to keep definitions, inputs and outputs in")
    parser.add_argument("--oracle-only", action="store_true", help="show what is expected, run nothing else")
    parser.add_argument("--show", type=int, default=20, help="differences shown per seed")
    chosen = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        for seed in chosen.seeds:
            folder = (chosen.keep or Path(temporary)) / str(seed)
            folder.mkdir(parents=True, exist_ok=True)
            found = one_seed(
                seed,
                folder,
                in_hours=chosen.hours,
                is_late=chosen.late,
                looks_ahead=chosen.forecast,
                oracle_only=chosen.oracle_only,
            )
            failed += bool(found)
            for line in found[: chosen.show]:
                sys.stdout.write(f"  {line}\n")
            if len(found) > chosen.show:
                sys.stdout.write(f"  … and {len(found) - chosen.show} more\n")
            sys.stdout.flush()
    sys.stdout.write(f"{failed} of {len(chosen.seeds)} seeds differ\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

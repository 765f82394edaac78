"""How much slower `forewarn replay` is than a bare loop of `json.loads` over the same file."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final, NamedTuple

import orjson
import yaml

from bench.lab import Lab, Scale
from bench.machine import cores
from bench.measures.measure import Found, Measure, ratio_of_pairs
from bench.workload.fleet import Fleet
from bench.workload.instants import START_AT, iso
from bench.workload.traffic import Traffic
from schemas.topics import TELEMETRY
from sla.units import MINUTE_MS

_ROOT: Final = Path(__file__).parents[2]
_SPAN_MS: Final = 10 * MINUTE_MS
_WITHIN_S: Final = 300
_BARE: Final = "import json, sys\nfor line in open(sys.argv[1]): json.loads(line)"


class _Size(NamedTuple):
    fleet: Fleet
    records_count: int
    pairs_count: int


class _Spent(NamedTuple):
    seconds: float
    cpu_s: float


_SIZES: Final = {
    Scale.FULL: _Size(Fleet(1_000, 2), 1_000_000, 3),
    Scale.SMOKE: _Size(Fleet(20, 2), 5_000, 1),
}


def _measured(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    with tempfile.TemporaryDirectory(prefix="forewarn-bench-") as name:
        folder = Path(name)
        source, definitions, output = folder / "in.jsonl", folder / "fleet.yaml", folder / "out.jsonl"
        _write(source, size)
        definitions.write_text(yaml.safe_dump_all(size.fleet.documents()))
        bare = [sys.executable, "-c", _BARE, str(source)]
        options = ["--definitions", str(definitions), "--input", str(source), "--output", str(output)]
        replay = [sys.executable, "-m", "forewarn", "replay", *options]
        pairs = []
        for number in range(size.pairs_count):
            pairs.append((_spent(replay), _spent(bare)))
            lab.say(f"pair {number + 1}: replay {pairs[-1][0].seconds:.1f} s, bare {pairs[-1][1].seconds:.2f} s")
        published_count = sum(1 for _ in output.open("rb"))
    figures = {
        "replay_over_json_loads": ratio_of_pairs([(one.seconds, other.seconds) for one, other in pairs]),
        "replay_over_json_loads_by_cpu": ratio_of_pairs([(one.cpu_s, other.cpu_s) for one, other in pairs]),
        "replay_published_count": float(published_count),
    }
    rows = [
        [
            *(f"{number:.2f}" for number in (one.seconds, other.seconds, one.seconds / other.seconds)),
            *(f"{number:.2f}" for number in (one.cpu_s, other.cpu_s, one.cpu_s / other.cpu_s)),
        ]
        for one, other in pairs
    ]
    return Found(figures, ("replay s", "json.loads s", "times", "replay CPU s", "json.loads CPU s", "times"), rows)


def _write(path: Path, size: _Size) -> None:
    """A recording as of `sla.telemetry.v1`, of ten minutes."""
    traffic = Traffic(size.fleet)
    with path.open("wb") as file:
        for number in range(size.records_count):
            at = START_AT + number * _SPAN_MS // size.records_count
            key, value = traffic.record(number, iso(at))
            line = {"topic": TELEMETRY.name, "key": key.decode(), "value": orjson.Fragment(value), "timestamp": at}
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _spent(command: Sequence[str]) -> _Spent:
    with cores.pinned(cores.MEASURED):
        began_at, before = time.monotonic(), getrusage(RUSAGE_CHILDREN)
        subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, timeout=_WITHIN_S)
        after = getrusage(RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Spent(time.monotonic() - began_at, cpu_s)


MEASURE: Final = Measure(
    name="replaying",
    asks="a replay of a million counts, against a bare json.loads loop",
    keys=("replay_over_json_loads", "replay_over_json_loads_by_cpu", "replay_published_count"),
    minutes=5,
    run=_measured,
)

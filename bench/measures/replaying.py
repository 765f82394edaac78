"""How much slower `forewarn replay` is than a bare loop of `json.loads` over the same file."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
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
            pairs.append((_seconds(replay), _seconds(bare)))
            lab.say(f"pair {number + 1}: replay {pairs[-1][0]:.1f} s, bare {pairs[-1][1]:.2f} s")
        published_count = sum(1 for _ in output.open("rb"))
    times = ratio_of_pairs(pairs)
    rows = [[f"{replay_s:.2f}", f"{bare_s:.2f}", f"{replay_s / bare_s:.1f}"] for replay_s, bare_s in pairs]
    figures = {"replay_over_json_loads": times, "replay_published_count": float(published_count)}
    return Found(figures, ("replay s", "json.loads s", "times"), rows)


def _write(path: Path, size: _Size) -> None:
    """A recording as of `sla.telemetry.v1`, of ten minutes."""
    traffic = Traffic(size.fleet)
    with path.open("wb") as file:
        for number in range(size.records_count):
            at = START_AT + number * _SPAN_MS // size.records_count
            key, value = traffic.record(number, iso(at))
            line = {"topic": TELEMETRY.name, "key": key.decode(), "value": orjson.Fragment(value), "timestamp": at}
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _seconds(command: Sequence[str]) -> float:
    with cores.pinned(cores.MEASURED):
        began_at = time.monotonic()
        subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, timeout=_WITHIN_S)
        return time.monotonic() - began_at


MEASURE: Final = Measure(
    name="replaying",
    asks="a replay of a million counts, against a bare json.loads loop",
    keys=("replay_over_json_loads", "replay_published_count"),
    minutes=5,
    run=_measured,
)

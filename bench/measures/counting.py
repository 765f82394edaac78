"""The same job side by side: the records a second that each contender counts on one core.

A round runs every contender once, and a ratio is taken within its round.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import Final, NamedTuple

from bench.contenders import entrants
from bench.contenders.contender import Contender, Pace, run
from bench.contenders.task import Task
from bench.lab import Lab, Scale
from bench.measures.measure import Found, Measure, ratio_of_pairs
from bench.workload.backlog import PARTITIONS, Backlog, begun, empty_changelog
from bench.workload.fleet import Fleet
from schemas.topics import TELEMETRY
from tests.harness import Missing, unique


class _Size(NamedTuple):
    fleet: Fleet
    records_count: int
    rounds_count: int
    contenders: tuple[Contender, ...]


_SIZES: Final = {
    Scale.FULL: _Size(Fleet(1_000, 3), 4_000_000, 3, entrants.ALL),
    Scale.SMOKE: _Size(Fleet(20, 3), 20_000, 1, (entrants.BARE, entrants.SHELL, entrants.FULL)),
}
_RUN_WITHIN_S: Final = 150.0

RATIOS: Final = {
    "shell_over_bare": (entrants.SHELL, entrants.BARE),
    "full_over_bare": (entrants.FULL, entrants.BARE),
    "full_over_stock": (entrants.FULL, entrants.STOCK_WITH_TABLE),
    "full_over_kafka_streams": (entrants.FULL, entrants.KAFKA_STREAMS),
    "full_over_quix": (entrants.FULL, entrants.QUIX),
}
BY_CPU: Final = "_by_cpu"  # the same by processor time, for a machine that has other things to do
RATES: Final = {
    "bare_records_per_s": entrants.BARE,
    "shell_records_per_s": entrants.SHELL,
    "full_records_per_s": entrants.FULL,
}


def _measured(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    bootstrap = lab.broker()
    lab.say(f"producing {size.records_count:,} records of {size.fleet.services_count:,} services")
    backlog = begun(bootstrap, size.fleet)
    backlog.produce(size.records_count)
    paces: defaultdict[str, list[Pace]] = defaultdict(list)
    skipped: dict[str, str] = {}
    for number in range(size.rounds_count):
        for contender in size.contenders:
            if contender.name in skipped:
                continue
            try:
                pace = run(contender, _prepared(backlog, contender, size.records_count), _RUN_WITHIN_S)
            except Missing as missing:
                skipped[contender.name] = str(missing)
                lab.say(f"without {contender.name}: {missing}")
                continue
            paces[contender.name].append(pace)
            lab.say(f"round {number + 1}: {contender.name} {pace.rate:,.0f} records/s")
    return Found(
        _figures(paces),
        ("contender", "records/s", "of bare", "of bare by CPU", "CPU s per M", "peak MiB"),
        _rows(paces),
        skipped,
    )


def _prepared(backlog: Backlog, contender: Contender, records_count: int) -> Task:
    """The task of one run; Forewarn finds a changelog, the detector one with thirty days of every stream."""
    name = unique("bench")
    if contender in (entrants.SHELL, entrants.FULL):
        empty_changelog(backlog.bootstrap, name)
    if contender is entrants.FULL:
        backlog.fill_changelog(name)
    count = int(records_count * contender.share)
    return Task(backlog.bootstrap, TELEMETRY.name, PARTITIONS, count, name)


def _figures(paces: dict[str, list[Pace]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for key, (first, second) in RATIOS.items():
        if first.name in paces and second.name in paces:  # else one of them was skipped
            figures[key], figures[key + BY_CPU] = _ratios(paces[first.name], paces[second.name])
    rates = {key: median(pace.rate for pace in paces[contender.name]) for key, contender in RATES.items()}
    return figures | rates


def _ratios(first: list[Pace], second: list[Pace]) -> tuple[float, float]:
    """By the clock, and by processor time."""
    rounds = list(zip(first, second, strict=True))
    return (
        ratio_of_pairs([(one.rate, other.rate) for one, other in rounds]),
        ratio_of_pairs([(one.rate_by_cpu, other.rate_by_cpu) for one, other in rounds]),
    )


def _rows(paces: dict[str, list[Pace]]) -> list[list[str]]:
    return [
        [
            name,
            f"{median(pace.rate for pace in found):,.0f}",
            *(f"{ratio:.3f}" for ratio in _ratios(found, paces[entrants.BARE.name])),
            f"{median(1e6 / pace.rate_by_cpu for pace in found):.2f}",
            f"{max(pace.peak_bytes for pace in found) / (1 << 20):.0f}",
        ]
        for name, found in paces.items()
    ]


MEASURE: Final = Measure(
    name="counting",
    asks="records a second on one core, side by side",
    keys=(*RATIOS, *(key + BY_CPU for key in RATIOS), *RATES),
    minutes=8,
    run=_measured,
)

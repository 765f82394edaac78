"""How the work of a fold grows with services, objectives, records and the share of bad ones.

An exponent of 1 is linear; below it, twice as much costs less than twice. In memory, without a broker.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import log
from statistics import linear_regression, median
from typing import Final, NamedTuple

from bench.lab import Lab, Scale
from bench.measures.measure import Found, Measure
from bench.workload.fleet import Fleet
from bench.workload.instants import START_AT
from bench.workload.seasoned import Seasoned
from bench.workload.traffic import BAD_SHARE
from sla.units import SECOND_MS

_BATCH_COUNT: Final = 2_000  # as the transport hands them out


class _Load(NamedTuple):
    fleet: Fleet
    records_count: int
    bad_share: float = BAD_SHARE


class _Size(NamedTuple):
    services: Sequence[int]
    promises: Sequence[int]
    records: Sequence[int]
    bad_shares: Sequence[float]
    seconds: int  # of log time, each with a decision
    runs: int  # of which the median counts; each begins with a season


_SIZES: Final = {
    Scale.FULL: _Size((200, 400, 800), (1, 3, 9), (50_000, 100_000, 200_000), (0.0, 0.02, 0.2, 0.8), 10, 3),
    Scale.SMOKE: _Size((5, 10), (1, 2), (500, 1_000), (0.0, 0.5), 2, 1),
}
_KEYS: Final = ("growth_services", "growth_objectives", "growth_records", "growth_bad_share")


def _seconds(load: _Load, log_s: int) -> float:
    """Processor time for the records, spread over `log_s` seconds of log time."""
    feed = Seasoned(load.fleet.catalogue(), load.fleet, START_AT).feed(load.bad_share)
    feed.tick(SECOND_MS)
    feed.apply(feed.records(load.fleet.services_count, 0))  # every stream is known to the short way
    records = feed.records(load.records_count, log_s * SECOND_MS * 1000 // load.records_count)
    began_s = time.process_time()
    for start in range(0, len(records), _BATCH_COUNT):
        feed.apply(records[start : start + _BATCH_COUNT])
    return time.process_time() - began_s


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of cost over size, both as logarithms."""
    return linear_regression([log(size) for size in sizes], [log(cost) for cost in costs]).slope


def _measured(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    services, promises, records = size.services[0], size.promises[0], size.records[0]
    series: dict[str, list[tuple[float, _Load]]] = {
        "growth_services": [(count, _Load(Fleet(count, promises), records)) for count in size.services],
        "growth_objectives": [(count, _Load(Fleet(services, count), records)) for count in size.promises],
        "growth_records": [(count, _Load(Fleet(services, promises), count)) for count in size.records],
        "growth_bad_share": [(share, _Load(Fleet(services, promises), records, share)) for share in size.bad_shares],
    }
    figures: dict[str, float] = {}
    rows: list[list[str]] = []
    for key, loads in series.items():
        costs = [median(_seconds(load, size.seconds) for _ in range(size.runs)) for _, load in loads]
        sizes = [number for number, _ in loads]
        figures[key] = costs[-1] / costs[0] if key == "growth_bad_share" else exponent(sizes, costs)
        rows += [
            [key.removeprefix("growth_").replace("_", " "), f"{number:g}", f"{cost / load.records_count * 1e6:.2f}"]
            for (number, load), cost in zip(loads, costs, strict=True)
        ]
        lab.say(f"{key}: {figures[key]:.2f}")
    return Found(figures, ("of", "how many", "CPU µs per record"), rows)


MEASURE: Final = Measure(
    name="growth",
    asks="how the fold's work grows: exponents, and the most bad records over none",
    keys=_KEYS,
    minutes=3,
    run=_measured,
)

"""How long it takes from a record on the broker to the alert that it causes, with other traffic beside it.

Both instants are the broker's: it stamps the record and the alert.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from statistics import quantiles
from typing import Final, NamedTuple

import orjson

from bench.contenders.worker import Worker
from bench.lab import Lab, Scale
from bench.machine import cores
from bench.measures.measure import Found, Measure
from bench.workload.backlog import PARTITIONS, begun
from bench.workload.fleet import Fleet
from bench.workload.stream import LiveTraffic, Probes
from forewarn.kafka import read_to_end
from schemas.topics import ALERTS
from tests.harness import Broker, wait_for

_BAD_COUNT: Final = 10_000_000  # far more than what a seasoned stream may spend in thirty days
_WITHIN_S: Final = 60.0
_SETTLE_S: Final = 3.0  # of traffic before the first probe and after the last


class _Size(NamedTuple):
    services_count: int
    probes_count: int  # at each rate
    seconds: int  # a whole minute lies in each minute: then all promises are looked at
    rates: tuple[int, ...]
    steps: tuple[str, ...]


_SIZES: Final = {
    Scale.FULL: _Size(1_000, 250, 60, (0, 20_000, 100_000), ("1s", "100ms")),
    Scale.SMOKE: _Size(10, 5, 2, (0, 20_000), ("100ms",)),
}
_STEPS: Final = {"1s": "", "100ms": "_at_100ms"}
_RATES: Final = {0: "0", 20_000: "20k", 100_000: "100k"}
_KEYS: Final = tuple(
    f"latency_{share}_ms_{rate}{ending}"
    for ending in _STEPS.values()
    for rate in _RATES.values()
    for share in ("p50", "p99")
)


def _measured(lab: Lab) -> Found:
    size = _SIZES[lab.scale]
    figures: dict[str, float] = {}
    rows: list[list[str]] = []
    for step in size.steps:
        ending = _STEPS[step]
        for rate, waits in _waits(lab, size, step):
            cuts = quantiles(waits, n=100, method="inclusive")
            figures |= {f"latency_p{n}_ms_{_RATES[rate]}{ending}": float(cuts[n - 1]) for n in (50, 99)}
            rows.append([step, f"{rate:,}", f"{cuts[49]:.0f}", f"{cuts[98]:.0f}", f"{max(waits):.0f}", f"{len(waits)}"])
            lab.say(f"decisions each {step}, {rate:,} records/s: p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms")
    return Found(figures, ("decisions each", "records/s", "p50 ms", "p99 ms", "longest ms", "alerts"), rows)


def _waits(lab: Lab, size: _Size, step: str) -> Iterator[tuple[int, list[int]]]:
    """Each rate, with the milliseconds from each probe to its alert."""
    bootstrap = lab.broker()
    Broker("real", bootstrap).create_topics({ALERTS.name: PARTITIONS}, {"message.timestamp.type": "LogAppendTime"})
    fleet = Fleet(size.services_count + size.probes_count * len(size.rates), 3, step)
    backlog = begun(bootstrap, fleet)
    backlog.fill_changelog("detect")
    probed = fleet.services[size.services_count :]
    with cores.pinned(cores.OTHERS), Worker(bootstrap) as worker:
        worker.wait_loaded(PARTITIONS, _WITHIN_S)
        for number, rate in enumerate(size.rates):
            services = probed[number * size.probes_count : (number + 1) * size.probes_count]
            traffic = LiveTraffic(bootstrap, Fleet(size.services_count, 3), rate)
            appended_at = _probe(bootstrap, traffic, services, size.seconds)
            yield rate, _alerted(bootstrap, appended_at, worker)


def _probe(bootstrap: str, traffic: LiveTraffic, services: list[str], seconds: int) -> dict[str, int]:
    """Send the probes at random moments; service → append time."""
    random = Random(seconds)  # noqa: S311 - moments that have nothing to do with a second's edge
    moments = sorted(_SETTLE_S + random.random() * seconds for _ in services)
    probes, waiting = Probes(bootstrap), iter(zip(moments, services, strict=True))
    due = next(waiting, None)
    for passed_s in traffic.turns(seconds + 2 * _SETTLE_S):
        while due is not None and due[0] <= passed_s:
            probes.send(due[1], _BAD_COUNT)
            due = next(waiting, None)
    probes.close()
    return probes.appended_at


def _alerted(bootstrap: str, appended_at: dict[str, int], worker: Worker) -> list[int]:
    """Milliseconds from each probe to its alert."""
    wait_for(
        lambda: appended_at.keys() <= _breaches(bootstrap).keys(),
        "an alert for each probe",
        within_s=_WITHIN_S,
        explain=worker.log_tail,
    )
    told_at = _breaches(bootstrap)
    return [told_at[service] - at for service, at in appended_at.items()]


def _breaches(bootstrap: str) -> dict[str, int]:
    """Service → when the first breach of its first promise was appended."""
    told_at: dict[str, int] = {}
    for record in read_to_end({"bootstrap.servers": bootstrap}, ALERTS.name):
        event = orjson.loads(record.value or b"{}")
        if event["type"] == "forewarn.breach.v1" and event["data"]["objective"]["name"].endswith("-promise-0"):
            told_at.setdefault(event["data"]["service"], record.timestamp_ms)
    return told_at


MEASURE: Final = Measure(
    name="latency",
    asks="milliseconds from a record on the broker to its alert on the topic",
    keys=_KEYS,
    minutes=11,
    run=_measured,
)

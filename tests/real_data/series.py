"""The NAB series as telemetry: `python -m tests.real_data.series > series.jsonl` writes the input of a replay."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from schemas.topics import TELEMETRY

DATA: Final = Path(os.environ.get("FOREWARN_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
"""The series are not shipped with the repository: they lie beside it, or where the variable says."""
NAME: Final = "nab_cpu_utilization_asg_misconfiguration"
SERVICE: Final = "web-cluster"
SIGNAL: Final = "cpu_percent"
CHOOSING: Final = timedelta(days=28)
"""Limit and targets are derived from this much of the series, and from no more of it."""


class Sample(NamedTuple):
    """One measurement."""

    at: datetime
    percent: float


class Stretch(NamedTuple):
    """A part of the series, [start, end)."""

    name: str
    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.start <= at < self.end

    @property
    def days(self) -> float:
        """Its length."""
        return (self.end - self.start) / timedelta(days=1)


def instant(text: str) -> datetime:
    """An instant of the data set, which names no zone: UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@cache
def samples() -> tuple[Sample, ...]:
    """CPU use in percent, in order of time."""
    with (DATA / f"{NAME}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Sample(instant(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file))


def label() -> tuple[datetime, datetime]:
    """The labelled anomaly."""
    ((start, end),) = json.loads((DATA / f"{NAME}.windows.json").read_text(encoding="utf-8"))
    return instant(start), instant(end)


def stretches() -> list[Stretch]:
    """The whole series: what the definitions were chosen from, what is calm after that, what is labelled."""
    first_day = samples()[0].at.replace(hour=0, minute=0)
    chosen = first_day + CHOOSING
    start, end = label()
    return [
        Stretch("first four weeks", first_day, chosen),
        Stretch("calm after that", chosen, start),
        Stretch("labelled", start, end + timedelta(minutes=5)),  # the label names its last sample
    ]


def lines() -> Iterator[str]:
    """Each sample as a record of `sla.telemetry.v1`, written when it was measured."""
    for sample in samples():
        at = int(sample.at.timestamp()) * 1000
        value = {"type": "sample", "service": SERVICE, "signal": SIGNAL, "at": at, "value": sample.percent}
        yield json.dumps({"topic": TELEMETRY.name, "key": SERVICE, "value": value, "timestamp": at})


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())

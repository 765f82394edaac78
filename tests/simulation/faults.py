"""What can go wrong, as values: a closed union, and a plan of it drawn from a seed. Instants are seconds of the run."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, slots=True)
class Crash:
    """kill -9 after so many more callbacks of the worker: between any two awaits."""

    at: float
    worker: str
    after_callbacks: int


@dataclass(frozen=True, slots=True)
class CrashInFlush:
    """kill -9 when so many more heads were handed to the producer: a flush that arrives in part."""

    at: float
    worker: str
    after_heads: int


@dataclass(frozen=True, slots=True)
class Join:
    """One more worker of a role."""

    at: float
    role: str


@dataclass(frozen=True, slots=True)
class Leave:
    """SIGTERM; the worker is back after a while."""

    at: float
    worker: str
    away_s: float


@dataclass(frozen=True, slots=True)
class Rebalance:
    """Partitions are dealt anew: each stays where it was if it can, or they are shuffled."""

    at: float
    role: str
    is_sticky: bool


@dataclass(frozen=True, slots=True)
class Freeze:
    """SIGSTOP, then SIGCONT: beyond the session (10 s) it wakes as a zombie and writes on."""

    at: float
    worker: str
    for_s: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The network reaches a worker no more; the worker runs on."""

    at: float
    worker: str
    for_s: float


@dataclass(frozen=True, slots=True)
class BrokerAway:
    """Nobody reaches the broker."""

    at: float
    for_s: float


@dataclass(frozen=True, slots=True)
class SendsDelayed:
    """Each record of a worker takes up to 8 s longer to arrive; `is_full`: its producer takes no more meanwhile."""

    at: float
    worker: str
    for_s: float
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class SendFails:
    """The broker refuses one record for good."""

    at: float
    worker: str


@dataclass(frozen=True, slots=True)
class Compaction:
    """The changelogs are compacted now, as far as their lag allows."""

    at: float


@dataclass(frozen=True, slots=True)
class Redelivery:
    """The consumer seeks back to what was committed, and all since then is delivered again."""

    at: float
    worker: str


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A worker's clock jumps: the stamps of its ticks."""

    at: float
    worker: str
    by_ms: int


@dataclass(frozen=True, slots=True)
class VoidApply:
    """An apply that lost: its base is no longer in force, or its commit counts documents that are not there."""

    at: float


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """A new revision is applied; number `change` of the story's."""

    at: float
    change: int


Fault = (
    Crash
    | CrashInFlush
    | Join
    | Leave
    | Rebalance
    | Freeze
    | Cut
    | BrokerAway
    | SendsDelayed
    | SendFails
    | Compaction
    | Redelivery
    | ClockStep
    | VoidApply
    | CatalogueChange
)

_Draw = Callable[[random.Random, float, str], Fault]

_KINDS: dict[_Draw, int] = {
    # how a fault is drawn, and how often beside the others
    lambda dice, at, worker: Crash(at, worker, dice.choice([0, 3, 30, 300, dice.randrange(2000)])): 5,
    lambda dice, at, worker: CrashInFlush(at, worker, dice.randint(1, 5)): 4,
    lambda _, at, worker: Join(at, role_of(worker)): 1,
    lambda dice, at, worker: Leave(at, worker, dice.uniform(2, 60)): 2,
    lambda dice, at, worker: Rebalance(at, role_of(worker), is_sticky=dice.random() < 0.5): 2,
    lambda dice, at, worker: Freeze(at, worker, dice.choice([3, 8, 12, 20, 30])): 4,
    lambda dice, at, worker: Cut(at, worker, dice.choice([2, 6, 12, 25])): 2,
    lambda dice, at, _: BrokerAway(at, dice.choice([1, 5, 15])): 1,
    lambda dice, at, worker: SendsDelayed(at, worker, dice.uniform(5, 40)): 2,
    lambda _, at, worker: SendFails(at, worker): 2,
    lambda _, at, worker: Compaction(at): 3,  # noqa: ARG005 - each takes the same
    lambda _, at, worker: Redelivery(at, worker): 3,
    lambda dice, at, worker: ClockStep(at, worker, dice.choice([-30_000, -900, 700, 4_000])): 1,
    lambda _, at, worker: VoidApply(at): 1,  # noqa: ARG005
}


def role_of(worker: str) -> str:
    """`detect` of `detect-0`."""
    return worker.partition("-")[0]


def plan(
    dice: random.Random, workers: list[str], lasts_s: float, changes_count: int, *, is_harsh: bool = False
) -> list[Fault]:
    """So much trouble that a partition changes hands every other minute, in bursts or spread.

    A harsh one holds a worker for longer than a partition's next owner takes to write all its heads anew.
    """
    faults: list[Fault] = []
    at = dice.uniform(5, 40)
    mean_s = dice.choice([15, 30, 45, 90])
    while at < lasts_s - 30:
        (draw,) = dice.choices(list(_KINDS), list(_KINDS.values()))
        faults.append(draw(dice, at, dice.choice(workers)))
        at += dice.uniform(0, 3) if dice.random() < 0.25 else dice.expovariate(1 / mean_s)
    if is_harsh:
        faults += [
            dice.choice([Freeze, Cut])(dice.uniform(20, lasts_s - 100), dice.choice(workers), dice.uniform(75, 100))
        ]
    faults += [CatalogueChange(dice.uniform(30, lasts_s - 60), number) for number in range(changes_count)]
    return sorted(faults, key=lambda fault: fault.at)


def worker_of(fault: Fault) -> str | None:
    """The worker that a fault strikes; None where it strikes all or none."""
    match fault:
        case (
            Crash(worker=worker)
            | CrashInFlush(worker=worker)
            | Leave(worker=worker)
            | Freeze(worker=worker)
            | Cut(worker=worker)
            | SendsDelayed(worker=worker)
            | SendFails(worker=worker)
            | Redelivery(worker=worker)
            | ClockStep(worker=worker)
        ):
            return worker
        case Join() | Rebalance() | BrokerAway() | Compaction() | VoidApply() | CatalogueChange():
            return None
        case _:
            assert_never(fault)

"""What can go wrong on a real Kafka, as values: a closed union, and a seeded plan of acts made of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

DETECTORS: Final = ("detect-a", "detect-b", "detect-c")
GUEST: Final = "detect-guest"
OTHERS: Final = ("dispatch", "deliver", "project")
REFUSED_FOR_GOOD: Final = 29  # topic authorization failed: no client tries that again
REFUSED_FOR_NOW: Final = 6  # not the leader: every client tries that again
STORM: Final = "storm"


@dataclass(frozen=True, slots=True)
class Kill:
    """kill -9; the supervisor starts the worker again at once."""

    worker: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """SIGSTOP for longer than a session, then SIGCONT: it wakes as a zombie."""

    worker: str
    for_s: float


@dataclass(frozen=True, slots=True)
class BrokerKill:
    """kill -9 of the broker, which is started again on its data after a while."""

    for_s: float


@dataclass(frozen=True, slots=True)
class RedisKill:
    """kill -9 of Redis, which is started again, empty, after a while."""

    for_s: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Nothing passes between a worker (None: any of them) and the broker."""

    worker: str | None
    for_s: float


@dataclass(frozen=True, slots=True)
class Delay:
    """Each produce request of a worker (None: of any) takes so much longer."""

    worker: str | None
    by_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """Each produce request of a worker is answered with an error: one to try again, or one that is final."""

    worker: str
    code: int
    for_s: float


@dataclass(frozen=True, slots=True)
class Join:
    """One more worker."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The one more worker is stopped (SIGTERM) and does not come back."""


@dataclass(frozen=True, slots=True)
class Roll:
    """A rolling restart: one worker after the other is stopped, started, and waited for."""


Fault = Kill | Freeze | BrokerKill | RedisKill | Cut | Delay | Refuse | Join | Leave | Roll
DEFAULT: Final[Mapping[str, int]] = {
    "kill": 50,
    "freeze": 6,
    "brokerkill": 4,
    "rediskill": 2,
    "cut": 5,
    "delay": 3,
    "refuse": 4,
    "join": 5,
    "roll": 2,
}
DRAWN: Final = tuple(DEFAULT)  # the kinds that a plan is made of
ALONE_SHARE: Final = 0.25  # of the kills: each an act of its own, to see how long a partition stands still
ALONE_MIN: Final = 4
STORM_KILLS_MAX: Final = 5
STORM_S: Final = 20.0


class Act(NamedTuple):
    """Faults that strike together, each so many seconds after it begins. The next act waits until all is well."""

    kind: str
    faults: tuple[tuple[float, Fault], ...]


def plan(seed: int, counts: Mapping[str, int], session_s: float) -> list[Act]:
    """Acts of one fault each, in random order, and storms of several kills and another fault between them."""
    dice = random.Random(seed)
    kills_count = counts.get("kill", 0)
    alone_count = kills_count if kills_count <= ALONE_MIN else round(kills_count * ALONE_SHARE)
    kinds = [kind for kind, count in sorted({**counts, "kill": alone_count}.items()) for _ in range(count)]
    acts = [Act(kind, _alone(dice, kind, session_s)) for kind in kinds]
    dice.shuffle(acts)
    for storm in _storms(dice, kills_count - alone_count, session_s):
        acts.insert(dice.randrange(len(acts) + 1), storm)
    return acts


def _alone(dice: random.Random, kind: str, session_s: float) -> tuple[tuple[float, Fault], ...]:
    if kind == "join":
        return (0.0, Join()), (dice.uniform(8, 12), Leave())
    return ((0.0, _draw(dice, kind, session_s)),)


def _draw(dice: random.Random, kind: str, session_s: float) -> Fault:
    worker = dice.choice(DETECTORS)
    drawn: dict[str, Callable[[], Fault]] = {
        "kill": lambda: Kill(worker),
        "freeze": lambda: Freeze(worker, session_s * dice.uniform(1.5, 2.5)),
        "brokerkill": lambda: BrokerKill(10.0),
        "rediskill": lambda: RedisKill(dice.uniform(1, 8)),
        "cut": lambda: Cut(dice.choice([worker, worker, None]), session_s * dice.choice([0.3, 0.8, 1.5])),
        "delay": lambda: Delay(dice.choice([worker, None]), dice.uniform(0.2, 1.5), dice.uniform(8, 15)),
        "refuse": lambda: Refuse(
            dice.choice([worker, "dispatch"]), dice.choice([REFUSED_FOR_NOW, REFUSED_FOR_GOOD]), for_s=3.0
        ),
        "roll": Roll,
    }
    return drawn[kind]()


def _storms(dice: random.Random, kills_count: int, session_s: float) -> list[Act]:
    storms = []
    while kills_count > 0:
        now_count = min(kills_count, dice.randint(2, STORM_KILLS_MAX))
        kills_count -= now_count
        victims = [dice.choice([*DETECTORS, *DETECTORS, *OTHERS]) for _ in range(now_count)]
        faults: list[tuple[float, Fault]] = [(dice.uniform(0, STORM_S), Kill(victim)) for victim in victims]
        kind = dice.choice(["freeze", "brokerkill", "cut", "delay", "rediskill", "none"])
        if kind != "none":
            faults.append((dice.uniform(0, STORM_S), _draw(dice, kind, session_s)))
        storms.append(Act(STORM, tuple(sorted(faults, key=lambda each: each[0]))))
    return storms

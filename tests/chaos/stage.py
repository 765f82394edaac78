"""Plays acts: each fault strikes when it is due, what it broke is mended after a while, and then all must be well."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final, NamedTuple, assert_never

from tests.chaos import faults as f
from tests.chaos.crew import Crew
from tests.chaos.proxy import Gate, Proxy
from tests.harness.kafka import Node
from tests.harness.process import POLL_S
from tests.harness.redis import RedisServer

WELL_WITHIN_S: Final = 120.0
PAUSE_S: Final = 4.0  # of peace between two acts
STOP_WITHIN_S: Final = 40.0
BROKER_START_S: Final = 4.0  # at least, from its start to its first answer


class Played(NamedTuple):
    """An act and when it was, in epoch milliseconds; it ends when all is well again."""

    kind: str
    began_at: int
    ended_at: int
    down_ms: int = 0  # how long there was no broker


class Stage:
    """`injected` counts what struck, by kind; `violations` what was not well in time."""

    def __init__(self, crew: Crew, proxy: Proxy, node: Node, redis: RedisServer, now: Callable[[], int]) -> None:
        self.injected: Counter[str] = Counter()
        self.played: list[Played] = []
        self.violations: list[str] = []
        self.crew = crew
        self._proxy = proxy
        self._node = node
        self._redis = redis
        self._now = now
        self._mending: list[tuple[float, Callable[[], None]]] = []
        self._broker_killed_at: int | None = None
        self._down_ms = 0
        self._pause = threading.Event()

    def play(self, act: f.Act) -> None:
        """Let it happen, and wait until all is well."""
        began, began_at, self._down_ms = monotonic(), self._now(), 0
        for offset_s, fault in act.faults:
            self._until(lambda due=began + offset_s, fault=fault: monotonic() >= due and self._can_strike(fault))
            self._strike(fault)
        self._until(lambda: not self._mending and self._broker_killed_at is None)
        if not self._until(self.crew.is_whole, WELL_WITHIN_S):
            self.violations.append(f"after {act}: not well within {WELL_WITHIN_S:g} s: {self.crew.findings()}")
        self.played.append(Played(act.kind, began_at, self._now(), self._down_ms))
        quiet_from = monotonic()
        self._until(lambda: monotonic() - quiet_from >= PAUSE_S)

    def _until(self, condition: Callable[[], bool], within_s: float = float("inf")) -> bool:
        """Watch over the crew and mend what is due, until a condition holds; whether it does in time."""
        deadline = monotonic() + within_s
        while not condition():
            if monotonic() > deadline:
                return False
            self.watch()
            self._pause.wait(POLL_S)
        return True

    def watch(self) -> None:
        """Mend what is due, and start again who has ended."""
        due = [each for each in self._mending if each[0] <= monotonic()]
        self._mending = [each for each in self._mending if each not in due]
        for _, mend in due:
            mend()
        self._look_for_broker()
        self.crew.revive()

    def _later(self, after_s: float, mend: Callable[[], None]) -> None:
        self._mending.append((monotonic() + after_s, mend))

    def _can_strike(self, fault: f.Fault) -> bool:
        """A kill waits for a worker that is down to be back, so that as many strike as the plan says."""
        return not isinstance(fault, f.Kill) or fault.worker in self.crew.workers.running

    def _strike(self, fault: f.Fault) -> None:
        worker = getattr(fault, "worker", None)
        if worker is not None and worker not in self.crew.workers.running:
            return  # it is down already
        self.injected[type(fault).__name__.lower()] += 1
        match fault:
            case f.Kill():
                self.crew.kill(fault.worker)
            case f.Freeze():
                self._freeze(fault)
            case f.BrokerKill():
                self._kill_broker(fault)
            case f.RedisKill():
                self.crew.excused.add("project")  # it tries again for a while, then ends
                self._redis.kill()
                self._later(fault.for_s, self._redis.start)
            case f.Cut() | f.Delay() | f.Refuse():
                self._disturb(fault)
            case f.Join():
                self.crew.start(f.GUEST)
            case f.Leave():
                self._leave(f.GUEST)
            case f.Roll():
                self._roll()
            case _:
                assert_never(fault)

    def _freeze(self, fault: f.Freeze) -> None:
        victim = self.crew.workers.running[fault.worker]
        victim.send(signal.SIGSTOP)
        self._later(fault.for_s, lambda: victim.send(signal.SIGCONT))

    def _kill_broker(self, fault: f.BrokerKill) -> None:
        if self._broker_killed_at is not None:
            return  # it is away already
        self._broker_killed_at = self._now()
        self._node.kill()
        self._later(max(0.0, fault.for_s - BROKER_START_S), self._node.launch)

    def _look_for_broker(self) -> None:
        if self._broker_killed_at is not None and self._node.answers():
            self._down_ms += self._now() - self._broker_killed_at
            self._broker_killed_at = None

    def _disturb(self, fault: f.Cut | f.Delay | f.Refuse) -> None:
        gates = self._gates(fault.worker)
        match fault:
            case f.Cut():
                self._proxy.cut(gates)
            case f.Delay():
                self._proxy.delay(gates, fault.by_s)
            case f.Refuse():
                if fault.code == f.REFUSED_FOR_GOOD:
                    self.crew.excused.add(fault.worker)
                self._proxy.refuse(gates, fault.code)
        self._later(fault.for_s, lambda: self._proxy.mend(gates))

    def _gates(self, worker: str | None) -> Iterable[Gate]:
        return list(self.crew.gates.values()) if worker is None else [self.crew.gates[worker]]

    def _leave(self, name: str) -> None:
        self._until(self.crew.is_whole, WELL_WITHIN_S)
        self.crew.leave(name)
        if not self._until(lambda: self.crew.is_gone(name), STOP_WITHIN_S):
            self.violations.append(f"{name} did not stop within {STOP_WITHIN_S:g} s")

    def _roll(self) -> None:
        for name in f.DETECTORS:
            self._leave(name)
            self.crew.start(name)
        self._until(self.crew.is_whole, WELL_WITHIN_S)

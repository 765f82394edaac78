"""The worker processes, each with its own way to the broker, and a supervisor that starts again whatever has ended."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Final, NamedTuple

from agents.process import STOPPED_LATE
from tests.chaos.faults import DETECTORS, GUEST, OTHERS
from tests.chaos.proxy import Gate
from tests.harness import wait_for
from tests.harness.ports import free_port
from tests.system.workers import PARTITIONS, Workers

ROLE_OF: Final = {**dict.fromkeys((*DETECTORS, GUEST), "detect"), **{name: name for name in OTHERS}}
TAIL_LINES: Final = 12
STOPS_AGAIN_MAX: Final = 2
PAUSE_S: Final = 2.0  # what ends at once is not started again at once


class End(NamedTuple):
    """A process that ended by itself."""

    name: str
    code: int
    tail: str


class Crew:
    """`ends` holds those that nobody asked for; `excused` the names whose next end has a reason."""

    workers: Workers  # once there is a broker, which has to know of the gates

    def __init__(self, *, is_static: bool) -> None:
        self.ends: list[End] = []
        self.excused: set[str] = set()
        self.gates = {name: Gate(free_port(), free_port()) for name in ROLE_OF}
        self._is_static = is_static
        self._on_duty: list[str] = []
        self._not_before: dict[str, float] = {}
        self._stops_left = STOPS_AGAIN_MAX

    def start(self, *names: str) -> None:
        """From now on these are kept alive."""
        for name in names:
            self._on_duty.append(name)
            self._launch(name)

    def _launch(self, name: str) -> None:
        own = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.gates[name].port}"}
        if self._is_static:
            own["FOREWARN_STATIC_MEMBERSHIP"] = "true"
        self.workers.start(name, ROLE_OF[name], **own)

    def leave(self, name: str) -> None:
        """SIGTERM, and nobody starts it again; the end is waited for by whoever asks `is_gone`."""
        self._on_duty.remove(name)
        self.workers.running[name].terminate()

    def stop(self, names: Sequence[str]) -> bool:
        """SIGTERM to these, which must end well. One whose broker did not answer in time is started and asked again.

        That is what its exit code says (decision 13), and what a supervisor does: a broker on a busy machine may be
        without a coordinator for as long as a stop may take.
        """
        for name in names:
            self.leave(name)
        wait_for(lambda: all(self.workers.running[name].exit_code is not None for name in names), "a stop")
        late = [name for name in names if self.workers.running[name].exit_code == STOPPED_LATE]
        again = late if self._stops_left else []
        self._stops_left -= bool(again)
        for name in set(names) - set(again):
            self.is_gone(name)
        for name in again:
            self.workers.ended.append(self.workers.running.pop(name))
        self.start(*again)
        wait_for(lambda: all(self.workers.ask(name, "readyz")[0] == 200 for name in again), "who was started again")
        return not again

    def is_gone(self, name: str) -> bool:
        """Whether a worker that was told to leave has ended, which it must do well."""
        code = self.workers.running[name].exit_code
        if code is None:
            return False
        ended = self.workers.running.pop(name)
        self.workers.ended.append(ended)
        if code != 0:
            self.ends.append(End(name, code, ended.log_tail(TAIL_LINES)))
        return True

    def kill(self, name: str) -> None:
        """Kill -9; the supervisor sees to the rest."""
        self.workers.kill(name)
        self._launch(name)

    def revive(self) -> None:
        """Start again whoever has ended."""
        for name in self._on_duty:
            running = self.workers.running.get(name)
            if running is not None and (code := running.exit_code) is not None:
                self.workers.ended.append(self.workers.running.pop(name))
                if name in self.excused:
                    self.excused.discard(name)
                else:
                    self.ends.append(End(name, code, running.log_tail(TAIL_LINES)))
                self._not_before[name] = monotonic() + PAUSE_S
            if name not in self.workers.running and monotonic() >= self._not_before[name]:
                self._launch(name)

    def on_duty(self, role: str = "detect") -> list[str]:
        """Who is kept alive."""
        return [name for name in self._on_duty if ROLE_OF[name] == role]

    def is_whole(self) -> bool:
        """Whether everybody runs and is ready, and the detectors share out all partitions."""
        names = self._on_duty
        if any(name not in self.workers.running for name in names):
            return False
        if any(self.workers.ask(name, "readyz")[0] != 200 for name in names):
            return False
        owned = self.workers.owned(*self.on_duty())
        return sum(owned) == PARTITIONS and 0 not in owned

    def findings(self) -> str:
        """Who is not ready, and why."""
        said = {name: self.workers.ask(name, "readyz")[1] for name in self._on_duty if name in self.workers.running}
        return f"{said}, detectors own {self.workers.owned(*self.on_duty())}"

"""Worker processes by name, on topics made as a user makes them; each is stopped, killed and asked by its name."""

from __future__ import annotations

import os
import subprocess
import sys

from schemas import topics
from tests.harness import Broker, Process, free_port, health, wait_for
from tests.system.recorded import read_all

PARTITIONS = 4
NAMES = [topic.name for topic in topics.ALL]


class Workers:
    """Everything that runs beside the broker, with one environment."""

    def __init__(self, broker: Broker, redis_url: str, **environment: str) -> None:
        self.broker = broker
        self.environment = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "REDIS_URL": redis_url,
            "FOREWARN_CLUSTER": "system",
            "FOREWARN_FLUSH_INTERVAL": "4s",
            "FOREWARN_SESSION_TIMEOUT": "3s",
            **environment,
        }
        self.running: dict[str, Process] = {}
        self.ended: list[Process] = []
        self._ports: dict[str, int] = {}

    def command(self, *arguments: str) -> str:
        """Run a command of Forewarn to its end; its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "forewarn", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def make_topics(self) -> None:
        """As a user does where the broker takes requests; the embedded one has a call of its own."""
        if self.broker.kind == "real":
            self.broker.delete_topics(*NAMES)
            self.command("topics", "create", "--partitions", str(PARTITIONS))
            self.command("topics", "check")
        else:
            self.broker.create_topics({topic.name: topic.partitions or PARTITIONS for topic in topics.ALL})

    def start(self, name: str, role: str, **environment: str) -> None:
        """A process of a role; `environment` is for this one alone."""
        self._ports[name] = free_port()
        self.running[name] = Process(
            [sys.executable, "-m", "agents", role],
            name=name,
            env={
                **self.environment,
                "FOREWARN_WORKER_ID": name,
                "FOREWARN_HEALTH_PORT": str(self._ports[name]),
                **environment,
            },
        )

    def wait_ready(self, *names: str) -> None:
        for name in names:
            wait_for(
                lambda name=name: self.ask(name, "readyz")[0] == 200,
                f"{name} to be ready",
                explain=lambda name=name: self.ask(name, "readyz")[1] + self.running[name].log_tail(),
            )

    def wait_marked(self) -> None:
        """Until every partition of the telemetry follows the definitions."""
        wait_for(lambda: len(self._marked()) == PARTITIONS, "a marker in every partition")

    def _marked(self) -> set[int]:
        records = read_all(self.broker.bootstrap, topics.TELEMETRY.name)
        return {record.partition for record in records if b'"catalogue"' in (record.value or b"")}

    def ask(self, name: str, path: str) -> tuple[int, str]:
        return health.ask(self._ports[name], path)

    def metric(self, name: str, metric: str) -> int:
        """A counter or gauge of a worker, over all its labels."""
        return health.metric(self._ports[name], metric)

    def owned(self, *names: str) -> list[int]:
        """How many partitions each holds now."""
        for name in names:
            self.ask(name, "readyz")  # which counts them
        return [self.metric(name, "partitions_owned") for name in names]

    def stop(self, *names: str) -> None:
        """SIGTERM; each must end well."""
        stopped = [self.running.pop(name) for name in names]
        for worker in stopped:
            worker.terminate()
        for worker in stopped:
            assert worker.wait() == 0, worker.log_tail()
        self.ended += stopped

    def kill(self, name: str) -> None:
        """SIGKILL."""
        worker = self.running.pop(name)
        worker.kill()
        self.ended.append(worker)

    def logs(self) -> str:
        """All that any of them ever wrote."""
        return "\n".join(worker.log.read_text(errors="replace") for worker in [*self.ended, *self.running.values()])

    def tails(self) -> str:
        """The last lines of each that runs."""
        return "\n".join(worker.log_tail() for worker in self.running.values())

    def close(self) -> None:
        for worker in self.running.values():
            worker.kill()
        for worker in [*self.ended, *self.running.values()]:
            worker.log.unlink(missing_ok=True)
        if self.broker.kind == "real":
            self.broker.delete_topics(*NAMES)

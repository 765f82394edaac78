"""A real Redis: one process per test run, without persistence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from forewarn.embedded_redis import redis_server
from tests.harness.ports import free_port
from tests.harness.process import Process, wait_for
from tests.harness.require import Missing


class RedisServer:
    """A Redis that may be killed and started again, on the same port and empty. `Missing` where there is none."""

    def __init__(self) -> None:
        program = redis_server()
        if program is None:
            raise Missing("no redis-server on the path nor in a wheel (Debian: apt-get install redis-server)")
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process: Process | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        process = self._process = Process(self._command, name="redis")
        wait_for(self._answers, "Redis to answer", explain=process.log_tail)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def kill(self) -> None:
        """SIGKILL; fine if it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.log.unlink(missing_ok=True)
            self._process = None


@contextmanager
def real_redis() -> Iterator[str]:
    """The URL of a running Redis; raises `Missing` where this machine has no `redis-server`."""
    server = RedisServer()
    try:
        server.start()
        yield server.url
    finally:
        server.kill()

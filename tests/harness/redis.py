"""A real Redis: one process per test run, without persistence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from forewarn.embedded_redis import free_port, redis_server
from tests.harness.process import Process, wait_for
from tests.harness.require import Missing


@contextmanager
def real_redis() -> Iterator[str]:
    """The URL of a running Redis; raises `Missing` where this machine has no `redis-server`."""
    program = redis_server()
    if program is None:
        raise Missing("no redis-server on the path nor in a wheel (Debian: apt-get install redis-server)")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with Process(command, name="redis") as server:
        client = redis.Redis(port=port)

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        wait_for(answers, "Redis to answer", within_s=20, explain=server.log_tail)
        client.close()
        yield f"redis://127.0.0.1:{port}/0"

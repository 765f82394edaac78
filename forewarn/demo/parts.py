"""What the demo runs: a broker, Redis and the workers, each a real process, ended in order or by their parent's end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple, NoReturn

from agents.log_clock import LogClock
from forewarn.console import ExitCode, UserError
from forewarn.embedded import EmbeddedBroker, EmbeddedError
from forewarn.embedded_redis import EmbeddedRedis, EmbeddedRedisError
from forewarn.parent import die_with_parent
from schemas.topics import ALL

PARTITIONS_COUNT: Final = 4
STOP_WITHIN_S: Final = 20
LOG_LINES_SHOWN: Final = 20


class Worker(NamedTuple):
    """`forewarn worker` with all its roles, and the file that takes what they print."""

    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise a `UserError` with the end of its log if it has ended."""
        code = self.process.poll()
        if code is not None:
            lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            raise UserError(f"the worker ended with code {code}", "\n  ".join(lines), ExitCode.REFUSES)


class Parts(NamedTuple):
    """The running parts and how to reach them."""

    environment: Mapping[str, str]
    config: Mapping[str, Any]
    redis_notice: str | None


@contextmanager
def broker_and_redis(clock: str) -> Iterator[Parts]:
    """Both servers on free loopback ports; the environment names them for the worker and for people who look."""
    with ExitStack() as stack:
        try:
            topics = {topic.name: topic.partitions or PARTITIONS_COUNT for topic in ALL}
            broker = stack.enter_context(EmbeddedBroker.start(topics))
            redis = stack.enter_context(EmbeddedRedis.start())
        except (EmbeddedError, EmbeddedRedisError) as error:
            raise UserError(str(error), code=ExitCode.REFUSES) from None
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "REDIS_URL": redis.url,
            "FOREWARN_CLUSTER": "demo",
            "FOREWARN_CLOCK": clock,
            "FOREWARN_FLUSH_INTERVAL": "1s",  # what is committed tells how far the worker has read
        }
        yield Parts(environment, {"bootstrap.servers": broker.bootstrap}, redis.notice)


@contextmanager
def worker(parts: Parts) -> Iterator[Worker]:
    """The worker, as `forewarn worker` starts it."""
    with tempfile.TemporaryDirectory(prefix="forewarn-demo-") as folder:
        log = Path(folder) / "worker.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "forewarn", "worker"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**_own_environment(), **parts.environment},
                start_new_session=True,  # Ctrl-C reaches the demo alone, which stops its parts in order
                preexec_fn=die_with_parent,  # noqa: PLW1509 - started from a main thread
            )
        try:
            yield Worker(process, log)
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _own_environment() -> dict[str, str]:
    """This environment without settings for another Kafka: the demo's own broker takes no password."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "FOREWARN_"))}


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Have SIGTERM end this process as Ctrl-C does, through everything that must be ended before."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def clock_text(clock: LogClock) -> str:
    """The clock as `FOREWARN_CLOCK` spells it."""
    return f"{clock.start_at},{clock.speed},{clock.real_start_at}"

"""A Kafka broker without Java, for trying out: librdkafka's mock cluster, which confluent-kafka's wheel holds.

It runs as a process of its own, `python -m forewarn.embedded --topic NAME:PARTITIONS …`: the first line that it prints
is the bootstrap address; each `NAME:PARTITIONS` line on its stdin makes a further topic and is answered by the same
line or by `error: …`. It keeps everything in memory (about 5 MB per partition, then the oldest records go), keeps the
producers' timestamps, compacts nothing and ends with its parent.
"""

from __future__ import annotations

import argparse
import ctypes
import glob
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import confluent_kafka

from forewarn.parent import die_with_parent, end, watch_parent

NOTICE: Final = (
    "embedded broker: for trying out. Everything is kept in memory and gone at the end; topics are not compacted and "
    "keep their producers' timestamps. Use Apache Kafka for anything that matters."
)
REBALANCE_DELAY_MS: Final = 200  # the mock's own default is 3 s for every first member of a group
STOP_WITHIN_S: Final = 5
_PRODUCER: Final = 0
_ERROR_TEXT_BYTES: Final = 512


class EmbeddedError(Exception):
    """The embedded broker cannot start or refused a topic; the message says why."""


class EmbeddedBroker:
    """The broker as a child process. A context manager: it is stopped at the end of the block."""

    def __init__(self, process: subprocess.Popen[str], bootstrap: str) -> None:
        """Wrap a child that has said its address; use `start`."""
        self._process = process
        self._lock = threading.Lock()
        self.bootstrap = bootstrap

    @classmethod
    def start(cls, partitions_of: Mapping[str, int]) -> Self:
        """Start it with these topics and wait until it listens; raises `EmbeddedError`."""
        topics = [f"--topic={name}:{count}" for name, count in partitions_of.items()]
        process = subprocess.Popen(
            [sys.executable, "-m", "forewarn.embedded", *topics],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its children in order
            preexec_fn=die_with_parent,  # noqa: PLW1509 - started from a main thread
        )
        said = process.stdout.readline().strip() if process.stdout else ""
        if not said or said.startswith("error:"):
            _, complaint = process.communicate()
            raise EmbeddedError(said or complaint.strip() or "the embedded broker ended without a word")
        # Nobody reads its log from here on: what it writes must not fill the pipe and block it.
        threading.Thread(target=process.stderr.read, name="embedded-broker-log", daemon=True).start()  # type: ignore[union-attr]
        return cls(process, said)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def create_topics(self, partitions_of: Mapping[str, int]) -> None:
        """Make topics; raises `EmbeddedError` if one is there already or the broker is gone."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise EmbeddedError("this broker was not started by EmbeddedBroker.start")
        with self._lock:
            for name, count in partitions_of.items():
                try:
                    stdin.write(f"{name}:{count}\n")
                    stdin.flush()
                except OSError as error:
                    raise EmbeddedError(f"the embedded broker is gone: {error}") from error
                answer = stdout.readline().strip()
                if answer != f"{name}:{count}":
                    raise EmbeddedError(answer or "the embedded broker is gone")

    def stop(self) -> None:
        """End it; fine if it has ended already."""
        end(self._process, within_s=STOP_WITHIN_S)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()


def _library() -> ctypes.CDLL:
    package = Path(confluent_kafka.__file__).parent
    places = (package.parent / "confluent_kafka.libs" / "librdkafka-*.so*", package / ".dylibs" / "librdkafka*.dylib")
    found = [path for place in places for path in glob.glob(str(place))]  # noqa: PTH207 - the pattern has a folder in it
    if not found:
        raise EmbeddedError(
            f"the embedded broker needs confluent-kafka's wheel, which holds librdkafka; {package} has none. "
            "Install the wheel, or set KAFKA_BOOTSTRAP_SERVERS to a broker of your own."
        )
    library = ctypes.CDLL(found[0])
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    signatures: tuple[tuple[str, Any, list[Any]], ...] = (
        ("rd_kafka_new", pointer, [ctypes.c_int, pointer, text, ctypes.c_size_t]),
        ("rd_kafka_err2str", text, [ctypes.c_int]),
        ("rd_kafka_mock_cluster_new", pointer, [pointer, ctypes.c_int]),
        ("rd_kafka_mock_cluster_bootstraps", text, [pointer]),
        ("rd_kafka_mock_group_initial_rebalance_delay_ms", None, [pointer, ctypes.c_int32]),
        ("rd_kafka_mock_topic_create", ctypes.c_int, [pointer, text, ctypes.c_int, ctypes.c_int]),
    )
    for name, result, arguments in signatures:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class _MockCluster:
    """One mock broker inside this process; it lives until the process ends."""

    def __init__(self) -> None:
        self._library = _library()
        error = ctypes.create_string_buffer(_ERROR_TEXT_BYTES)
        client = self._library.rd_kafka_new(_PRODUCER, None, error, _ERROR_TEXT_BYTES)
        if not client:
            raise EmbeddedError(f"librdkafka did not start: {error.value.decode()}")
        self._cluster = self._library.rd_kafka_mock_cluster_new(client, 1)
        if not self._cluster:
            raise EmbeddedError("librdkafka did not start its mock cluster (is the loopback interface up?)")
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, REBALANCE_DELAY_MS)
        self.bootstrap: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def create_topic(self, name: str, partitions_count: int) -> None:
        """Make a topic with one replica; raises `EmbeddedError`."""
        code = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions_count, 1)
        if code:
            raise EmbeddedError(f"topic {name}: {self._library.rd_kafka_err2str(code).decode()}")


def _topic(text: str) -> tuple[str, int]:
    """`NAME:PARTITIONS`; raises ValueError."""
    name, separator, count = text.rpartition(":")
    if not separator or not name or not count.isdecimal() or int(count) < 1:
        raise ValueError(f"{text!r} is not NAME:PARTITIONS")
    return name, int(count)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the parent reads it


def _make_topics(create: Callable[[str, int], None], lines: Iterable[str]) -> None:
    for line in lines:
        if not (text := line.strip()):
            continue
        try:
            create(*_topic(text))
        except (EmbeddedError, ValueError) as error:
            _say(f"error: {error}")
        else:
            _say(text)


def main(arguments: list[str] | None = None) -> int:
    """Run the broker until its parent ends or it is asked to stop; exit code 2 for wrong use, 3 if it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m forewarn.embedded", description=NOTICE)
    parser.add_argument("--topic", action="append", default=[], metavar="NAME:PARTITIONS", help="a topic to make")
    given = parser.parse_args(arguments)
    watch_parent()
    try:
        topics = [_topic(text) for text in given.topic]
    except ValueError as error:
        parser.error(str(error))
    try:
        cluster = _MockCluster()
        for name, count in topics:
            cluster.create_topic(name, count)
    except EmbeddedError as error:
        _say(f"error: {error}")
        return 3
    _say(cluster.bootstrap)
    try:
        _make_topics(cluster.create_topic, sys.stdin)
        threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())

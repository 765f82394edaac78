"""A real Apache Kafka in KRaft mode: one node, started once per test run, its data in a temporary folder.

The jars come from Maven Central into a cache folder, once; where Java or Maven are missing and Docker answers, the
project's own image is used instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from forewarn.embedded_redis import is_listening
from tests.harness.ports import free_port
from tests.harness.process import PATIENCE_S, Process, wait_for
from tests.harness.require import Missing

VERSION = "4.1.1"
IMAGE = f"apache/kafka:{VERSION}"
JAVA = (
    *("-Xmx400m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>forewarn</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
"""

# Short delays, because tests wait for them; topics only by request, because a product that relies on
# auto-creation gets one partition and the wrong retention.
COMMON = {
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "message.max.bytes": str(4 * 1024 * 1024),
    "num.partitions": "1",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
}


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "forewarn" / f"kafka-{VERSION}"


def _jars() -> Path:
    """The folder with Kafka's jars, fetched if need be; `Missing` says what to install."""
    lib = _cache() / "lib"
    if lib.is_dir():
        return lib
    mvn = shutil.which("mvn")
    if mvn is None:
        raise Missing(f"Kafka {VERSION} is not in {_cache()} and Maven, which fetches it, is not installed (mvn)")
    lib.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=lib.parent.parent) as scratch:
        Path(scratch, "pom.xml").write_text(POM)
        fetched = subprocess.run(
            [mvn, "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        if fetched.returncode != 0:
            raise Missing(f"Maven could not fetch Kafka {VERSION}: {fetched.stdout[-400:]}{fetched.stderr[-400:]}")
        lib.parent.mkdir(exist_ok=True)
        # One rename makes the cache whole: two runs that fetch at once do no harm.
        if not lib.exists():
            Path(scratch, "lib").rename(lib)
    return lib


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise Missing("a real Kafka needs Java 17 or newer (java), or Docker")
    return java


def _answers(bootstrap: str) -> bool:
    # Asking a port that nobody listens on would only make librdkafka complain in the test's output.
    port = int(bootstrap.rpartition(":")[2])
    if not is_listening(port):
        return False
    try:
        AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=5)
    except KafkaException:
        return False
    return True


@contextmanager
def java_kafka(advertised: Mapping[int, int] = MappingProxyType({})) -> Iterator[Node]:
    """A broker in a folder of its own, running; raises `Missing` where there is no Java. See `Node`."""
    java, jars = _java(), _jars()
    with tempfile.TemporaryDirectory(prefix="forewarn-kafka-") as folder:
        node = Node([java, *JAVA, "-cp", f"{jars}/*"], Path(folder), advertised)
        try:
            node.start()
            yield node
        finally:
            # The data goes with the folder: an orderly shutdown would only take time.
            node.kill()


class Node:
    """A broker process that may be killed and started again on its data.

    `bootstrap` is its own address. For each port of `advertised` it listens there as well, and tells who comes that
    way to go on to the other port: whoever stands there sees all that such a client says.
    """

    def __init__(self, java: Sequence[str], folder: Path, advertised: Mapping[int, int]) -> None:
        self._java = java
        self._properties = folder / "server.properties"
        self._process: Process | None = None
        client_port, controller_port = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{client_port}"
        behind = {f"BEHIND{number}": pair for number, pair in enumerate(advertised.items())}
        ways = {"PLAINTEXT": (client_port, client_port), **behind}
        settings = {
            **COMMON,
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": _places({**{name: port for name, (port, _) in ways.items()}, "CONTROLLER": controller_port}),
            "advertised.listeners": _places({name: port for name, (_, port) in ways.items()}),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in [*ways, "CONTROLLER"]),
            "log.dirs": f"{folder}/data",
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # One id in 64 begins with a dash, and would be taken for an option were it a word of its own.
        formatted = subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(self._properties)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        if formatted.returncode != 0:
            raise Missing(
                f"Kafka {VERSION} could not format its storage: {formatted.stdout[-500:]}{formatted.stderr[-500:]}"
            )

    def launch(self) -> None:
        """Start it, on the data that is there; it answers some seconds later."""
        self._process = Process([*self._java, "kafka.Kafka", str(self._properties)], name="kafka")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        wait_for(self.answers, "Kafka to answer", explain=self._log_tail)

    def answers(self) -> bool:
        """Whether a client gets an answer."""
        return _answers(self.bootstrap)

    def kill(self) -> None:
        """SIGKILL; fine if it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.log.unlink(missing_ok=True)
            self._process = None

    def _log_tail(self) -> str:
        return "" if self._process is None else self._process.log_tail()


def _places(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


@contextmanager
def _in_docker() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - it asks for Docker when imported

    port = free_port()
    settings = {
        **COMMON,
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "controller.listener.names": "CONTROLLER",
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
    }
    container = DockerContainer(IMAGE)
    # Not `with_bind_ports`, which cannot name an address and would listen on all of them.
    container.ports["9092/tcp"] = ("127.0.0.1", port)
    for name, value in settings.items():
        container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    with container:
        bootstrap = f"127.0.0.1:{port}"
        wait_for(lambda: _answers(bootstrap), f"{IMAGE} to answer")
        yield bootstrap


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "info"], capture_output=True, check=False, timeout=20)
    return asked.returncode == 0


@contextmanager
def real_kafka() -> Iterator[str]:
    """The bootstrap address of a running broker; raises `Missing` where this machine cannot run one."""
    try:
        _java()
        _jars()
    except Missing:
        if not _docker_answers():
            raise
        with _in_docker() as bootstrap:
            yield bootstrap
        return
    with java_kafka() as node:
        yield node.bootstrap

"""Kafka Streams, for comparison with another language: fetched by Maven, compiled once, kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.contenders.cache import fetched, kept
from tests.harness import Missing

_HERE: Final = Path(__file__).parent


def command() -> Sequence[str]:
    """Raises `tests.harness.Missing` where Java, its compiler or Maven are not to be had."""
    missing = [program for program in ("java", "javac", "mvn") if shutil.which(program) is None]
    if missing:
        raise Missing(f"Kafka Streams needs {', '.join(missing)}")
    recipe = b"".join((_HERE / name).read_bytes() for name in ("pom.xml", "Count.java"))
    folder = kept("kafka-streams", recipe, _make)
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ["java", "-Xmx1g", quiet, "-cp", f"{folder}:{folder}/lib/*", "Count"]


def _make(folder: Path) -> None:
    shutil.copy(_HERE / "pom.xml", folder)
    copy = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib"]
    fetched("Kafka Streams", copy, folder)
    fetched("Kafka Streams", ["javac", "-cp", "lib/*", "-d", ".", str(_HERE / "Count.java")], folder)

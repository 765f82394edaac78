"""A real Alertmanager on a free loopback port, its data in a temporary folder."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tests.harness.health import ask
from tests.harness.ports import free_port
from tests.harness.process import Process, wait_for
from tests.harness.require import Missing

NAMES = ("prometheus-alertmanager", "alertmanager")
CONFIG = "route: {receiver: none}\nreceivers: [{name: none}]\n"


class RealAlertmanager:
    """A running Alertmanager, which `restart` lets forget all that it was told."""

    def __init__(self, program: str, folder: Path) -> None:
        """Start it."""
        self._program = program
        self._folder = folder
        self.port = free_port()
        self._process = self._started()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def _started(self) -> Process:
        config = self._folder / "alertmanager.yml"
        config.write_text(CONFIG)
        command = [
            self._program, f"--config.file={config}", f"--storage.path={self._folder}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
        ]  # fmt: skip
        process = Process(command, name="alertmanager")
        wait_for(self._answers, "Alertmanager to answer", explain=process.log_tail)
        return process

    def _answers(self) -> bool:
        return ask(self.port, "-/ready")[0] == HTTPStatus.OK

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that have not ended."""
        found: list[dict[str, Any]] = json.loads(ask(self.port, "api/v2/alerts")[1])
        return found

    def restart(self) -> None:
        """End it and start it anew on the same port."""
        self.stop()
        self._process = self._started()

    def stop(self) -> None:
        """End it."""
        self._process.stop()


@contextmanager
def real_alertmanager() -> Iterator[RealAlertmanager]:
    """A running Alertmanager; raises `Missing` where this machine has none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise Missing("no Alertmanager on the path (Debian: apt-get install prometheus-alertmanager)")
    with tempfile.TemporaryDirectory(prefix="forewarn-alertmanager-") as folder:
        running = RealAlertmanager(program, Path(folder))
        try:
            yield running
        finally:
            running.stop()

"""A role as it is shipped: `python -m agents ROLE`, on the measured core."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.machine import cores
from tests.harness import Process, free_port, health, wait_for

_ROOT: Final = Path(__file__).parents[2]
_LOADED: Final = "atoms loaded"


class Worker(Process):
    """One role in one process, with the defaults of the product and `environment` on top."""

    def __init__(self, bootstrap: str, role: str = "detect", **environment: str) -> None:
        self._port = free_port()
        told: Mapping[str, str] = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "FOREWARN_HEALTH_PORT": str(self._port),
            **environment,
        }
        with cores.pinned(cores.MEASURED):
            super().__init__([sys.executable, "-m", "agents", role], name=role, env=told, cwd=_ROOT)

    def wait_loaded(self, partitions_count: int, within_s: float) -> None:
        """Until the state of this many partitions is in its folds."""
        wait_for(
            lambda: (
                self.exit_code is not None or self.log.read_text(errors="replace").count(_LOADED) >= partitions_count
            ),
            "the worker to load its state",
            within_s=within_s,
            explain=self.log_tail,
        )
        if self.exit_code is not None:
            raise RuntimeError(self.log_tail())

    def wait_ready(self, within_s: float) -> None:
        """Until it says that it does its work."""
        wait_for(
            lambda: health.ask(self._port, "readyz")[0] == 200,  # noqa: PLR2004 - OK
            f"{self.name} to be ready",
            within_s=within_s,
            explain=self.log_tail,
        )

    def records_count(self) -> int:
        """What it has read so far."""
        return health.metric(self._port, "records_total")

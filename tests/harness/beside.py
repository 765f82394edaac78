"""How `make test` shares the tests out between its processes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from xdist.scheduler import LoadScopeScheduling

BESIDE: Final = {
    *("bench", "clock", "core", "definitions", "deploy", "dispatch", "docs", "explain", "formats", "oracle", "queue"),
    *("real_data", "replay", "simulation", "working_time"),
    *("test_interrupted.py", "test_lock.py", "test_tidy.py", "test_timeouts.py"),
}
"""Folders and modules that share no server with others and wait for no clock: beside other work they take longer."""

IN_TURN: Final = "in turn"


class Shares(LoadScopeScheduling):
    """All else stays in one process, one test after the other as without xdist: each server is started once.

    Beside it runs what can, module by module.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """The name of what a test stays together with."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return str(path) if BESIDE & {path.parts[1], path.name} else IN_TURN

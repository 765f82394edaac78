"""Definitions to compare: written as YAML, and read by `forewarn diff --against`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import yaml
from typer.testing import Result

from tests.cli.conftest import Run
from tests.core.world import Document, document, stakeholder

SERVICE = document("Service", "pay", owner="pay-team")
WATCHER = stakeholder("on-call", severities=["critical"])
SLICES = {"timeslices": "5m", "sliceTarget": "99%"}


def write(path: Path, *documents: Document) -> Path:
    path.write_text(yaml.safe_dump_all(documents))
    return path


class Folder:
    """Two files to compare, without a broker."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder

    def diff(self, before: list[Document], after: list[Document], *options: str) -> Result:
        old, new = write(self._folder / "old.yaml", *before), write(self._folder / "new.yaml", *after)
        result = self._run("diff", str(new), "--against", str(old), *options)
        assert "Traceback" not in result.output
        return result

    def told(self, before: list[Document], after: list[Document]) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.diff(before, after, "--json").stdout.splitlines()]

"""`bench/out/results.json`: every figure by its key, and when and on what it was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from bench.machine.description import described
from bench.measures.measure import Found, Measure

PATH: Final = Path(__file__).parents[1] / "out" / "results.json"


class Results:
    """The file. A measure replaces its own figures and leaves the others, so that they can be taken one by one."""

    def __init__(self, path: Path = PATH) -> None:
        """What is there already is kept."""
        self._path = path
        self._held: dict[str, Any] = orjson.loads(path.read_bytes()) if path.is_file() else {}

    def put(self, measure: Measure, found: Found, at: str) -> None:
        """Take over what a measure found, and write the file."""
        for key in measure.keys:
            self._held.pop(key, None)
        self._held |= {key: round(figure, 4) for key, figure in found.figures.items()}
        self._held["machine"] = described()
        self._entry("measured_at")[measure.name] = at
        self._entry("tables")[measure.name] = {"head": list(found.head), "rows": [list(row) for row in found.rows]}
        self._entry("skipped")[measure.name] = dict(found.skipped)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(orjson.dumps(self._held, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    def _entry(self, name: str) -> dict[str, Any]:
        entry: dict[str, Any] = self._held.setdefault(name, {})
        return entry

    @property
    def held(self) -> Mapping[str, Any]:
        """All that the file holds."""
        return self._held

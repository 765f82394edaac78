"""The environment of Quix Streams, made once and kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.contenders.cache import fetched, kept

_REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")


def command() -> Sequence[str]:
    """Raises `tests.harness.Missing` where the packages cannot be had."""
    recipe = _REQUIREMENTS.read_bytes() + sys.version.encode()
    return [str(kept("quix", recipe, _make) / "bin" / "python"), "-m", "bench.contenders.quix.program"]


def _make(folder: Path) -> None:
    fetched("Quix Streams", [sys.executable, "-m", "venv", str(folder)], folder)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps", "--requirement"]
    fetched("Quix Streams", [*pip, str(_REQUIREMENTS)], folder)

"""Where contenders that have to be fetched are kept between runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.harness import Missing

_FETCH_WITHIN_S: Final = 400
_TOLD_CHARACTERS: Final = 400


def kept(name: str, recipe: bytes, make: Callable[[Path], None]) -> Path:
    """The folder that `make` filled, now or in an earlier run with the same recipe."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "forewarn"
    folder = base / f"bench-{name}-{sha256(recipe).hexdigest()[:12]}"
    if not (folder / ".whole").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        (folder / ".whole").touch()
    return folder


def fetched(what: str, command: Sequence[str], folder: Path) -> None:
    """Run a command that fetches or builds; `Missing` says why a contender cannot be had."""
    with tempfile.TemporaryFile() as output:
        try:
            code = subprocess.run(
                command, cwd=folder, stdout=output, stderr=output, check=False, timeout=_FETCH_WITHIN_S
            ).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(f"{what} cannot be had: {error}") from None
        if code:
            output.seek(0)
            raise Missing(f"{what} cannot be had: {output.read().decode(errors='replace')[-_TOLD_CHARACTERS:]}")

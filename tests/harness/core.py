"""The core as machine code (`make compile`): whether it is, and whether it is that of today's sources."""

from __future__ import annotations

from pathlib import Path

import sla.folding

ROOT = Path(__file__).parents[2]
PARTS = ("sla", "schemas")


def is_compiled() -> bool:
    """Whether this process runs machine code, in which nobody can exchange a constant or a method."""
    return not sla.folding.__file__.endswith(".py")


def outdated() -> str | None:
    """What is wrong with machine code, if there is any: a source, its own or one that it knows, changed after it."""
    made_at = min((code.stat().st_mtime for part in PARTS for code in (ROOT / part).rglob("*.so")), default=None)
    if made_at is None:
        return None
    for source in (ROOT / "pyproject.toml", *(path for part in PARTS for path in sorted((ROOT / part).rglob("*.py")))):
        if source.stat().st_mtime > made_at:
            return f"{source.relative_to(ROOT)} is newer than the machine code: `make compile`, or `make uncompile`"
    return None

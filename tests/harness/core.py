"""The core as machine code (`make compile`): whether it is, and whether it is that of today's sources."""

from __future__ import annotations

from pathlib import Path

import sla.folding

ROOT = Path(__file__).parents[2]
PARTS = ("sla", "schemas")


def is_compiled() -> bool:
    """Whether this process runs machine code, in which nobody can exchange a constant or a method."""
    return not sla.folding.__file__.endswith(".py")


def outdated() -> list[str]:
    """Modules that were changed after they had been compiled: what runs is not what is read."""
    return sorted(
        str(source.relative_to(ROOT))
        for part in PARTS
        for code in (ROOT / part).rglob("*.so")
        if (source := code.with_name(f"{code.name.split('.')[0]}.py")).is_file()
        and source.stat().st_mtime > code.stat().st_mtime
    )

"""The core as machine code (`make compile`): whether it is, and whether it is that of today's sources."""

from __future__ import annotations

from pathlib import Path

import sla.folding

SOURCES = Path(sla.folding.__file__).parent


def is_compiled() -> bool:
    """Whether this process runs machine code, in which nobody can exchange a constant or a method."""
    return not sla.folding.__file__.endswith(".py")


def outdated() -> list[str]:
    """Modules that were changed after they had been compiled: what runs is not what is read."""
    return sorted(
        str(source.relative_to(SOURCES.parent))
        for code in SOURCES.rglob("*.so")
        if (source := code.with_name(f"{code.name.split('.')[0]}.py")).is_file()
        and source.stat().st_mtime > code.stat().st_mtime
    )

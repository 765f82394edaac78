"""How much memory a process holds, as Linux counts it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_KIB: Final = 1024


def resident_bytes(pid: int) -> int:
    """What the process holds now."""
    return _field(pid, "VmRSS")


def peak_bytes(pid: int) -> int:
    """The most it ever held."""
    return _field(pid, "VmHWM")


def _field(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"process {pid} has ended, or this system does not tell its memory ({name})")
    return int(found[1]) * _KIB

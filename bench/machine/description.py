"""What the machine was, for the figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from bench.machine import cores
from tests.harness import kafka
from tests.harness.core import is_compiled


def described() -> dict[str, str]:
    """Name and value, for people."""
    cpu, memory = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    model = re.search(r"model name\s*: (.+)", cpu.read_text()) if cpu.is_file() else None
    total = re.search(r"MemTotal:\s+(\d+) kB", memory.read_text()) if memory.is_file() else None
    return {
        "processor": model[1] if model else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(total[1]) >> 20} GiB" if total else "unknown",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "core": "as machine code" if is_compiled() else "as Python",
        "kafka": kafka.VERSION,
        "shared out": cores.told(),
    }

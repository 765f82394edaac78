"""Instants as a producer writes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

START_AT: Final = 1_795_428_000_000
"""Where measurements without a broker begin: a whole hour."""


def now_ms() -> int:
    """Epoch milliseconds of this machine."""
    return time.time_ns() // 1_000_000


def iso(at: int) -> bytes:
    """RFC 3339 with milliseconds and Z."""
    second, ms = divmod(at, 1000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z".encode()

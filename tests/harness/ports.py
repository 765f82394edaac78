"""Ports that stay free."""

from __future__ import annotations

import random
import socket

LASTING = range(15_000, 30_000)


def free_port() -> int:
    """A free loopback port below those that the system gives to outgoing connections.

    So nobody takes it by chance before the server that is meant starts, or between its end and its next start.
    """
    for port in random.SystemRandom().sample(LASTING, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"a hundred ports of {LASTING} are in use")

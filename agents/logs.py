"""The worker's log: one line per event on standard error, and no floods."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
SAME_LINE_EVERY_S: Final = 10.0

# Faust tells each step of each rebalance, also in the name of our subclasses; what matters is told by `forewarn.*`.
QUIET: Final = ("faust", "mode", "asyncio", "agents")


class RateLimit(logging.Filter):
    """Lets the same message of the same logger through once in ten seconds: aiokafka repeats itself 1,000 times."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        super().__init__()
        self._said_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the line."""
        key, now = (record.name, str(record.msg)), monotonic()
        if now - self._said_at.get(key, -SAME_LINE_EVERY_S) < SAME_LINE_EVERY_S:
            return False
        self._said_at[key] = now
        return True


def configure(level: str) -> None:
    """Set up logging for a worker process of ours; `faust worker` brings its own."""
    logging.basicConfig(level=level, format=FORMAT, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "DEBUG" else logging.WARNING)
    limit_rate()


def limit_rate() -> None:
    """Limit the lines of the Kafka client."""
    limit = RateLimit()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    for name in list(logging.root.manager.loggerDict):
        if name == "aiokafka" or name.startswith("aiokafka."):
            logging.getLogger(name).addFilter(limit)

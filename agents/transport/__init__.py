"""Faust's Kafka transport, repaired: batches to the agents, exact commits, strict sends (docs/decisions/0010, 0011).

Importing this package registers the URL scheme `forewarn://`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver

from agents.transport.batches import Headers, Record, Sent
from agents.transport.consumer import Consumer
from agents.transport.plan import ALL, Flusher, Override, Plan, Write
from agents.transport.producer import Producer, SendFailed
from agents.transport.schema import raw_schema
from agents.transport.table import BulkTable, Tables, pack, unpack

SCHEME = "forewarn"


class Transport(driver.Transport):  # type: ignore[misc]
    """Connects the consumer with the plan of its app."""

    Consumer: ClassVar[Any] = Consumer
    Producer: ClassVar[Any] = Producer

    def create_consumer(self, callback: Any, **kwargs: Any) -> Any:
        """A consumer that follows `app.plan`."""
        return super().create_consumer(callback, plan=self.app.plan, **kwargs)


TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"

__all__ = [
    "ALL",
    "SCHEME",
    "BulkTable",
    "Consumer",
    "Flusher",
    "Headers",
    "Override",
    "Plan",
    "Producer",
    "Record",
    "SendFailed",
    "Sent",
    "Tables",
    "Transport",
    "Write",
    "pack",
    "raw_schema",
    "unpack",
]

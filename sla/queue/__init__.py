"""Queues of open ticket clocks: how many of them will be missed, at the pace of late (semantics.md 3, Outcome)."""

from sla.queue.outlook import QueueOutlook
from sla.queue.queue import Queue, QueueName
from sla.queue.queues import Queues

__all__ = ["Queue", "QueueName", "QueueOutlook", "Queues"]

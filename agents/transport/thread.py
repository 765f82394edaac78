"""The thread that talks to the group's coordinator, and how fresh its word is."""

from __future__ import annotations

from time import monotonic
from typing import Any

from aiokafka.protocol.group import SyncGroupRequest
from faust.transport.drivers import aiokafka as driver

FETCH_WAIT_MS = 250


class FencedThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Keeps when the coordinator was last asked with success, and how often it disowned this member.

    `last_contact_at` is on the monotonic clock, and the time of *sending*: an answer may have waited, unread, in a
    process that was stopped.
    """

    last_contact_at: float = 0.0
    lost_count: int = 0

    # Faust asks the broker to wait 1.5 s for data: so late is the first record after a rebalance, for a request that
    # was sent before it has to come back first.
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - Faust passes a constant
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, then listen to its coordinator."""
        await super().on_start()
        self.listen(self._consumer._coordinator)  # noqa: SLF001 - aiokafka has no public hook for heartbeats

    def listen(self, coordinator: Any) -> None:
        """Wrap the four methods by which a coordinator hears from the group."""
        beat, send = coordinator._do_heartbeat, coordinator._send_req  # noqa: SLF001
        join, reset = coordinator._on_join_complete, coordinator.reset_generation  # noqa: SLF001
        sync_sent_at = 0.0

        async def send_request(request: Any) -> Any:
            nonlocal sync_sent_at
            if isinstance(request, SyncGroupRequest):
                sync_sent_at = monotonic()
            return await send(request)

        async def heartbeat() -> Any:
            sent_at, generation = monotonic(), coordinator.generation
            accepted = await beat()
            if accepted and coordinator.generation == generation:
                self.last_contact_at = sent_at
            return accepted

        async def join_complete(*args: Any) -> Any:
            self.last_contact_at = sync_sent_at
            return await join(*args)

        def reset_generation() -> None:
            self.lost_count += 1
            reset()

        coordinator._send_req = send_request  # noqa: SLF001
        coordinator._do_heartbeat = heartbeat  # noqa: SLF001
        coordinator._on_join_complete = join_complete  # noqa: SLF001
        coordinator.reset_generation = reset_generation

    async def check(self) -> None:
        """Raise what the coordinator has to say: aiokafka tells it in `getmany` alone, which Faust never calls."""
        self._consumer._coordinator.check_errors()  # noqa: SLF001

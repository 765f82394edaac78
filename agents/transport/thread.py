"""The thread that talks to the group's coordinator, and how fresh its word is."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any

from aiokafka.protocol.group import SyncGroupRequest
from faust.transport.drivers import aiokafka as driver

from agents.transport.unpacking import unpack_whole

FETCH_WAIT_MS = 250


class FencedThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Keeps when the coordinator was last asked with success, and how often it disowned this member.

    `last_contact_at` is on the monotonic clock, and the time of *sending*: an answer may have waited, unread, in a
    process that was stopped.
    """

    last_contact_at: float = 0.0
    lost_count: int = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing was fetched yet."""
        self._brought_to: dict[Any, int] = {}  # one past the last record of the latest fetch
        super().__init__(*args, **kwargs)

    # Faust asks the broker to wait 1.5 s for data: so late is the first record after a rebalance, for a request that
    # was sent before it has to come back first.
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - Faust passes a constant
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, then listen to its coordinator and to what its fetcher brings."""
        await super().on_start()
        unpack_whole(self._consumer._fetcher, self.consumer.in_batches)  # noqa: SLF001 - nor one for what was fetched
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

    # -- how far the records go

    # Faust does not keep where the records of a fetch ended.
    async def _fetch_records(self, *args: Any, **kwargs: Any) -> Any:
        fetched = await super()._fetch_records(*args, **kwargs)
        self._brought_to.update({tp: records[-1].offset + 1 for tp, records in fetched.items() if records})
        return fetched

    async def record_ends(self, *partitions: Any) -> dict[Any, int]:
        """One past the last record of each partition: where its log ends, unless it is known to end in none.

        A transaction ends with a marker, and compaction leaves holes; neither is handed to anybody. So where the
        fetcher has passed the end of the log, what it has brought is all there is.
        """
        return dict(await self.call_thread(self._record_ends, partitions))

    async def _record_ends(self, partitions: Iterable[Any]) -> dict[Any, int]:
        ends = await self._highwaters(list(partitions))
        return {tp: self._brought_to.get(tp, 0) if self._is_passed(tp, end) else end for tp, end in ends.items()}

    def _is_passed(self, tp: Any, end: int) -> bool:
        subscribed = self._consumer._subscription.subscription  # noqa: SLF001 - `position` would wait for one
        assignment = None if subscribed is None else subscribed.assignment
        if assignment is None or tp not in assignment.tps:
            return False
        state = assignment.state_value(tp)
        return bool(state.has_valid_position and state.position >= end)

    async def check(self) -> None:
        """Raise what the coordinator has to say: aiokafka tells it in `getmany` alone, which Faust never calls."""
        self._consumer._coordinator.check_errors()  # noqa: SLF001

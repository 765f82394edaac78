"""The strict producer: one in-order, idempotent stream; after one failed send nothing further is sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, NoReturn

from faust.transport.drivers import aiokafka as driver

from agents.transport.batches import BatchingProducer, Record, Sent


class SendFailed(Exception):  # noqa: N818 - says what happened
    """A record did not reach the broker; nothing may be sent, stored or acknowledged after it."""


class Producer(driver.Producer):  # type: ignore[misc]
    """Knows whatever is on its way, whoever sent it. `app` brings `fatal`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is on its way yet."""
        self._on_the_way: set[asyncio.Future[Any]] = set()
        self.failure: BaseException | None = None
        super().__init__(*args, **kwargs)

    # Idempotence keeps the order of a partition over retries; Faust only offers it together with transactions.
    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    # Faust's has a promise for each record.
    @property
    def _producer_type(self) -> type[BatchingProducer]:
        return BatchingProducer

    # Faust keeps no list of what it sends, so its commit cannot wait for it.
    async def send(self, *args: Any, **kwargs: Any) -> asyncio.Future[Any]:
        """Faust's own sends: changelogs written through a table, forwards, replies."""
        self._refuse_after_failure()
        sent: asyncio.Future[Any] = await super().send(*args, **kwargs)
        return self._track(sent)

    # A buffered send is on its way from here on; Faust's flush gives up on it after 0.1 s.
    def send_soon(self, fut: Any) -> None:
        """Buffer a message; its promise is kept when the broker has it."""
        self._track(fut)
        super().send_soon(fut)

    async def post(self, waiting: deque[Record]) -> list[Sent]:
        """Hand over all that waits, from the left, in order; each is taken out when it is handed over.

        Not through Faust's `send`, which turns timestamps into floating seconds and loses milliseconds. Without a
        timeout of its own, which takes longer than all the rest: one of the caller's bounds many records.
        """
        sent: list[Sent] = []
        while waiting:
            self._refuse_after_failure()
            handed_over = await self._ensure_producer().hand_over(waiting)
            for promise, _ in handed_over:
                self._track(promise)
            sent += handed_over
        return sent

    async def delivered(self) -> None:
        """Wait until the broker has every record sent so far; raises `SendFailed` if it refused one."""
        pending = tuple(self._on_the_way)
        if pending:
            async with asyncio.timeout(self.request_timeout):
                await asyncio.wait(pending)
        self._refuse_after_failure()

    # Faust's flush returns with messages still pending, and the offsets are committed past them.
    async def flush(self) -> None:
        """Wait for every record, buffered ones included."""
        while self._on_the_way:
            await self.delivered()
        self._refuse_after_failure()

    def _track(self, sent: asyncio.Future[Any]) -> asyncio.Future[Any]:
        if sent not in self._on_the_way:
            self._on_the_way.add(sent)
            sent.add_done_callback(self._settled)
        return sent

    def _settled(self, sent: asyncio.Future[Any]) -> None:
        self._on_the_way.discard(sent)
        failure = asyncio.CancelledError() if sent.cancelled() else sent.exception()
        if failure is None or self.failure is not None:
            return
        self.failure = failure
        if not sent.cancelled():  # cancelled: the producer is being stopped, and says so itself
            self.app.fatal(f"a record could not be sent, so nothing is acknowledged: {failure!r}")

    def _refuse_after_failure(self) -> None:
        if self.failure is not None:
            self._refuse(self.failure)

    @staticmethod
    def _refuse(failure: BaseException) -> NoReturn:
        raise SendFailed(f"an earlier record could not be sent: {failure!r}") from failure

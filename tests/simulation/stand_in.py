"""What stands in for Faust's app, table and stream: as much of them as the product's parts ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, NoReturn

from faust.utils.tracing import noop_span
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from agents.transport import BulkTable, Plan


def _nothing(*_: Any, **__: Any) -> None:
    return


class Recovery:
    """Faust's ledger of how far each changelog was read."""

    def __init__(self) -> None:
        self.active_offsets: dict[Any, int] = {}

    def revoke(self, tp: Any) -> None:
        self.active_offsets.pop(tp, None)

    def active_remaining_total(self) -> int:
        return 0


class _NoData:
    async def on_rebalance(self, *_: Any) -> None:
        return


class Table(BulkTable):
    """The product's table, without the rest of Faust's."""

    data = _NoData()

    def __init__(self, app: Any, changelog: str) -> None:
        self.app = app
        self._name = changelog
        self._records = {}
        self._alone_since = {}
        self._written_to = {}
        self._seen_lost_count = 0

    @property
    def changelog(self) -> str:
        return self._name


class StandIn:
    """As much of a Faust app as the product's parts ask for."""

    client_only = False
    in_transaction = False
    crashed = False
    tracer = None

    def __init__(self, conf: Any, plan: Plan, end: Callable[[str], NoReturn]) -> None:
        self.conf = conf
        self.plan = plan
        self.fatal = end
        self.should_stop = False
        self.rebalancing = True
        self.in_recovery = False
        self.consumer_generation_id = 0
        self.flusher: Any = None
        self.producer: Any = None
        self.consumer: Any = None
        self.agent_body: Any = None
        self.tasks: list[Any] = []
        self.on_revoked: list[Any] = []
        self.on_partitions_revoked = SimpleNamespace(connect=self.on_revoked.append)
        self.tables = SimpleNamespace(recovery=Recovery(), on_commit=_nothing, changelog_topics=frozenset())
        self.topics = SimpleNamespace(acks_enabled_for=lambda topic: topic in plan.sources)
        self.sensors = SimpleNamespace(
            on_message_in=_nothing, on_commit_initiated=_nothing, on_commit_completed=_nothing
        )
        self.monitor = SimpleNamespace(track_tp_end_offset=_nothing, on_tp_commit=_nothing)
        self.agents = SimpleNamespace(human_tracebacks=_nothing)
        self.on_produce_message = SimpleNamespace(send=_nothing)
        self._attachments = SimpleNamespace(publish_for_tp_offset=self._no_attachments)

    @property
    def _consumer(self) -> Any:
        return self.consumer

    async def _no_attachments(self, *_: Any) -> None:
        return

    def _start_span_from_rebalancing(self, _name: str) -> Any:
        return noop_span()

    def on_rebalance_return(self) -> None:
        return

    def topic(self, *_: Any, **__: Any) -> None:
        return

    def agent(self, *_: Any, **__: Any) -> Callable[[Any], Any]:
        def declare(body: Any) -> Any:
            self.agent_body = body
            return body

        return declare

    def task(self, body: Any) -> Any:
        self.tasks.append(body)
        return body


class Stream:
    """What the agent reads: messages of this generation, from a queue that a rebalance suspends and clears."""

    def __init__(self, app: StandIn) -> None:
        self._app = app
        self.flow = FlowControlEvent()
        self.queue: Any = ThrowableQueue(flow_control=self.flow, clear_on_resume=True)

    def noack(self) -> Stream:
        return self

    async def events(self) -> AsyncIterator[Any]:
        while True:
            message = await self.queue.get()
            if message.generation_id == self._app.consumer_generation_id:
                yield SimpleNamespace(message=message)
            del message

    async def ack(self, event: Any) -> None:
        self._app.consumer.ack(event.message)

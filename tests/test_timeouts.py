"""No await of the shell waits for ever: one on what is outside stands in a timeout, or is on the list with its reason.

Outside is whatever this package did not write: brokers, Redis, sockets, Faust and its threads. An await on a part of
`agents` is no concern here: what that part awaits is looked at where it is written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

AGENTS: Final = Path(__file__).parent.parent / "agents"

OURS: Final = {
    *("self", "self._heads", "self._outbox", "outbox", "self._port", "self._owner", "self._revisions", "self._health"),
    *("self._catalogue", "catalogue", "self._work", "self._kept", "self._watchdog", "ticker", "self.lifecycle"),
    "self._pace",
}

IN_A_BATCH: Final = "called for a batch (agents.runtime.BATCH_WITHIN_S) or in a flush (consumer.FLUSH_WITHIN_S)"
AT_A_START: Final = "in the start's deadline (FOREWARN_START_DEADLINE), which its caller sets"
AT_A_STOP: Final = "in the stop's deadline, which a thread beside the loop keeps (agents.process.StopDeadline)"
IN_A_REBALANCE: Final = "Faust's part of a rebalance: the override `stall` ends a worker in which it does not get on"
IN_A_REQUEST: Final = "aiokafka gives each request and each fetch a timeout of its own"
POSTED: Final = f"{IN_A_BATCH}, or by the ticker, which has its timeout around it"
THE_TASK_ITSELF: Final = "what the worker lives for: it is meant to go on"

BOUNDED: Final = {
    "catalogue.start: self._consumer.start": AT_A_START,
    "catalogue.start: self._consumer.seek_to_beginning": AT_A_START,
    "catalogue.stop: self._consumer.stop": AT_A_STOP,
    "deliver._try: self._channels.hand_over": "every channel answers within notifiers.registry.CHANNEL_WITHIN_S",
    "deliver.stop: self._channels.close": AT_A_STOP,
    "health.start: asyncio.start_server": "binds a port of this machine, and answers at once",
    "outbox.send: self._lock": IN_A_BATCH,
    "deliver._flush: self._lock": "held by a flush, which has its timeout inside",
    "catalogue._read: self._moved": "held for no longer than it takes to tell who waits",
    "port.post: self._app.producer.post": POSTED,
    "port.delivered: self._app.producer.delivered": "Producer.delivered has its timeout inside",
    "port.end_offset: self._app.consumer.highwaters": "its callers wait for agents.port.END_OFFSET_WITHIN_S or a batch",
    "port.record_ends: self._app.consumer.record_ends": "its caller waits for agents.watchdog.ASK_WITHIN_S",
    "preflight._ask: client.bootstrap": AT_A_START,
    "preflight._ask: client.fetch_all_metadata": AT_A_START,
    "preflight._ask: client.close": AT_A_START,
    "project.stop: self._watch": AT_A_STOP,
    "project.stop: self._redis.aclose": AT_A_STOP,
    "guard.guarded: work": THE_TASK_ITSELF,
    "shell._tell_owed: self._paying": IN_A_BATCH,
    "runtime.close: self._following": AT_A_STOP,
    "runtime._agent: manual.events": THE_TASK_ITSELF,
    "runtime._agent: manual.ack": "Faust's bookkeeping, which awaits nothing",
    "transport.consumer.record_ends: self._thread.record_ends": "its caller waits for agents.watchdog.ASK_WITHIN_S",
    "transport.consumer._wait_next_records: super()._wait_next_records": THE_TASK_ITSELF,
    "transport.consumer._getmany: super()._getmany": IN_A_REQUEST,
    "transport.consumer.getmany: super().getmany": THE_TASK_ITSELF,
    "transport.consumer._add_gap: super()._add_gap": "Faust's bookkeeping, which awaits nothing",
    "transport.consumer.perform_seek: super().perform_seek": IN_A_REBALANCE,
    "transport.consumer.perform_seek: self._thread.seek_to_beginning": IN_A_REBALANCE,
    "transport.consumer.seek_wait: super().seek_wait": IN_A_REBALANCE,
    "transport.consumer._quiet: self._no_fetch.wait": "a fetch ends within consumer.POLL_S",
    "transport.consumer.commit_and_end_transactions: super().commit_and_end_transactions": IN_A_REBALANCE,
    "transport.consumer.on_partitions_revoked: super().on_partitions_revoked": IN_A_REBALANCE,
    "transport.batches._room_behind: full.wait_drain": "with a timeout of its own, that of a request",
    "transport.producer.post: self._ensure_producer().hand_over": POSTED,
    "transport.producer.send: super().send": "Faust sends nothing while every topic and table is ours",
    "transport.table.on_start: self.recovery.start": "starts a task",
    "transport.table.on_rebalance: super().on_rebalance": IN_A_REBALANCE,
    "transport.thread.on_start: super().on_start": IN_A_REQUEST,
    "transport.thread.send_request: send": IN_A_REQUEST,
    "transport.thread.heartbeat: beat": IN_A_REQUEST,
    "transport.thread.join_complete: join": IN_A_REQUEST,
    "transport.thread._fetch_records: super()._fetch_records": IN_A_REQUEST,
    "transport.unpacking.proceed_and_replace: proceed": IN_A_REQUEST,
    "worker.on_first_start: super().on_first_start": "makes Faust's folders",
    "worker.on_stop: super().on_stop": AT_A_STOP,
}


class _Awaits(ast.NodeVisitor):
    """The awaits on what is outside, and whether each stands in a timeout."""

    def __init__(self, module: str) -> None:
        self.found: list[tuple[str, bool]] = []
        self._module = module
        self._function = ""
        self._is_timed = False

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        outer = self._function, self._is_timed
        self._function, self._is_timed = node.name, False
        self.generic_visit(node)
        self._function, self._is_timed = outer

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        outer = self._is_timed
        for item in node.items:
            text = ast.unparse(item.context_expr)
            if text.startswith("asyncio.timeout("):
                self._is_timed = True
            elif not text.startswith("asyncio.TaskGroup("):
                self._note(item.context_expr)
        for statement in node.body:
            self.visit(statement)
        self._is_timed = outer

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self._note(node.iter)
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        self._note(node.value)
        self.generic_visit(node)

    def _note(self, awaited: ast.expr) -> None:
        callee = awaited.func if isinstance(awaited, ast.Call) else awaited
        text = ast.unparse(callee)
        owner = ast.unparse(callee.value) if isinstance(callee, ast.Attribute) and awaited is not callee else None
        if owner not in OURS and text != "asyncio.sleep":
            self.found.append((f"{self._module}.{self._function}: {text}", self._is_timed))


def awaits() -> Iterator[tuple[str, bool]]:
    for path in sorted(AGENTS.rglob("*.py")):
        visitor = _Awaits(".".join(path.relative_to(AGENTS).with_suffix("").parts))
        visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
        yield from visitor.found


def own_functions() -> set[str]:
    """Functions of the shell's own modules, which are awaited by their plain name."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in AGENTS.rglob("*.py"))
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}


def test_no_await_on_what_is_outside_can_wait_for_ever() -> None:
    own = own_functions()
    unbounded = {place for place, is_timed in awaits() if not is_timed and place.partition(": ")[2] not in own}
    assert unbounded == BOUNDED.keys()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("async def f():\n    await redis.ping()", [("m.f: redis.ping", False)]),
        ("async def f():\n    async with asyncio.timeout(1):\n        await redis.ping()", [("m.f: redis.ping", True)]),
        (
            "async def f():\n  async with asyncio.timeout(1):\n    async def g():\n      await redis.ping()",
            [("m.g: redis.ping", False)],
        ),
        ("async def f():\n    await self._port.post(1)\n    await asyncio.sleep(1)", []),
        ("async def f():\n    async for each in stream.events():\n        pass", [("m.f: stream.events", False)]),
    ],
)
def test_what_is_looked_for_is_found(code: str, found: list[tuple[str, bool]]) -> None:
    visitor = _Awaits("m")
    visitor.visit(ast.parse(code))
    assert visitor.found == found

"""The role `deliver`: hands each message of the outbox to its channel and records what became of it.

A message is kept in the role's table until it has an outcome (design.md 3.7). It is tried once it is in the table, and
its offset committed no earlier; a crash repeats only what has no stored outcome. Redis plays no part.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from time import time_ns
from typing import Any, Final

from agents.delivery.calls import Calls, Tried
from agents.delivery.lanes import Lanes
from agents.delivery.ledger import Ledger
from agents.delivery.links import links_of
from agents.delivery.pending import Pending, Unreadable, taken
from agents.delivery.retry import Again, Done, Over, judge
from agents.heads import HeadStore, PartitionMoved
from agents.metrics import Metric
from agents.outbox import Outbox
from agents.pace import within
from agents.port import Port
from agents.role import Context, KeepingRole, written_by
from agents.settings import Settings
from agents.shell import line_of
from agents.standalone import app_of
from agents.transport import Write
from agents.transport.consumer import FLUSH_WITHIN_S
from notifiers.protocol import Message, Retry
from notifiers.registry import Channels, Options, standard
from notifiers.rendering import Renderer
from schemas.dead_letter import dead_letter
from schemas.feeds import decode_send, delivery
from schemas.topics import OUTBOX
from sla.dispatch import Send
from sla.fold import Line
from sla.records import Reason, Rejection

log = logging.getLogger("forewarn.deliver")

LOOK_EVERY_S: Final = 0.25  # for what is due again, for partitions that are new


class Deliver:
    """See the module. One writer: whatever changed goes to the table in one flush, under one lock."""

    def __init__(
        self,
        context: Context,
        channels: Channels | None = None,
        *,
        now: Callable[[], int] = lambda: time_ns() // 1_000_000,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`channels` are those of the registry by default. `now` is the real clock, in epoch milliseconds."""
        self._context = context
        self._channels = channels or standard(options_of(context.settings))
        self._renderer = Renderer(context.settings.forewarn_templates, links_of(context.settings))
        self._now = now
        self._jitter = jitter
        self._lanes = Lanes()
        self._ledgers: dict[int, Ledger] = {}
        self._fresh: list[Pending] = []  # taken, and not yet in the table
        self._calls = Calls()
        self._lock = asyncio.Lock()
        self._woken = asyncio.Event()  # something may be tried
        self._changed = asyncio.Event()  # something is to be written
        self._parts: tuple[HeadStore, Outbox] | None = None

    async def start(self, port: Port) -> None:
        """Channels connect when they are used."""
        outbox = Outbox(port, self._context.metrics)
        heads = HeadStore(OUTBOX.name, port=port, metrics=self._context.metrics, outbox=outbox)
        self._parts = heads, outbox
        for finding in self._renderer.findings() if self._context.settings.forewarn_templates else ():
            log.warning("a template cannot be used, and plain words will stand in: %s", finding)

    # -- in: from the outbox into the table

    async def handle(self, partition: int, records: Sequence[Any]) -> None:
        """Take a batch: it is written at once beside, and its offsets are committed when the table has it."""
        ledger = await self._ledger_of(partition)
        new: list[Pending] = []
        for record in records:
            line = line_of(record)
            if not ledger.is_new(line.offset):
                continue
            found = decode_send(line, self._context.clock.now())
            is_usable = not isinstance(found, Rejection)
            self._context.storm.read(OUTBOX.name, partition, line.stamped_at, is_usable=is_usable)
            if isinstance(found, Rejection):
                self._reject(found, partition, line)
            elif isinstance(found, Send) and not ledger.is_repeat(found):
                new.append(taken(partition, line.offset, line.value or b"", found, self._now()))
        self._wait_for_channel(ledger.take(new))
        self._changed.set()

    async def _ledger_of(self, partition: int) -> Ledger:
        ledger = self._ledgers.get(partition)
        if ledger is None:
            stored = await self._heads.load(partition)
            ledger = self._ledgers.setdefault(partition, Ledger(partition, stored))
            self._reject_unreadable(ledger.take_unreadable())
            for early in self._calls.take_early(partition):
                self._settle(early)
            self._wait_for_channel(ledger.pending.values())
        return ledger

    def _wait_for_channel(self, messages: Iterable[Pending]) -> None:
        for each in messages:
            self._lanes.of(each).add(each)
            if not each.is_stored:
                self._fresh.append(each)

    def _reject(self, rejection: Rejection, partition: int, line: Line) -> None:
        letter = dead_letter(rejection, OUTBOX.name, partition, line)
        self._context.storm.saw([letter])
        self._outbox.add([letter])

    def _reject_unreadable(self, messages: Iterable[Unreadable]) -> None:
        for slot, offset, value, why in messages:
            log.error("a message of the table cannot be read, and becomes a dead letter: %s", why.detail)
            line = Line(offset, None, value, self._context.clock.now(), None)
            why_not = Rejection(why.reason, f"not delivered, for it cannot be read: {why.detail}")
            self._reject(why_not, slot.partition, line)

    async def settle(self) -> None:
        """Nothing is put off."""

    def snapshot(self) -> Write:
        """What was taken and what has an outcome is in the table before its offsets are committed."""
        return self._flush

    async def _flush(self) -> bool:
        async with self._lock:
            unstored, fresh, self._fresh = self._lanes.unstored, self._fresh, []
            dirty = {partition: ledger.take_dirty() for partition, ledger in self._ledgers.items()}
            async with asyncio.timeout(FLUSH_WITHIN_S):
                is_written = await self._heads.snapshot(dirty)()
            if not is_written:
                self._fresh = [*fresh, *self._fresh]
                return False
            for each in fresh:
                each.is_stored = True
            self._lanes.stored(unstored)
            self._woken.set()
            return True

    # -- out: from the table to the channels

    async def run(self, owned: Callable[[], frozenset[int]]) -> None:
        """Try what is due and store what became of it, until cancelled; a try that is cut short is tried again."""
        async with asyncio.TaskGroup() as tries:
            tries.create_task(self._store(owned))  # beside: no try waits until another's outcome is stored
            while True:
                self._woken.clear()
                await self._load(owned())
                for each, over in self._lanes.hopeless(self._now()):
                    self._settle(Tried(each, over))
                for due in self._lanes.due(self._now()):
                    self._calls.began(due.slot, tries.create_task(self._call(due)))
                self._tell_figures()
                await within(LOOK_EVERY_S, self._woken)

    async def _store(self, owned: Callable[[], frozenset[int]]) -> None:
        while True:
            await within(LOOK_EVERY_S, self._changed)
            self._changed.clear()
            is_dirty = any(ledger.is_dirty for ledger in self._ledgers.values())
            if owned() and (is_dirty or self._fresh or self._lanes.unstored):  # the last two: what a fence held back
                await self._flush()

    async def _load(self, owned: frozenset[int]) -> None:
        for partition in sorted(owned - self._ledgers.keys()):
            try:
                await self._ledger_of(partition)
            except PartitionMoved:
                return
        if owned:
            self._calls.leave_to_others(owned)

    async def _call(self, pending: Pending) -> None:
        try:
            await self._try(pending)
        finally:
            self._lanes.of(pending).cut_short(pending)

    async def _try(self, pending: Pending) -> None:
        send = pending.send
        words, mistake = self._renderer.words(send)
        outcome = await self._channels.hand_over(Message(send, words))
        now = self._now()
        pending.tries_count += 1
        verdict = judge(
            outcome,
            tries_count=pending.tries_count,
            severity=send.severity,
            taken_at=pending.taken_at,
            now=now,
            jitter=self._jitter(),
        )
        self._lanes.of(pending).ended(pending, now, is_troubled=isinstance(outcome, Retry))
        self._settle(Tried(pending, verdict, mistake))
        self._woken.set()

    def _settle(self, ended: Tried) -> None:
        tried, verdict, mistake = ended
        ledger = self._ledgers.get(tried.slot.partition)
        if ledger is None:
            self._calls.ended_early(ended)  # a rebalance: the partition may come back, or somebody else tries again
            return
        pending = ledger.pending.get(tried.slot.key)
        if pending is None:
            return  # it was away, and whoever had it has recorded an outcome
        self._lanes.of(pending).settled(pending)
        self._changed.set()
        match verdict:
            case Done():
                self._record(pending, "delivered", mistake)  # delivered, but perhaps in plain words
                ledger.drop(pending)
            case Again(at, why):
                log.info("%s by %s: trying again: %s", pending.send.stakeholder, pending.target.kind, why)
                self._context.metrics.count(Metric.DELIVERIES, outcome="retry")
                pending.tries_count, pending.next_at = tried.tries_count, at
                ledger.keep(pending)
                self._lanes.of(pending).add_again(pending)
            case Over(why):
                self._give_up(ledger, pending, why)

    def _give_up(self, ledger: Ledger, pending: Pending, why: str) -> None:
        """The record, a dead letter, and the fallback instead: all in one flush."""
        send = pending.send
        log.warning("%s could not be told by %s: %s", send.stakeholder, send.channel.kind, why)
        found = pending.fallbacks(self._now())
        self._reject_unreadable(each for each in found if isinstance(each, Unreadable))
        instead = ledger.take(each for each in found if isinstance(each, Pending))
        told = f"; telling {instead[0].send.stakeholder} instead" if instead else ""
        self._record(pending, "failed", why + told)
        line = Line(pending.offset, send.stakeholder.encode(), pending.value, self._context.clock.now(), None)
        self._reject(Rejection(Reason.LIMIT_REACHED, f"not delivered: {why}"), pending.slot.partition, line)
        ledger.drop(pending)
        self._wait_for_channel(instead)

    def _record(self, pending: Pending, outcome: str, detail: str | None) -> None:
        self._context.metrics.count(Metric.DELIVERIES, outcome=outcome)
        self._outbox.add([delivery(pending.send, outcome, detail, self._context.clock.now())])

    def _tell_figures(self) -> None:
        metrics = self._context.metrics
        metrics.gauge(Metric.PENDING, sum(len(ledger.pending) for ledger in self._ledgers.values()))
        metrics.gauge(Metric.CHANNELS_BROKEN, self._lanes.broken_count)

    # -- the end

    def forget(self) -> None:
        """All partitions have been revoked: what has no stored outcome is tried by whoever gets them."""
        self._heads.forget()
        self._context.storm.forget()
        self._calls.forget()
        self._ledgers.clear()
        self._lanes.forget()
        self._fresh.clear()

    async def stop(self) -> None:
        """Let go of connections."""
        await self._channels.close()

    @property
    def _heads(self) -> HeadStore:
        return self._parts_started[0]

    @property
    def _outbox(self) -> Outbox:
        return self._parts_started[1]

    @property
    def _parts_started(self) -> tuple[HeadStore, Outbox]:
        if self._parts is None:
            raise RuntimeError("deliver was not started")
        return self._parts


def options_of(settings: Settings) -> Options:
    """What the settings say of channels."""
    return Options(settings.channels_allowed, settings.forewarn_secrets, settings.forewarn_link_secret_file)


ROLE: Final = KeepingRole(name="deliver", source=OUTBOX.name, writes=written_by("deliver"), make_work=Deliver)


def __getattr__(name: str) -> Any:
    return app_of(__name__, name, ROLE)

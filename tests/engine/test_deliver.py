"""The role `deliver`, in memory: what is kept, what is tried, what becomes of it, and what a crash repeats."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from unittest import mock

import orjson
import pytest

from agents import deliver as deliver_module
from agents.deliver import Deliver
from agents.delivery.lanes import AT_ONCE_MAX, BROKEN_FOR_MS, FAILURES_MAX, UNSTORED_MAX, WAITING_MAX, Lane
from agents.delivery.pending import taken
from agents.delivery.retry import (
    GIVE_UP_AFTER_MS,
    GIVE_UP_CRITICAL_AFTER_MS,
    PAUSE_FIRST_MS,
    PAUSE_LONGEST_MS,
    Again,
    Done,
    Over,
    judge,
)
from agents.heads import RENEW_AFTER_S
from agents.log_clock import LogClock
from agents.metrics import Metric, Metrics
from agents.role import Context
from agents.settings import Settings
from agents.storm import StormWatch
from agents.transport import pack
from notifiers.protocol import Delivered, Failed, Message, Outcome, Retry
from notifiers.registry import Channels
from notifiers.secrets import Secrets
from schemas import topics
from schemas.feeds import decode_send
from sla.dispatch import Send
from sla.fold import Line
from tests.engine.parts import SETTINGS, World, record
from tests.harness.process import PATIENCE_S

T0 = 1_795_392_000_000


def send(number: int, kind: str = "good", *, key: str = "", severity: str | None = None, fallback: Any = None) -> bytes:
    return orjson.dumps(
        {
            "type": "send",
            "id": f"id-{number}",
            "stakeholder": "oncall",
            "audience": "oncall",
            "channel": {"kind": kind, "url": None},
            "subject": "s",
            "text": "t",
            "event_id": "e",
            "dedup_key": key or f"a/{number}",
            "severity": severity,
            "fallback": fallback,
            "source": "forewarn:sla.notices.v1/0",
            "sequence": number,
        }
    )


class Channel:
    """Answers as it is told, one answer after the other, the last for ever; None hangs."""

    def __init__(self, *outcomes: Outcome | None, gate: asyncio.Event | None = None) -> None:
        self.gate = gate
        self.outcomes = list(outcomes) or [Delivered()]
        self.seen: list[str] = []
        self.under_way = 0
        self.under_way_most = 0

    async def send(self, message: Message, url: str) -> Outcome:
        del url
        self.seen.append(message.send.id)
        self.under_way += 1
        self.under_way_most = max(self.under_way, self.under_way_most)
        try:
            await (asyncio.sleep(0) if self.gate is None else self.gate.wait())
            outcome = self.outcomes[0] if len(self.outcomes) == 1 else self.outcomes.pop(0)
            if outcome is None:
                await asyncio.Event().wait()
            assert outcome is not None
            return outcome
        finally:
            self.under_way -= 1


class Desk:
    """A running `deliver` over a world that outlives it. Time stands unless a test moves it."""

    def __init__(self, world: World, channels: dict[str, Channel], settings: Settings = SETTINGS) -> None:
        self.world = world
        metrics = Metrics()
        self.context = Context(settings, metrics, LogClock(), None, StormWatch(metrics))
        self.at = T0
        self.owned = frozenset({0})
        self.deliver = Deliver(
            self.context,
            Channels(channels, Secrets({}, Path("/nowhere"))),
            now=lambda: self.at,
            jitter=lambda: 0.0,
        )

    async def take(self, *values: bytes, offset: int = 0) -> None:
        records = [record(offset + place, b"oncall", value) for place, value in enumerate(values)]
        await self.deliver.handle(0, records)
        await self.deliver.snapshot()()  # as a commit does

    def outcomes(self) -> list[tuple[str, str]]:
        found = [orjson.loads(value or b"") for value in self.world.sent(topics.DELIVERIES.name)]
        return [(each["id"], each["outcome"]) for each in found]

    async def until(self, condition: Callable[[], object]) -> None:
        deadline = monotonic() + PATIENCE_S
        while not condition():
            assert monotonic() < deadline, self.outcomes()
            await asyncio.sleep(0)

    def kept(self) -> list[bytes]:
        return [key for key in self.world.table[0] if key.startswith(b"send/")]


@asynccontextmanager
async def running(world: World, settings: Settings = SETTINGS, **channels: Channel) -> AsyncIterator[Desk]:
    """Ends as a crash does: nothing is flushed."""
    desk = Desk(world, channels, settings)
    await desk.deliver.start(world)
    with mock.patch.object(deliver_module, "LOOK_EVERY_S", 0.001):
        task = asyncio.create_task(desk.deliver.run(lambda: desk.owned))
        try:
            yield desk
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


# -- what is kept


async def test_a_message_is_in_the_table_before_it_is_committed_and_gone_after_its_outcome() -> None:
    channel = Channel(None)
    async with running(World(), good=channel) as desk:
        await desk.take(send(1), send(2))
        assert desk.kept() == [b"send/id-1", b"send/id-2"]
        channel.outcomes = [Delivered()]
    async with running(desk.world, good=channel) as again:
        await again.until(lambda: not again.kept())
        assert again.outcomes() == [("id-1", "delivered"), ("id-2", "delivered")]


async def test_it_is_tried_only_once_it_is_in_the_table() -> None:
    world = World(is_fenced=True)
    channel = Channel()
    async with running(world, good=channel) as desk:
        await desk.take(send(1))
        assert not await desk.deliver.snapshot()()  # so nothing is committed
        assert channel.seen == []
        world.is_fenced = False
        assert await desk.deliver.snapshot()()
        await desk.until(lambda: desk.outcomes() == [("id-1", "delivered")])


async def test_the_record_of_an_outcome_is_on_the_broker_before_the_message_leaves_the_table() -> None:
    async with running(World(), good=Channel()) as desk:
        await desk.take(send(1))
        await desk.until(lambda: not desk.kept())
        places = [
            (entry[0], entry[1] if entry[0] == "sent" else entry[2], entry[3] is None) for entry in desk.world.log
        ]
        assert places == [
            ("stored", b"send/id-1", False),
            ("stored", b"@partition", False),
            ("sent", topics.DELIVERIES.name, False),
            ("stored", b"send/id-1", True),
        ]


async def test_after_a_crash_only_what_has_no_stored_outcome_is_tried_again() -> None:
    good, hanging = Channel(), Channel(None)
    async with running(World(), good=good, hanging=hanging) as desk:
        await desk.take(send(1), send(2, "hanging"))
        await desk.until(lambda: desk.kept() == [b"send/id-2"])
    hanging.outcomes = [Delivered()]
    async with running(desk.world, good=good, hanging=hanging) as again:
        await again.until(lambda: not again.kept())
    assert good.seen == ["id-1"]
    assert hanging.seen == ["id-2", "id-2"]


async def test_while_no_outcome_can_be_stored_no_more_is_told_than_a_crash_may_repeat() -> None:
    world, good = World(), Channel()
    async with running(world, good=good) as desk:
        gate = good.gate = asyncio.Event()  # nothing ends before the table is out of reach
        await desk.take(*(send(number) for number in range(100)))
        await desk.until(lambda: good.under_way == AT_ONCE_MAX)
        world.is_fenced = True
        gate.set()
        await desk.until(lambda: len(good.seen) >= UNSTORED_MAX and not good.under_way)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert UNSTORED_MAX <= len(good.seen) < UNSTORED_MAX + AT_ONCE_MAX
        world.is_fenced = False
        await desk.until(lambda: not desk.kept())
    assert good.seen == [f"id-{number}" for number in range(100)]


async def test_records_read_again_and_messages_dispatched_again_are_told_once() -> None:
    channel = Channel()
    async with running(World(), good=channel) as desk:
        await desk.take(send(1), send(2))
        await desk.until(lambda: not desk.kept())
    async with running(desk.world, good=channel) as again:
        await again.take(send(1), send(2))  # the same offsets: they were not committed
        await again.take(send(2), send(3), offset=2)  # dispatch repeats what it had not noted
        await again.until(lambda: ("id-3", "delivered") in again.outcomes())
    assert channel.seen == ["id-1", "id-2", "id-3"]


async def test_a_message_that_cannot_be_read_is_a_dead_letter_and_a_tick_is_nothing() -> None:
    async with running(World(), good=Channel()) as desk:
        await desk.take(b"\xff", b'{"type":"tick"}', send(1))
        await desk.until(lambda: desk.outcomes() == [("id-1", "delivered")])
        assert len(desk.world.sent(topics.DEAD_LETTERS.name)) == 1


async def test_a_table_that_cannot_be_written_is_an_error_of_the_commit() -> None:
    async with running(World(broken=OSError("away"))) as desk:
        desk.owned = frozenset()
        with pytest.raises(OSError, match="away"):
            await desk.take(send(1))


async def test_what_a_revoked_partition_held_is_left_to_its_next_owner() -> None:
    channel = Channel(Retry("busy"))
    async with running(World(), good=channel) as desk:
        await desk.take(send(1))
        await desk.until(lambda: channel.seen)
        desk.owned = frozenset()
        desk.deliver.forget()
        tries_count = len(channel.seen)
        desk.at += PAUSE_LONGEST_MS
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(channel.seen) == tries_count
        desk.owned = frozenset({0})
        channel.outcomes = [Delivered()]
        desk.at += PAUSE_LONGEST_MS
        await desk.until(lambda: not desk.kept())


async def test_what_was_under_way_during_a_rebalance_is_not_repeated_if_its_partition_comes_back() -> None:
    gate = asyncio.Event()
    channel = Channel(gate=gate)
    async with running(World(), good=channel) as desk:
        await desk.take(send(1))
        await desk.until(lambda: channel.seen)
        desk.owned = frozenset()
        desk.deliver.forget()
        gate.set()
        await desk.until(lambda: channel.under_way == 0)
        desk.owned = frozenset({0})
        await desk.until(lambda: not desk.kept())
    assert channel.seen == ["id-1"]
    assert desk.outcomes() == [("id-1", "delivered")]


async def test_what_moves_during_a_call_is_its_new_owners_and_the_call_is_cut_short() -> None:
    gate = asyncio.Event()
    channel = Channel(gate=gate)
    async with running(World(), good=channel) as desk:
        await desk.take(send(1))
        await desk.until(lambda: channel.under_way == 1)
        desk.owned = frozenset()
        desk.deliver.forget()
        desk.owned = frozenset({1})  # the group has settled: partition 0 is another's
        await desk.until(lambda: channel.under_way == 0)
        gate.set()
        assert desk.outcomes() == []
        desk.deliver.forget()
        desk.owned = frozenset({0})
        await desk.until(lambda: desk.outcomes() == [("id-1", "delivered")])
    assert channel.seen == ["id-1", "id-1"]


async def test_an_outcome_from_before_the_last_rebalance_is_not_recorded() -> None:
    gate = asyncio.Event()
    channel = Channel(Failed("no"), Delivered(), gate=gate)
    async with running(World(), good=channel) as desk:
        await desk.take(send(1))
        await desk.until(lambda: channel.under_way == 1)
        desk.owned = frozenset()
        desk.deliver.forget()
        gate.set()
        await desk.until(lambda: channel.under_way == 0)
        desk.deliver.forget()  # between the two somebody else may have had the partition
        desk.owned = frozenset({0})
        await desk.until(lambda: desk.outcomes() == [("id-1", "delivered")])
    assert channel.seen == ["id-1", "id-1"]


@pytest.mark.parametrize("name", ["id#1", "#", "a b/ü"])
async def test_a_message_of_any_id_is_a_head_and_written_again_at_the_renewal(name: str) -> None:
    channel = Channel(None)
    async with running(World(), good=channel) as desk:
        await desk.take(orjson.dumps({**orjson.loads(send(1)), "id": name}))
        desk.world.alone_s = RENEW_AFTER_S + 1
        await desk.deliver.snapshot()()
        assert desk.world.stored_keys().count(f"send/{name}".encode()) == 2


# -- what nobody can read


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (pack(5, b'{"message":{}}'), "wrong_type"),
        (pack(5, b"\x00"), "wrong_type"),
        (pack(5, b'{"record":{"type":"send"},"taken_at":1,"tries_count":0,"next_at":0}'), "missing_field"),
        (pack(5, b'{"record":{"type":"tick"},"taken_at":1,"tries_count":0,"next_at":0}'), "unknown_type"),
    ],
)
async def test_a_kept_message_that_cannot_be_read_becomes_a_dead_letter_and_the_others_are_told(
    head: bytes, reason: str
) -> None:
    async with running(World(), good=Channel(None)) as desk:
        await desk.take(send(1))
    desk.world.table[0][b"send/broken"] = head
    async with running(desk.world, good=Channel()) as again:
        await again.until(lambda: not again.kept())
        assert again.outcomes() == [("id-1", "delivered")]
        (letter,) = [orjson.loads(value or b"") for value in again.world.sent(topics.DEAD_LETTERS.name)]
    assert letter["reason"] == reason
    assert letter["offset"] == 5
    assert letter["value_base64"]


@pytest.mark.parametrize("fallback", [{}, {"stakeholder": "lead", "audience": "owner", "channels": ["sms"]}])
async def test_a_message_whose_fallback_cannot_be_told_is_refused_when_it_comes(fallback: Any) -> None:
    async with running(World(), good=Channel()) as desk:
        await desk.take(send(1, fallback=fallback), send(2))
        await desk.until(lambda: desk.outcomes() == [("id-2", "delivered")])
        assert len(desk.world.sent(topics.DEAD_LETTERS.name)) == 1


# -- what is tried


async def test_trouble_is_tried_again_later_and_what_is_refused_is_not() -> None:
    busy, refusing = Channel(Retry("busy", 5_000), Delivered()), Channel(Failed("no"))
    async with running(World(), busy=busy, refusing=refusing) as desk:
        await desk.take(send(1, "busy"), send(2, "refusing"))
        await desk.until(lambda: desk.outcomes() == [("id-2", "failed")])
        desk.at += 4_999
        for _ in range(50):
            await asyncio.sleep(0)
        assert busy.seen == ["id-1"]
        desk.at += 1
        await desk.until(lambda: ("id-1", "delivered") in desk.outcomes())
    assert desk.context.metrics.value(Metric.DELIVERIES, outcome="retry") == 1
    assert refusing.seen == ["id-2"]


async def test_one_channel_that_hangs_delays_no_other() -> None:
    good, hanging = Channel(), Channel(None)
    async with running(World(), good=good, hanging=hanging) as desk:
        await desk.take(
            *(send(number, "hanging") for number in range(50)), *(send(number) for number in range(50, 100))
        )
        await desk.until(lambda: len(desk.outcomes()) == 50)
    assert hanging.under_way_most == AT_ONCE_MAX
    assert len(hanging.seen) == AT_ONCE_MAX


async def test_what_concerns_one_promise_arrives_in_order() -> None:
    channel = Channel(Retry("busy"), Delivered())
    async with running(World(), good=channel) as desk:
        await desk.take(send(1, key="a/b"), send(2, key="a/b"), send(3, key="a/c"))
        await desk.until(lambda: desk.outcomes() == [("id-3", "delivered")])
        desk.at += PAUSE_FIRST_MS
        await desk.until(lambda: len(desk.outcomes()) == 3)
    assert channel.seen == ["id-1", "id-3", "id-1", "id-2"]


async def test_a_final_failure_is_on_record_a_dead_letter_and_told_to_the_fallback_once() -> None:
    lead = {"stakeholder": "lead", "audience": "owner", "channels": [{"kind": "good", "url": None}]}
    good = Channel(Failed("not either"))
    async with running(World(), good=good, bad=Channel(Failed("no route"))) as desk:
        await desk.take(send(1, "bad", fallback=lead))
        await desk.until(lambda: len(desk.outcomes()) == 2)
        records = [orjson.loads(value or b"") for value in desk.world.sent(topics.DELIVERIES.name)]
        letters = [orjson.loads(value or b"") for value in desk.world.sent(topics.DEAD_LETTERS.name)]
    assert [(each["stakeholder"], each["outcome"], each["detail"]) for each in records] == [
        ("oncall", "failed", "no route; telling lead instead"),
        ("lead", "failed", "not either"),
    ]
    assert records[0]["id"] != records[1]["id"]
    assert [(each["reason"], each["detail"]) for each in letters] == [
        ("limit_reached", "not delivered: no route"),
        ("limit_reached", "not delivered: not either"),
    ]
    assert len(good.seen) == 1


async def test_words_of_the_house_do_not_go_to_a_fallback_outside_of_it() -> None:
    customer = {"stakeholder": "acme", "audience": "customer", "channels": [{"kind": "good", "url": None}]}
    good = Channel()
    async with running(World(), good=good, bad=Channel(Failed("no route"))) as desk:
        await desk.take(send(1, "bad", fallback=customer))
        await desk.until(lambda: desk.outcomes() == [("id-1", "failed")])
    assert good.seen == []


async def test_a_critical_message_behind_a_broken_circuit_is_given_up_in_time() -> None:
    down = Channel(Retry("busy"))
    async with running(World(), down=down) as desk:
        await desk.take(*(send(number, "down") for number in range(AT_ONCE_MAX)))
        await desk.until(lambda: len(down.seen) == AT_ONCE_MAX)
        await desk.take(send(90, "down", severity="critical"), send(91, "down"), offset=AT_ONCE_MAX)
        desk.at += GIVE_UP_CRITICAL_AFTER_MS
        await desk.until(lambda: desk.outcomes() == [("id-90", "failed")])
        assert "id-90" not in down.seen
        (told,) = [orjson.loads(value or b"") for value in desk.world.sent(topics.DELIVERIES.name)]
    assert told["detail"] == "given up after 0 tries in 300 s: the channel fails"


async def test_who_was_away_for_hours_tries_each_message_before_giving_it_up() -> None:
    async with running(World(), good=Channel(None)) as desk:
        await desk.take(send(1, severity="critical"))
    channel = Channel()
    async with running(desk.world, good=channel) as again:
        again.at += 2 * GIVE_UP_AFTER_MS
        await again.until(lambda: again.outcomes() == [("id-1", "delivered")])


async def test_too_much_for_a_channel_that_fails_gives_up_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.delivery.lanes.WAITING_MAX", 10)
    async with running(World(), down=Channel(Retry("busy"))) as desk:
        await desk.take(*(send(number, "down") for number in range(40)))
        await desk.until(lambda: len(desk.kept()) == 10)
        assert Counter(outcome for _, outcome in desk.outcomes()) == {"failed": 30}


async def test_a_burst_for_a_channel_that_works_only_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.delivery.lanes.WAITING_MAX", 10)
    async with running(World(), good=Channel()) as desk:
        await desk.take(*(send(number) for number in range(200)))
        await desk.until(lambda: not desk.kept())
        assert Counter(outcome for _, outcome in desk.outcomes()) == {"delivered": 200}


async def test_an_error_of_our_own_ends_the_worker_and_is_not_swallowed() -> None:
    desk = Desk(World(), {"good": Channel()})
    await desk.deliver.start(desk.world)
    task = asyncio.create_task(desk.deliver.run(lambda: desk.owned))
    await desk.take(send(1))
    desk.world.broken = OSError("away")
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(task, PATIENCE_S)


async def test_a_template_that_fails_costs_no_message_and_is_on_record(tmp_path: Path) -> None:
    (tmp_path / "default.txt").write_text("{{ 1 / 0 }}")
    settings = SETTINGS.model_copy(update={"forewarn_templates": tmp_path})
    async with running(World(), settings, good=Channel()) as desk:
        await desk.take(send(1))
        await desk.until(lambda: desk.outcomes() == [("id-1", "delivered")])
        (told,) = [orjson.loads(value or b"") for value in desk.world.sent(topics.DELIVERIES.name)]
    assert told["detail"] == "plain words instead of a template's: division by zero"


# -- the policy


def judged(outcome: Outcome, tries_count: int = 1, *, age_ms: int = 0, jitter: float = 0.0, severity: str = "") -> Any:
    return judge(
        outcome, tries_count=tries_count, severity=severity, taken_at=T0 - age_ms, now=T0, jitter=jitter
    )  # fmt: skip


def test_pauses_double_up_to_a_longest() -> None:
    pauses = [judged(Retry("busy"), count).at - T0 for count in range(1, 15)]
    assert pauses == [min(PAUSE_FIRST_MS * 2**place, PAUSE_LONGEST_MS) for place in range(14)]
    assert judged(Retry("busy"), 3, jitter=0.999).at - T0 == pytest.approx(2_000, abs=5)


@pytest.mark.parametrize(
    ("outcome", "fields", "verdict"),
    [
        (Delivered(), {}, Done()),
        (Failed("no"), {}, Over("no")),
        (Retry("busy", 7_000), {}, Again(T0 + 7_000, "busy")),
        (Retry("busy", 10), {}, Again(T0 + PAUSE_FIRST_MS, "busy")),
        (Retry("busy", GIVE_UP_AFTER_MS + 1), {}, Over("given up after 1 tries in 0 s: busy")),
        (Retry("busy"), {"tries_count": 20}, Over("given up after 20 tries in 0 s: busy")),
        (Retry("busy"), {"age_ms": GIVE_UP_AFTER_MS}, Over("given up after 1 tries in 1800 s: busy")),
        (
            Retry("busy"),
            {"age_ms": GIVE_UP_CRITICAL_AFTER_MS, "severity": "critical"},
            Over("given up after 1 tries in 300 s: busy"),
        ),
    ],
)
def test_what_follows_from_an_outcome(outcome: Outcome, fields: dict[str, Any], verdict: Any) -> None:
    assert judged(outcome, **fields) == verdict


# -- a lane


def waiting(numbers: Iterable[int]) -> list[Any]:
    found = []
    for number in numbers:
        value = send(number)
        read = decode_send(Line(number, None, value, T0, None), T0)
        assert isinstance(read, Send)
        found.append(taken(0, number, value, read, T0))
        found[-1].is_stored = True
    return found


def test_a_circuit_that_broke_is_probed_by_one_message_at_a_time() -> None:
    lane = Lane()
    for each in waiting(range(20)):
        lane.add(each)
    for _ in range(FAILURES_MAX):
        tried = lane.next(T0)
        assert tried is not None
        lane.ended(tried, T0, is_troubled=True)
    assert lane.is_broken
    assert lane.next(T0 + BROKEN_FOR_MS - 1) is None
    probe = lane.next(T0 + BROKEN_FOR_MS)
    assert probe is not None
    assert lane.next(T0 + BROKEN_FOR_MS) is None
    lane.ended(probe, T0 + BROKEN_FOR_MS, is_troubled=False)
    found = [lane.next(T0 + BROKEN_FOR_MS) for _ in range(AT_ONCE_MAX + 1)]
    assert [each is None for each in found] == [False] * AT_ONCE_MAX + [True]


def test_a_refusal_breaks_no_circuit() -> None:
    lane = Lane()
    for each in waiting(range(20)):
        lane.add(each)
        tried = lane.next(T0)
        assert tried is not None
        lane.ended(tried, T0, is_troubled=False)
    assert not lane.is_broken


def test_a_lane_that_is_broken_holds_no_more_than_its_bound() -> None:
    lane = Lane()
    for each in waiting(range(WAITING_MAX + FAILURES_MAX + 3)):
        lane.add(each)
    for _ in range(FAILURES_MAX):
        assert lane.hopeless(T0) == []
        tried = lane.next(T0)
        assert tried is not None
        lane.ended(tried, T0, is_troubled=True)
    assert [each.offset for each, _ in lane.hopeless(T0)] == [5, 6, 7]
    assert len(lane) == WAITING_MAX


@pytest.mark.parametrize("count", [501, 999])
def test_a_lane_that_is_broken_gives_up_nothing_below_its_bound(count: int) -> None:
    lane = Lane()
    for each in waiting(range(count + FAILURES_MAX)):
        lane.add(each)
    for _ in range(FAILURES_MAX):
        tried = lane.next(T0)
        assert tried is not None
        lane.ended(tried, T0, is_troubled=True)
    assert lane.is_broken
    assert lane.hopeless(T0) == []
    assert len(lane) == count

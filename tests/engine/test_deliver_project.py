"""The roles without a fold: what reaches a channel, and what reaches Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from agents import project as project_module
from agents.deliver import Deliver
from agents.log_clock import LogClock
from agents.metrics import Metric, Metrics
from agents.project import STATUS_KEY, Project, change
from agents.role import Context
from notifiers.protocol import Delivered, Failed, Message, Outcome
from notifiers.registry import Channels
from notifiers.secrets import Secrets
from schemas import topics
from tests.engine.parts import SETTINGS, World, record


def context() -> Context:
    return Context(SETTINGS, Metrics(), LogClock(), None)


# -- deliver


def send(number: int, kind: str = "good") -> bytes:
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
            "dedup_key": "a/b",
            "source": "forewarn:sla.notices.v1/0",
            "sequence": number,
        }
    )


class Channel:
    """Takes what it is given, and notes what the broker had at that moment."""

    def __init__(self, world: World, outcome: Outcome) -> None:
        self.world = world
        self.outcome = outcome
        self.seen: list[tuple[str, int]] = []

    async def send(self, message: Message, url: str) -> Outcome:
        del url
        self.seen.append((message.send.id, len(self.world.sent(topics.DELIVERIES.name))))
        return self.outcome


async def delivered(world: World, *values: bytes) -> tuple[Context, dict[str, Channel]]:
    found = context()
    channels = {"good": Channel(world, Delivered()), "bad": Channel(world, Failed("no route"))}
    deliver = Deliver(found, Channels(channels, Secrets({}, Path("/nowhere"))))
    await deliver.start(world)
    await deliver.handle(0, [record(at, b"oncall", value) for at, value in enumerate(values)])
    return found, channels


async def test_each_message_is_handed_over_then_recorded_and_all_records_are_on_the_broker_at_the_end() -> None:
    world = World()
    _, channels = await delivered(world, send(1), send(2))
    assert channels["good"].seen == [("id-1", 0), ("id-2", 0)]
    assert world.on_the_way == []
    outcomes = [orjson.loads(value or b"") for value in world.sent(topics.DELIVERIES.name)]
    assert [(found["id"], found["outcome"], found["detail"]) for found in outcomes] == [
        ("id-1", "delivered", None),
        ("id-2", "delivered", None),
    ]


async def test_a_failing_channel_is_recorded_and_the_next_message_goes_out() -> None:
    world = World()
    found, _ = await delivered(world, send(1, "bad"), send(2, "unheard-of"), send(3))
    outcomes = [orjson.loads(value or b"") for value in world.sent(topics.DELIVERIES.name)]
    assert [entry["outcome"] for entry in outcomes] == ["failed", "failed", "delivered"]
    assert outcomes[0]["detail"] == "no route"
    assert found.metrics.value(Metric.DELIVERIES, outcome="failed") == 2


async def test_a_message_that_cannot_be_read_is_a_dead_letter_and_a_tick_is_nothing() -> None:
    world = World()
    await delivered(world, b"\xff", b'{"type":"tick"}', send(1))
    assert len(world.sent(topics.DEAD_LETTERS.name)) == 1
    assert len(world.sent(topics.DELIVERIES.name)) == 1


async def test_a_failed_record_of_a_delivery_is_an_error_of_the_batch() -> None:
    with pytest.raises(OSError, match="away"):
        await delivered(World(broken=OSError("away")), send(1))


# -- project


def status(key: str, sequence: int) -> bytes:
    return orjson.dumps({"type": "forewarn.status.v1", "data": {"dedup_key": key, "sequence": sequence}})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (b"a/b", status("a/b", 1), ("a/b", b'{"dedup_key":"a/b","sequence":1}')),
        (b"a/b", None, ("a/b", None)),
        (None, None, None),
        (b"a/b", b"\xff", None),
        (b"a/b", b"[]", None),
        (b"a/b", b'{"data":7}', None),
    ],
)
def test_what_a_status_record_says(key: bytes | None, value: bytes | None, said: Any) -> None:
    assert change(key, value) == said


@pytest.mark.redis
async def test_redis_sees_a_partition_only_when_its_end_was_read(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    project = Project(context(), client)
    await project.start(World(ends={0: 4}))
    await project.handle(0, [record(0, b"a/b", status("a/b", 1)), record(1, b"a/c", status("a/c", 1))])
    assert await client.hlen(STATUS_KEY) == 0
    await project.handle(0, [record(2, b"a/b", status("a/b", 2)), record(3, b"a/d", None)])
    assert {key: orjson.loads(data)["sequence"] for key, data in (await client.hgetall(STATUS_KEY)).items()} == {
        b"a/b": 2,
        b"a/c": 1,
    }
    await project.handle(0, [record(4, b"a/c", None)])
    assert await client.hkeys(STATUS_KEY) == [b"a/b"]
    await project.stop()


@pytest.mark.redis
async def test_redis_that_was_emptied_is_filled_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_module, "LOOK_EVERY_S", 0.01)
    client = Redis.from_url(redis_url)
    project = Project(context(), client)
    await project.start(World(ends={0: 1}))
    await project.handle(0, [record(0, b"a/b", status("a/b", 1))])
    await client.flushall()
    async with asyncio.timeout(10):
        while not await client.hlen(STATUS_KEY):  # noqa: ASYNC110 - Redis tells nobody when a key comes
            await asyncio.sleep(0)
    await project.stop()


@pytest.mark.redis
async def test_after_a_revoke_a_partition_is_read_anew(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    project = Project(context(), client)
    await project.start(World(ends={0: 2}))
    await project.handle(0, [record(0, b"a/b", status("a/b", 1)), record(1, b"a/b", status("a/b", 2))])
    project.forget()
    await project.handle(0, [record(0, b"a/b", status("a/b", 1))])
    assert orjson.loads(await client.hget(STATUS_KEY, "a/b"))["sequence"] == 2
    await project.stop()

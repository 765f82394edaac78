"""The role that keeps Redis as the read model: what reaches it, and when."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from agents import project as project_module
from agents.log_clock import LogClock
from agents.metrics import Metrics
from agents.project import STATUS_KEY, Project, change
from agents.role import Context
from agents.storm import StormWatch
from tests.engine.parts import SETTINGS, World, record
from tests.harness.process import PATIENCE_S


def context() -> Context:
    metrics = Metrics()
    return Context(SETTINGS, metrics, LogClock(), None, StormWatch(metrics))


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
    async with asyncio.timeout(PATIENCE_S):
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

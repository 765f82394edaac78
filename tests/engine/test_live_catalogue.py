"""The live reader: revisions as they are published, and markers that are waited for but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agents.catalogue import LiveCatalogue
from agents.settings import Settings
from schemas.catalogue_log import CatalogueLog, records_of
from schemas.topics import CATALOGUE
from tests.harness import Broker, produce

pytestmark = pytest.mark.kafka

SERVICE = {"apiVersion": "forewarn/v1", "kind": "Service", "metadata": {"name": "payments"}, "spec": {"owner": "a"}}


@pytest.fixture
def bootstrap(kafka: Broker) -> Any:
    kafka.delete_topics(CATALOGUE.name)
    kafka.create_topics({CATALOGUE.name: 1}, CATALOGUE.settings())
    yield kafka.bootstrap
    kafka.delete_topics(CATALOGUE.name)


@asynccontextmanager
async def following(bootstrap: str) -> AsyncIterator[LiveCatalogue]:
    live = LiveCatalogue(CatalogueLog, Settings(kafka_bootstrap_servers=bootstrap).client())
    await live.start()
    follow = asyncio.create_task(live.follow())
    try:
        yield live
    finally:
        follow.cancel()
        await asyncio.gather(follow, return_exceptions=True)
        await live.stop()


def publish(bootstrap: str, apply_id: str, base_revision: int) -> None:
    produce(bootstrap, CATALOGUE.name, records_of([SERVICE], apply_id, base_revision))


async def test_what_was_published_before_the_start_is_known_after_it(bootstrap: str) -> None:
    publish(bootstrap, "one", 0)
    async with following(bootstrap) as live:
        assert live.current.revision == 1
        assert live.at(1, live.current.sha256) is live.current
        assert live.at(1, "other") is None


async def test_a_revision_that_is_published_later_is_waited_for(bootstrap: str) -> None:
    async with following(bootstrap) as live:
        assert live.current.revision == 0
        await asyncio.to_thread(publish, bootstrap, "one", 0)
        await live.reach(1)
        assert live.current.revision == 1


async def test_a_revision_beyond_the_logs_end_is_not_waited_for(bootstrap: str) -> None:
    async with following(bootstrap) as live:
        await live.reach(1_000_000)
        assert live.at(1_000_000, "ab") is None

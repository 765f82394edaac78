"""Shared parts, started once per run and only when a test asks for them: see `tests.harness`."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import hypothesis
import pytest
import redis
from xdist.remote import Producer

from forewarn.embedded import EmbeddedBroker
from tests.harness import Broker, Missing, require
from tests.harness.alertmanager import RealAlertmanager, real_alertmanager
from tests.harness.beside import Shares
from tests.harness.browser import Browser, real_browser
from tests.harness.core import is_compiled, outdated
from tests.harness.kafka import real_kafka
from tests.harness.redis import real_redis

REAL_ONLY = ("admin", "compaction", "append_time")

# Where CI is set Hypothesis does so by itself; a law is not broken by a machine that is slow on any other either.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

# A shell that runs us in the background has Ctrl-C ignored, and what we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """Refuse to test what nobody reads."""
    if finding := outdated():
        raise pytest.UsageError(finding)


@pytest.fixture
def core_patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Puts something else in the place of what the core itself looks up."""
    if is_compiled():
        pytest.skip("machine code looks up neither its constants nor its methods; run `make uncompile` first")
    return monkeypatch


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    """See `tests.harness.beside`; asked for with `-n`."""
    return Shares(config, log)


@pytest.fixture(scope="session")
def kafka() -> Iterator[Broker]:
    """A real Apache Kafka 4."""
    try:
        with real_kafka() as bootstrap:
            yield Broker("real", bootstrap)
    except Missing as missing:
        require("kafka", missing)


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[Broker]:
    """The embedded broker, as the demo runs it."""
    with EmbeddedBroker.start({}) as embedded:
        yield Broker("embedded", embedded.bootstrap, embedded.create_topics)


@pytest.fixture(params=["real", "embedded"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Both brokers, one after the other; the embedded one is left out where a marker says that it cannot do it."""
    if request.param == "embedded":
        for marker in REAL_ONLY:
            if request.node.get_closest_marker(marker):
                pytest.skip(f"the embedded broker has no {marker.replace('_', ' ')}")
    found: Broker = request.getfixturevalue({"real": "kafka", "embedded": "embedded_broker"}[request.param])
    return found


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[str]:
    try:
        with real_redis() as url:
            yield url
    except Missing as missing:
        require("redis", missing)


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """A real Redis, emptied for this test."""
    client = redis.Redis.from_url(_redis_server)
    client.flushall()
    client.close()
    return _redis_server


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A real Chromium without a window. For one test: while it runs, Playwright holds this thread's event loop."""
    try:
        with real_browser() as running:
            yield running
    except Missing as missing:
        require("browser", missing)


@pytest.fixture(scope="session")
def alertmanager() -> Iterator[RealAlertmanager]:
    """A real Alertmanager, shared by the whole run: a test uses a dedup key of its own."""
    try:
        with real_alertmanager() as running:
            yield running
    except Missing as missing:
        require("alertmanager", missing)

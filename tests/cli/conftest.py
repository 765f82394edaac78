"""The command line in this process, and a broker with Forewarn's topics of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner, Result

from forewarn.cli import app
from forewarn.embedded import EmbeddedBroker

FEEDS = ("alerts", "status", "notices", "deliveries", "dlq", "late", "records", "commands")
TOPICS = {f"sla.{name}.v1": 2 for name in FEEDS} | {"sla.telemetry.v1": 4, "sla.catalogue.v1": 1}
NOBODY = "127.0.0.1:1"  # a port that nobody listens on

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line; settings come from the test alone."""
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "FOREWARN_CLOCK", "FOREWARN_CLUSTER"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: str, **environment: str) -> Result:
        with monkeypatch.context() as patch:
            if environment.get("KAFKA_BOOTSTRAP_SERVERS") == NOBODY:
                patch.setattr("forewarn.kafka.ANSWER_WITHIN_S", 0.5)  # it is waited out
            return CliRunner().invoke(app, [*arguments], env=environment)

    return invoke


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """A fresh embedded broker: these tests read what the topics hold, so nobody else may write to them."""
    with EmbeddedBroker.start(TOPICS) as broker:
        yield broker.bootstrap

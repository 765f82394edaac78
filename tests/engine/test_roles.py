"""The roles as they are declared: their topics, their names, and that Faust's own command finds them."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from agents.__main__ import ROLES
from agents.coverage import WatchedDecode
from agents.metrics import Metric, Metrics
from agents.role import changelog_of
from schemas.topics import ALL, ROLES_WITH_STATE, application_of
from sla.catalogue import Catalogue, Objective, Ratio, Rolling, Service
from sla.fold import Line
from sla.records import Change, Counts, Tick
from sla.units import DAY_MS


def declared(name: str) -> Any:
    return importlib.import_module(f"agents.{name}").ROLE


@pytest.mark.parametrize("name", ROLES)
def test_a_role_reads_and_writes_what_is_declared(name: str) -> None:
    role = importlib.import_module(f"agents.{name}").ROLE
    topics = {topic.name: topic for topic in ALL}
    assert role.name == name
    assert name in topics[role.source].readers
    assert set(role.writes) == {topic.name for topic in ALL if name in topic.writers}


def test_the_roles_that_keep_something_are_the_ones_with_a_changelog() -> None:
    assert [name for name in ROLES if changelog_of(declared(name)) is not None] == list(ROLES_WITH_STATE)


@pytest.mark.parametrize("name", ROLES)
def test_fausts_command_finds_the_app(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    app = importlib.import_module(f"agents.{name}").app
    assert app.conf.id == application_of(name)
    assert not app.conf.web_enabled
    assert app.conf.broker[0].scheme == "forewarn"


def test_any_other_name_does_not_exist() -> None:
    with pytest.raises(AttributeError):
        _ = importlib.import_module("agents.detect").nothing


def test_a_service_that_no_definition_names_is_counted_always_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    objective = Objective("o", "payments", Ratio("availability"), 999_000, "99.9%", Rolling(30 * DAY_MS, "30d rolling"))
    catalogue = Catalogue(revision=1, objectives={"o": objective}, services={"ledger": Service("ledger")})
    records = iter(
        [
            Counts("payments", "availability", 0, 1, 0),
            Counts("payments", "latency", 0, 1, 0),
            Counts("payments", "latency", 0, 1, 0),
            Change("ledger", 0, "c"),
            Change("nobody", 0, "c"),
            Tick(),
        ]
    )
    metrics = Metrics()
    decode = WatchedDecode(lambda *_: next(records), lambda: catalogue, metrics)
    for _ in range(6):
        decode(Line(0, None, None, 0, 0), 0)
    assert metrics.value(Metric.UNKNOWN_SERVICES) == 3
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "no definition names the signal 'latency' of service 'payments'",
        "no definition names the service 'nobody'",
    ]

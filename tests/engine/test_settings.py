"""Settings: every mistake at once, secrets never shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.app import build
from agents.settings import Settings, WrongSettings, read
from tests.engine.counting import role

GOOD = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    import os  # noqa: PLC0415 - the environment is what this file is about

    for name in list(os.environ):
        if name.startswith(("KAFKA_", "FOREWARN_", "REDIS_")):
            monkeypatch.delenv(name)


def with_environment(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_the_broker_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(monkeypatch, **GOOD)
    settings = read()
    assert settings.forewarn_cluster == "default"
    assert settings.forewarn_flush_interval == 10.0
    assert settings.bootstrap == ["127.0.0.1:9092"]
    assert settings.client()["security_protocol"] == "PLAINTEXT"


def test_every_mistake_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(
        monkeypatch,
        KAFKA_BOOTSTRAP_SERVERS="no port here",
        REDIS_URL="http://127.0.0.1",
        FOREWARN_FLUSH_INTERVAL="soon",
        FOREWARN_START_DEADLINE="0s",
        FOREWARN_HEALTH_PORT="70000",
        FOREWARN_CLOCK="fast",
        KAFKA_SSL_CAFILE="/nowhere/ca.pem",
    )
    with pytest.raises(WrongSettings) as wrong:
        read()
    named = {line.split(":")[0] for line in str(wrong.value).splitlines()}
    assert named == {
        "KAFKA_BOOTSTRAP_SERVERS",
        "REDIS_URL",
        "FOREWARN_FLUSH_INTERVAL",
        "FOREWARN_START_DEADLINE",
        "FOREWARN_HEALTH_PORT",
        "FOREWARN_CLOCK",
        "KAFKA_SSL_CAFILE",
    }


def test_a_missing_broker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    with pytest.raises(WrongSettings, match="KAFKA_BOOTSTRAP_SERVERS: is not set"):
        read()


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
        ({"FOREWARN_STATIC_MEMBERSHIP": "true"}, "FOREWARN_WORKER_ID"),
    ],
)
def test_settings_that_need_others_say_so(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    with_environment(monkeypatch, **GOOD, **environment)
    with pytest.raises(WrongSettings, match=named):
        read()


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10.0), ("500ms", 0.5), ("2m", 120.0), ("7", 7.0)])
def test_durations_are_written_as_people_write_them(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    with_environment(monkeypatch, **GOOD, FOREWARN_FLUSH_INTERVAL=text)
    assert read().forewarn_flush_interval == seconds


def test_a_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hunter2"  # noqa: S105 - the secret that must not show
    with_environment(
        monkeypatch,
        **GOOD,
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_USERNAME="me",
        KAFKA_SASL_PASSWORD=secret,
        REDIS_URL=f"redis://:{secret}@127.0.0.1",
    )
    settings = read()
    assert secret not in repr(settings) + str(settings)
    assert settings.client()["sasl_plain_password"] == secret
    with_environment(monkeypatch, REDIS_URL=f"http://:{secret}@127.0.0.1", FOREWARN_CLOCK=secret)
    with pytest.raises(WrongSettings) as wrong:
        read()
    assert secret not in str(wrong.value)


def test_faust_connects_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with_environment(
        monkeypatch,
        KAFKA_BOOTSTRAP_SERVERS="one:9092, two:9093",
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_MECHANISM="SCRAM-SHA-256",
        KAFKA_SASL_USERNAME="me",
        KAFKA_SASL_PASSWORD="p",  # noqa: S106 - no real one
    )
    app = build(read(), role("unit"))
    assert [str(url) for url in app.conf.broker] == ["forewarn://one:9092", "forewarn://two:9093"]
    credentials = app.conf.broker_credentials
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-256")
    assert credentials.ssl_context is not None


def test_every_setting_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)`", documented, re.MULTILINE)) == {
        name.upper() for name in Settings.model_fields
    }

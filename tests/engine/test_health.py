"""What the health server says, and that every metric is explained."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from agents.health import HealthServer
from agents.metrics import MEANING, Metric, Metrics
from tests.harness.ports import free_port

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


def server(not_ready: list[str], not_alive: list[str], metrics: Metrics | None = None) -> HealthServer:
    return HealthServer("unit", metrics=metrics or Metrics(), not_ready=lambda: not_ready, not_alive=lambda: not_alive)


def test_ready_and_alive_are_two_questions() -> None:
    found = server(["the consumer group rebalances"], [])
    assert found.answer("GET", "/livez") == (200, "ok\n")
    assert found.answer("GET", "/readyz?verbose") == (503, "the consumer group rebalances\n")
    assert found.answer("GET", "/other")[0] == 404
    assert found.answer("POST", "/livez")[0] == 405


def test_metrics_are_prometheus_text() -> None:
    metrics = Metrics()
    metrics.count(Metric.RECORDS, 3, topic="sla.telemetry.v1")
    status, text = server([], [], metrics).answer("GET", "/metrics")
    assert status == 200
    assert 'forewarn_records_total{role="unit",topic="sla.telemetry.v1"} 3\n' in text
    assert 'forewarn_ready{role="unit"} 1\n' in text
    sample = re.compile(r'^(# (HELP|TYPE) forewarn_\w+ .+|forewarn_\w+\{(\w+="[^"]*",?)+\} \d+)$')
    assert all(sample.match(line) for line in text.splitlines())


def test_every_metric_has_its_meaning_and_is_documented() -> None:
    assert set(MEANING) == set(Metric)
    documented = DOCS.read_text()
    missing = [metric for metric in Metric if f"`forewarn_{metric}`" not in documented]
    assert not missing
    assert set(re.findall(r"`forewarn_(\w+)`", documented)) == {str(metric) for metric in Metric}


@pytest.mark.parametrize("request_bytes", [b"GET /livez HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"x" * 100_000, b""])
async def test_it_answers_on_loopback_and_survives_nonsense(request_bytes: bytes) -> None:
    found, port = server([], []), free_port()
    await found.start(port)
    for sent in (request_bytes, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nok\n")
    await found.stop()

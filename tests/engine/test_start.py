"""How a worker process starts, refuses to start, and stops: codes and lines, never a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest

from agents.__main__ import main
from agents.preflight import Refusal, check_topics
from tests.harness import Broker, free_port
from tests.harness.process import PATIENCE_S, Process, wait_for


def run_worker(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "FOREWARN_"))}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "usage"),
        (["nobody"], "choose from route"),
        (["detect", "dispatch"], "usage"),
        (["dispatch"], "is not set"),
    ],
)
def test_wrong_use_is_code_2_and_says_what_to_write(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setattr(sys, "argv", ["agents", *arguments])
    assert main() == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("agents", "dispatch"), ("faust", "-A", "agents.dispatch", "worker", "--without-web")]
)
def test_a_broker_that_is_away_is_code_3_after_the_deadline(arguments: tuple[str, ...]) -> None:
    began = time.monotonic()
    ended = run_worker(*arguments, KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}", FOREWARN_START_DEADLINE="1s")
    assert ended.returncode == 3
    said = ended.stdout + ended.stderr
    assert "check KAFKA_BOOTSTRAP_SERVERS" in said
    assert "Traceback" not in said
    assert time.monotonic() - began >= 1
    assert "within 1 s" in said


@pytest.mark.kafka
def test_missing_topics_are_code_3_and_name_the_command(kafka: Broker) -> None:
    ended = run_worker("tests.engine.counting", KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap, COUNTING_NAME="not-created")
    assert ended.returncode == 3
    assert "not-created.in" in ended.stderr
    assert "forewarn topics create" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_changelog_of_another_size_is_refused() -> None:
    found = {"in": 4, "log": 3}
    with pytest.raises(Refusal, match="never changes"):
        check_topics(found, ["in", "log"], source="in", changelog="log")
    check_topics({"in": 4, "log": 4}, ["in", "log"], source="in", changelog="log")


def test_a_health_port_that_is_taken_is_code_3() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run_worker(
            "agents",
            "dispatch",
            KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
            FOREWARN_HEALTH_PORT=str(taken.getsockname()[1]),
        )
    assert ended.returncode == 3
    assert "FOREWARN_HEALTH_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_worker_that_waits_for_its_broker_can_be_stopped() -> None:
    worker = Process(
        [sys.executable, "-m", "agents", "dispatch"],
        name="waiting",
        env={"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}", "FOREWARN_START_DEADLINE": "60s"},
    )
    try:
        worker.wait_for_log("no broker answers")
        worker.terminate()
        wait_for(lambda: worker.exit_code is not None, "the worker to stop", explain=worker.log_tail)
        assert worker.exit_code == 0, worker.log_tail()
        assert "Traceback" not in worker.log.read_text()
    finally:
        worker.kill()

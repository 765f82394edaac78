"""The harness keeps its promises: what is missing is named, waiting has a deadline, nothing outlives a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import Missing, Process, require, wait_for
from tests.harness.beside import IN_TURN, scope_of

ROOT = Path(__file__).parent.parent
SHARED = {"kafka", "broker", "embedded_broker", "_redis_server", "alertmanager", "browser"}


def test_a_missing_part_skips_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREWARN_REQUIRE", "redis")
    with pytest.raises(pytest.skip.Exception, match="needs Java"):
        require("kafka", Missing("a real Kafka needs Java"))


def test_a_missing_part_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREWARN_REQUIRE", "redis, kafka")
    with pytest.raises(pytest.fail.Exception, match="names kafka, but a real Kafka needs Java"):
        require("kafka", Missing("a real Kafka needs Java"))


def test_waiting_in_vain_names_what_was_awaited() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"0\.1 s in vain: the moon\nit is day"):
        wait_for(lambda: False, "the moon", within_s=0.1, explain=lambda: "it is day")


def test_a_process_is_ended_with_its_block_and_leaves_no_log() -> None:
    with Process(
        [sys.executable, "-c", "print('ready', flush=True); import signal; signal.pause()"], name="idle"
    ) as idle:
        idle.wait_for_log("ready")
        assert idle.exit_code is None
    assert idle.exit_code == -signal.SIGTERM
    assert not idle.log.exists()


def test_a_process_that_ended_before_it_said_what_was_awaited_shows_its_log() -> None:
    with (
        Process([sys.executable, "-c", "print('no broker'); raise SystemExit(3)"], name="worker") as worker,
        pytest.raises(pytest.fail.Exception, match=r"(?s)worker ended before it wrote 'ready'.*exit code 3.*no broker"),
    ):
        worker.wait_for_log("ready")


@pytest.mark.parametrize("code", [0, 1])
def test_the_build_servers_last_line_is_pytests_and_its_code_says_the_same(tmp_path: Path, code: int) -> None:
    """`.ci/run` with stand-ins: every program it would install is there, and the suite is one that passes or fails."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("java", "mvn", "redis-server", "prometheus-alertmanager", "chromium", "apt-get"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    checkout = tmp_path / "checkout"
    (checkout / ".ci").mkdir(parents=True)
    (checkout / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text())
    suite = f'echo "$$CI $$FOREWARN_REQUIRE"; echo "3 passed in 0.1s"; exit {code}'
    (checkout / "Makefile").write_text(f"test:\n\t@{suite}\n")
    ran = subprocess.run(
        ["bash", str(checkout / ".ci" / "run")],
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines() == ["true kafka,redis,alertmanager,browser", "3 passed in 0.1s"]
    assert (ran.returncode == 0) == (code == 0)


def test_what_runs_beside_other_tests_asks_for_no_server_that_they_share(request: pytest.FixtureRequest) -> None:
    asking = {
        scope_of(item.nodeid) for item in request.session.items if SHARED & set(getattr(item, "fixturenames", ()))
    }
    assert asking <= {IN_TURN}

"""The demo for real: processes, topics, Redis; what a newcomer sees first."""

from __future__ import annotations

import signal
import sys

import pytest

from forewarn.demo.scenarios import SCENARIOS
from tests.cli.processes import descendants, is_alive
from tests.harness import Process, wait_for

ONCE_WITHIN_S = 90


def demo(*options: str) -> Process:
    return Process((sys.executable, "-m", "forewarn", "demo", *options), name="demo")


def test_the_demo_warns_well_before_each_breach_and_disturbs_nobody_without_need() -> None:
    with demo("--once") as running:
        code = running.wait(within_s=ONCE_WITHIN_S)
        text = running.log.read_text()
    assert code == 0, text
    table = text.splitlines()[-len(SCENARIOS) :]
    assert [scenario.name for scenario in SCENARIOS if not any(row.startswith(scenario.name) for row in table)] == []
    assert "Told on-call" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_the_demo_leaves_no_process_behind(number: signal.Signals) -> None:
    with demo() as running:
        running.wait_for_log("services, ", within_s=60)
        below = descendants(running.pid)
        assert len(below) >= 7, "a broker, Redis, the worker and four roles"
        running.send(number)
        running.wait(within_s=40)
        wait_for(lambda: not any(map(is_alive, below)), "the demo's processes to end")

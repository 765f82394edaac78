"""The demo for real: processes, topics, Redis; what a newcomer sees first."""

from __future__ import annotations

import re
import signal
import sys

import pytest

from forewarn.demo.scenarios import SCENARIOS
from tests.cli.processes import descendants, is_alive
from tests.harness import Process, wait_for
from tests.harness.process import PATIENCE_S


def demo(*options: str) -> Process:
    return Process((sys.executable, "-m", "forewarn", "demo", *options), name="demo")


def test_the_demo_warns_well_before_each_breach_and_disturbs_nobody_without_need() -> None:
    with demo("--once") as running:
        code = running.wait(within_s=3 * PATIENCE_S)  # half a minute of it is the play
        text = running.log.read_text()
    assert code == 0, text
    expected = [*(scenario.name for scenario in SCENARIOS), "quiet hours"]
    table = text.splitlines()[-len(expected) :]
    assert [name for name in expected if not any(row.startswith(name) for row in table)] == []
    assert "Told on-call" in text
    assert "manager is not disturbed at night: held" in text
    assert re.search(r"manager's day begins\. Digest: \d+ fired, \d+ cleared, \d+ still open", text)
    assert "shop-owner was asked to plan and answers: mitigate" in text


@pytest.mark.parametrize(
    ("number", "when", "processes_count"),
    [
        (signal.SIGTERM, "applied", 3),  # a broker, Redis, and the worker at least
        (signal.SIGINT, "services, ", 9),  # and the worker's six roles
        (signal.SIGKILL, "services, ", 9),
    ],
)
def test_however_it_is_ended_the_demo_leaves_no_process_behind(
    number: signal.Signals, when: str, processes_count: int
) -> None:
    with demo() as running:
        running.wait_for_log(when)
        below = descendants(running.pid)
        assert len(below) >= processes_count
        running.send(number)
        code = running.wait()
        wait_for(lambda: not any(map(is_alive, below)), "the demo's processes to end")
        assert "Traceback" not in running.log.read_text()
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)

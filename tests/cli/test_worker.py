"""A process per role: started together, ended together, and never left behind."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from forewarn.worker import ROLES, roles_of, run
from tests.cli.processes import is_alive
from tests.harness import Process, wait_for

STOPS = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: (print('down', flush=True), sys.exit(0)))\n"
FAILS = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(75))\n"
WAIT = "print('up', flush=True)\nwhile True: signal.pause()\n"  # once it can be stopped


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        (None, ROLES),
        ("detect", ("detect",)),
        ("project, detect,,detect", ("project", "detect")),
    ],
)
def test_roles_are_named_by_comma_each_once(text: str | None, roles: tuple[str, ...]) -> None:
    assert roles_of(text) == roles


@pytest.mark.parametrize(
    ("script", "told", "code"), [("raise SystemExit(7)", 7, 7), ("import os; os.kill(os.getpid(), 9)", -9, 137)]
)
def test_a_role_that_dies_ends_all_with_its_code(
    capfd: pytest.CaptureFixture[str], script: str, told: int, code: int
) -> None:
    scripts = {"detect": STOPS + WAIT, "deliver": script}
    assert run(["detect", "deliver"], command_of=lambda role: python(scripts[role])) == code
    out = capfd.readouterr().out
    assert f"deliver ended with code {told};" in out


def test_a_role_that_ends_well_unasked_is_still_a_failure() -> None:
    assert run(["detect"], command_of=lambda _: python("print('done')")) == 1


def supervisor(folder: Path, script: str) -> Process:
    """`run` in a process of its own, with two roles that write their process ids to the folder."""
    role = f"import os, pathlib; pathlib.Path(r'{folder}', str(os.getpid())).touch()\n{script}"
    main = (
        "import sys\nfrom forewarn.worker import run\n"
        f"sys.exit(run(['detect', 'project'], command_of=lambda role: (sys.executable, '-c', {role!r})))"
    )
    return Process(python(main), name="supervisor")


def children(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_every_role_and_all_end_well(tmp_path: Path, number: signal.Signals) -> None:
    with supervisor(tmp_path, STOPS + WAIT) as worker:
        wait_for(lambda: worker.log.read_text().count("| up") == 2, "both roles to start")
        worker.send(number)
        assert worker.wait() == 0
        lines = sorted(worker.log.read_text().splitlines())
        assert lines == ["detect   | down", "detect   | up", "project  | down", "project  | up"]
        assert not any(map(is_alive, children(tmp_path)))


def test_a_role_that_fails_to_end_well_shows_in_the_code(tmp_path: Path) -> None:
    with supervisor(tmp_path, FAILS + WAIT) as worker:
        wait_for(lambda: worker.log.read_text().count("| up") == 2, "both roles to start")
        worker.terminate()
        assert worker.wait() == 75


def test_roles_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with supervisor(tmp_path, STOPS + WAIT) as worker:
        wait_for(lambda: worker.log.read_text().count("| up") == 2, "both roles to start")
        worker.kill()
        wait_for(lambda: not any(map(is_alive, children(tmp_path))), "the roles to end")
        assert len(children(tmp_path)) == 2

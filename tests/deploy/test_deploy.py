"""deploy/ without Docker: the compose file against its schema, the image's steps as shell.

`compose_spec.json` is the Compose Specification's schema as docker-compose 1.29.2 ships it (Apache-2.0).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.main
import yaml

from agents.__main__ import ROLES
from agents.settings import Settings, read
from bench.workload.tickets import documents, rounds
from forewarn.cli import app as command_line
from schemas.topics import TICKETS
from tests.formats.test_schemas import DEFINITIONS, a_bad_day
from tests.harness import kafka
from tests.simulation.story import TICKETS_FROM

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def own() -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    return {name: service for name, service in services().items() if service["image"] == "forewarn"}


def steps() -> list[list[str]]:
    """The Dockerfile as (instruction, arguments) pairs; comments dropped, continued lines joined."""
    lines = [line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]


def stages() -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for step in steps():
        if step[0] == "FROM":
            found.append([])
        found[-1].append(step)
    return found


# -- compose


def test_the_compose_file_follows_the_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose_spec.json").read_text())
    # The schema is older than the top-level `name`.
    document = {key: value for key, value in compose().items() if key != "name"}
    jsonschema.Draft201909Validator(schema).validate(document)


def test_every_role_is_a_service_of_its_own() -> None:
    run = {service["command"][2] for service in own().values() if service["command"][0] == "worker"}
    assert run == set(ROLES)


def test_our_services_run_commands_that_exist() -> None:
    known = typer.main.get_command(command_line).commands  # type: ignore[attr-defined]
    for name, service in own().items():
        command = known[service["command"][0]]
        if hasattr(command, "commands"):
            command = command.commands[service["command"][1]]
        given = {word for word in service["command"] if word.startswith("--")}
        assert given <= {option for parameter in command.params for option in parameter.opts}, name


def test_what_our_services_are_told_are_settings_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, service in own().items():
        told = service["environment"]
        assert {variable.lower() for variable in told} <= set(Settings.model_fields), name
        for variable, value in told.items():
            monkeypatch.setenv(variable, value)
        assert read().forewarn_cluster == "compose"


def test_a_service_waits_for_what_it_needs() -> None:
    conditions = {"service_healthy", "service_completed_successfully"}
    for name, service in services().items():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] in conditions
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services()[needed], f"{name} waits for the health of {needed}"
            else:
                assert services()[needed].get("restart") is None, f"{needed} is to end"


def test_whatever_keeps_running_has_a_healthcheck_and_comes_back() -> None:
    running = {name: service for name, service in services().items() if service.get("restart")}
    assert running.keys() == {"kafka", "redis", *ROLES}
    assert all("healthcheck" in service for service in running.values())


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_a_role_may_take_its_time_to_stop() -> None:
    stop_s = Settings.model_fields["forewarn_stop_deadline"].default
    assert all(int(services()[role]["stop_grace_period"].removesuffix("s")) > stop_s for role in ROLES)


def test_the_kafka_is_the_one_that_the_tests_run_on() -> None:
    assert services()["kafka"]["image"] == kafka.IMAGE
    assert services()["kafka"]["environment"]["KAFKA_PROCESS_ROLES"] == "broker,controller"


# -- the image


def test_the_image_does_not_run_as_root() -> None:
    (user,) = [argument for word, argument in stages()[-1] if word == "USER"]
    assert user.split(":")[0] == "10001"


def test_everything_that_is_installed_has_a_hash() -> None:
    installs = re.findall(r"pip install ([^&]*)", " && ".join(argument for word, argument in steps() if word == "RUN"))
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-deps --no-index" in install for install in installs)


def left_out() -> list[str]:
    """Names of what is never copied, wherever it lies."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    return [line.removeprefix("**/") for line in lines if line.startswith("**/")]


def test_what_is_copied_is_there_and_not_kept_out_of_the_build() -> None:
    kept = {
        line.removeprefix("!").removesuffix("\n")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {source for word, argument in stages()[0] if word == "COPY" for source in argument.split()[:-1]}
    assert copied == kept
    assert all((ROOT / source).exists() for source in copied)


def test_the_stage_that_builds_and_the_one_that_runs_have_the_same_python() -> None:
    assert len({stage[0][1].split()[0].removesuffix("-slim") for stage in stages()}) == 1


def test_a_wheel_has_all_that_the_demo_needs(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")
    ask = "from forewarn.demo.runner import EXAMPLES; from forewarn.cli import app; app(['lint', str(EXAMPLES)])"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    linted = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stderr
    kept = {path.name for path in (DEPLOY / "examples").iterdir()}
    assert {path.name for path in (tmp_path / "installed" / "forewarn" / "demo" / "examples").iterdir()} == kept


@pytest.mark.skipif(not os.environ.get("CI"), reason="fetches every package once more; runs where CI is set")
def test_the_steps_of_the_build_work_as_shell(tmp_path: Path) -> None:
    """The first stage, step by step, with this Python instead of the image's and a scratch folder instead of `/`."""
    for word, argument in stages()[0]:
        if word == "COPY":
            *sources, target = argument.split()
            for source in sources:
                place = tmp_path / "src" / (target if target.endswith(Path(source).name) else source)
                place.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns(*left_out()))
                else:
                    shutil.copy(ROOT / source, place)
        if word == "RUN":
            shell = argument.replace("/opt/", f"{tmp_path}/opt/").replace(
                "python -m venv", f"{shlex.quote(sys.executable)} -m venv"
            )
            ran = subprocess.run(
                ["sh", "-ec", shell], cwd=tmp_path / "src", capture_output=True, text=True, check=False
            )
            assert ran.returncode == 0, f"{argument}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
    installed = tmp_path / "opt" / "forewarn" / "bin"
    helped = subprocess.run(
        [installed / "forewarn", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert helped.returncode == 0, helped.stderr
    assert "worker" in helped.stdout
    (tmp_path / "day").mkdir()
    assert replayed(installed, tmp_path / "day") == replayed(Path(sys.executable).parent, tmp_path / "day")
    (packages,) = (tmp_path / "opt" / "forewarn").glob("lib/*/site-packages")
    simulate_with(packages, "0..5")
    simulate_with(packages, f"{TICKETS_FROM}..{TICKETS_FROM + 5}")


def simulate_with(installed: Path, seeds: str) -> None:
    """No law is broken in some schedules of a world whose core is the installed one, which is machine code."""
    environment = {**os.environ, "PYTHONPATH": f"{installed}:{ROOT}", "PYTHONHASHSEED": "0"}
    program = (
        "import runpy; from tests.harness.core import is_compiled; assert is_compiled(); "
        "runpy.run_module('tests.simulation', run_name='__main__')"
    )
    simulate = [sys.executable, "-P", "-c", program, "--seeds", seeds]
    ran = subprocess.run(simulate, cwd=installed, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


def replayed(executables: Path, folder: Path) -> bytes:
    """What becomes of a bad day and of some tickets."""
    (folder / "promises.yaml").write_text(DEFINITIONS)
    (folder / "tickets.yaml").write_text(yaml.safe_dump_all(documents()))
    tickets = ((key, json.loads(value), at) for key, value, at in rounds(20))
    log = [*a_bad_day(), *({"topic": TICKETS.name, "key": k, "value": v, "timestamp": at} for k, v, at in tickets)]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    replay = [executables / "forewarn", "replay", "--definitions", ".", "--input", "log.jsonl"]
    said = subprocess.run(replay, cwd=folder, capture_output=True, check=True).stdout
    assert all(topic.encode() in said for topic in ("sla.alerts.v1", "sla.clocks.v1", "sla.notices.v1"))
    return said

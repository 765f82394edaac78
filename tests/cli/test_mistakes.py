"""Whatever a user gets wrong, or whatever part is away: one line of what, one of what to do, and the right code."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import orjson
import pytest

from tests.cli.conftest import NOBODY, Run

AWAY = {"KAFKA_BOOTSTRAP_SERVERS": NOBODY}
COUNTS = ("send", "counts", "--service", "s", "--signal", "a")


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (("tail",), {}, 2, "KAFKA_BOOTSTRAP_SERVERS"),
        (("tail",), {"KAFKA_BOOTSTRAP_SERVERS": "no port"}, 2, "host:port"),
        (("tail",), {"KAFKA_BOOTSTRAP_SERVERS": NOBODY, "FOREWARN_FLUSH_INTERVAL": "soon"}, 2, "FLUSH_INTERVAL"),
        (("tail",), AWAY, 3, NOBODY),
        (("tail", "--topic", "gossip"), AWAY, 2, "alerts, clocks, forecasts, status"),
        (("status",), {"REDIS_URL": "redis://127.0.0.1:1/0"}, 3, "no Redis answers"),
        (("status",), {"REDIS_URL": "nonsense"}, 3, "no Redis answers"),
        (("worker", "--roles", "detect,magic"), AWAY, 2, "unknown role: magic"),
        (("worker", "--roles", "board"), AWAY, 2, "does not have the role board yet"),
        (("worker", "--roles", ","), AWAY, 2, "names no role"),
        (("worker",), {}, 2, "KAFKA_BOOTSTRAP_SERVERS"),
        ((*COUNTS, "--good", "-1", "--bad", "0"), AWAY, 2, "out_of_range"),
        ((*COUNTS, "--good", "1", "--bad", "0", "--at", "yesterday"), AWAY, 2, "bad_instant"),
        ((*COUNTS, "--good", "1", "--bad", "0", "--at", "4102444800000"), AWAY, 2, "from_the_future"),
        ((*COUNTS, "--good", "1", "--bad", "0"), AWAY, 3, NOBODY),
        ((*COUNTS, "--good", "1"), AWAY, 2, "--bad"),
        ((*COUNTS, "--good", "many", "--bad", "0"), AWAY, 2, "integer"),
        (("send", "sample", "--service", "s", "--signal", "a", "--value", "nan"), AWAY, 2, "rejected"),
        (("send", "state", "--service", "", "--signal", "a", "up"), AWAY, 2, "rejected"),
        (("frobnicate",), {}, 2, "frobnicate"),
        (("replay", "--definitions", "d", "--input", "-", "--tick", "soon"), {}, 2, "--tick"),
        (("replay", "--definitions", "d", "--input", "-", "--tick", "0s"), {}, 2, "--tick"),
        (("replay", "--definitions", "d", "--input", "-", "--until", "soon"), {}, 2, "not an instant"),
        (("replay", "--input", "-"), {}, 2, "--definitions"),
        (("replay", "--definitions", "d"), {}, 2, "name one input"),
    ],
)
def test_a_mistake_is_told_with_its_code(
    run: Run, arguments: tuple[str, ...], environment: dict[str, Any], code: int, said: str
) -> None:
    result = run(*arguments, **environment)
    assert (result.exit_code, "Traceback" in result.output) == (code, False), result.output
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_password_in_an_address_is_not_shown(run: Run) -> None:
    result = run("status", REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    assert "127.0.0.1:1/0" in result.stderr
    assert "hunter2" not in result.output


def test_a_program_reads_the_error_as_json(run: Run) -> None:
    result = run("status", "--json", REDIS_URL="redis://127.0.0.1:1/0")
    error = orjson.loads(result.stderr)["error"]
    assert error["code"] == result.exit_code == 3
    assert error["hint"] == "start it, or set REDIS_URL"


def test_the_real_executable_gives_code_and_words_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "forewarn", "tail"],
        env={"KAFKA_BOOTSTRAP_SERVERS": NOBODY, "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: no Kafka broker answers at {NOBODY}")
    assert len(done.stderr.splitlines()) == 2


def test_help_does_not_load_the_libraries_of_kafka_and_redis() -> None:
    script = (
        "import sys; from forewarn.cli import app\n"
        "print([m for m in ('confluent_kafka', 'redis', 'faust', 'aiokafka', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told(run: Run) -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout.startswith("forewarn ")) == (0, True)

"""What people decide by the command line is a command that the role takes; who would be told can be asked."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import orjson
import pytest

from forewarn.kafka import read_to_end
from tests.cli.conftest import NOBODY, Run

AWAY = {"KAFKA_BOOTSTRAP_SERVERS": NOBODY}
COMMANDS = "sla.commands.v1"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ack", "pay/paid", "--reason", "on it", "--until", "4102444800000"),
         {"type": "ack", "dedup_key": "pay/paid", "reason": "on it", "until": 4102444800000}),
        (("unack", "pay/paid"), {"type": "unack", "dedup_key": "pay/paid"}),
        (("silence", "service=pay", "service=shop", "severity=info", "--for", "2h"),
         {"type": "silence", "matchers": {"service": ["pay", "shop"], "severity": ["info"]}}),
        (("unsilence", "s1"), {"type": "unsilence", "silence": "s1"}),
        (("reply", "ann", "pay/paid", "more-time", "--text", "tomorrow"),
         {"type": "reply", "stakeholder": "ann", "answer": "more_time", "text": "tomorrow"}),
        (("approve", "CHG-7", "--service", "pay"), {"type": "approve", "service": "pay", "exclusion": "CHG-7"}),
        (("reject", "CHG-7", "--service", "pay"), {"type": "reject", "service": "pay", "exclusion": "CHG-7"}),
    ],
)  # fmt: skip
def test_each_decision_is_one_command(
    run: Run, bootstrap: str, arguments: tuple[str, ...], told: dict[str, Any]
) -> None:
    sent = run(*arguments, "--by", "bob", "--id", "c1", "--json", KAFKA_BOOTSTRAP_SERVERS=bootstrap)
    assert sent.exit_code == 0, sent.output
    (record,) = read_to_end({"bootstrap.servers": bootstrap}, COMMANDS)
    assert orjson.loads(record.value or b"").items() >= ({"id": "c1", "by": "bob"} | told).items()
    assert orjson.loads(sent.stdout)["id"] == "c1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ack", "pay/paid", "--for", "1h", "--until", "4102444800000"), "give one of them"),
        (("ack", "pay/paid", "--until", "soon"), "bad_instant"),
        (("ack", "pay/paid", "--until", "99999999999999999999"), "64-bit"),
        (("ack", "pay/paid", "--reason", "half \ud800"), "whole text"),
        (("silence", "service"), "FIELD=VALUE"),
        (("silence", "service=pay"), "a silence needs an end"),
        (("silence", "colour=red", "--for", "1h"), "unknown_value"),
        (("reply", "ann", "pay/paid", "perhaps"), "unknown_value"),
        (("route", "no-such-file.json"), "cannot be read"),
    ],
)
def test_a_decision_that_would_be_refused_is_not_written(run: Run, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments, **AWAY)
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output
    assert said in " ".join(result.stderr.split())


def test_who_has_no_name_on_this_machine_is_asked_for_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    result = run("unack", "pay/paid", **AWAY)
    assert (result.exit_code, "Traceback" in result.output) == (2, False), result.output
    assert "name yourself with --by" in " ".join(result.stderr.split())


STAKEHOLDERS = """
apiVersion: forewarn/v1
kind: Service
metadata: {name: pay}
spec: {owner: pay-team}
---
apiVersion: forewarn/v1
kind: Service
metadata: {name: mail}
spec: {owner: nobody-here}
---
apiVersion: forewarn/v1
kind: Calendar
metadata: {name: office}
spec: {timezone: UTC, hours: {mon-fri: ["09:00-17:00"]}}
---
apiVersion: forewarn/v1
kind: Stakeholder
metadata: {name: pay-team}
spec: {audience: owner, watches: {services: [mail]}, channels: [{console: true}]}
---
apiVersion: forewarn/v1
kind: Stakeholder
metadata: {name: boss}
spec:
  audience: executive
  watches: {severities: [critical]}
  channels: [{console: true}]
  hours: {calendar: office, outside: hold}
"""


def event(tmp_path: Path, **data: Any) -> str:
    body = {"dedup_key": "pay/paid", "service": "pay", "severity": "critical", "state": "breached", **data}
    path = tmp_path / "event.json"
    path.write_bytes(orjson.dumps({"type": "forewarn.breach.v1", "time": "2026-11-23T03:00:00Z", "data": body}))
    return str(path)


def asked(run: Run, tmp_path: Path, **data: Any) -> tuple[int, dict[str, dict[str, Any]]]:
    (tmp_path / "definitions.yaml").write_text(STAKEHOLDERS)
    result = run("route", event(tmp_path, **data), "--definitions", str(tmp_path / "definitions.yaml"), "--json")
    return result.exit_code, {row["stakeholder"]: row for row in map(orjson.loads, result.stdout.splitlines())}


def test_who_would_be_told_when_and_why_not_the_others(run: Run, tmp_path: Path) -> None:
    code, rows = asked(run, tmp_path)
    assert code == 0
    boss, team = rows["boss"], rows["pay-team"]
    assert (boss["told"], boss["at"], boss["channels"]) == (True, "2026-11-23T09:00:00.000Z", ["console"])
    assert "outside of the hours of office" in boss["why"]
    assert (team["told"], team["why"]) == (False, "watches service mail, and this is of pay")


def test_what_nobody_watches_goes_to_the_owner_and_without_one_to_nobody(run: Run, tmp_path: Path) -> None:
    code, rows = asked(run, tmp_path, severity="warning")
    assert (code, rows["pay-team"]["told"], rows["boss"]["told"]) == (0, True, False)
    assert rows["pay-team"]["why"] == "owns pay, and nobody else hears of all of it"
    code, rows = asked(run, tmp_path, service="unheard-of", severity="warning")
    assert (code, any(row["told"] for row in rows.values())) == (1, False)


def test_nobody_would_be_told_says_what_stands_on_record_instead(run: Run, tmp_path: Path) -> None:
    (tmp_path / "definitions.yaml").write_text(STAKEHOLDERS.replace("watches: {services: [mail]}", "watches: {}"))
    asked_of = event(tmp_path, service="mail", severity="warning")
    result = run("route", asked_of, "--definitions", str(tmp_path / "definitions.yaml"))
    assert result.exit_code == 1
    assert "nobody watches it, and no stakeholder bears the name of its owner nobody-here" in result.stdout
    assert "sla.deliveries.v1" in result.stdout

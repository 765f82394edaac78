"""Settings of the brokers that a worker depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis
from forewarn.finding import Finding, Level
from sla.units import SECOND_MS

CHECK: Final = "broker"
_SHORTEST: Final = "group.min.session.timeout.ms"
_LONGEST: Final = "group.max.session.timeout.ms"
_SILENT: Final = Finding(
    "it cannot be asked for its settings: clocks, topics, retention and its version were not examined",
    "nothing, if it is the broker of `forewarn demo`, which is for trying out; else use Apache Kafka 2.4 or newer",
    Level.WARNING,
)


def check(case: Case) -> list[Diagnosis]:
    """Look at each broker; one that tells nothing of itself is told once, for all checks that need that."""
    if not case.tells_settings:
        return [Diagnosis(CHECK, case.config["bootstrap.servers"], _SILENT)]
    session_ms = round(case.settings.forewarn_session_timeout * SECOND_MS)
    return [
        Diagnosis(CHECK, f"broker {number}", finding)
        for number, settings in case.broker_settings.items()
        for finding in judge(settings, session_ms)
    ]


def judge(settings: Mapping[str, str], session_ms: int) -> list[Finding]:
    """What would keep workers out, state from being compacted, or topics from being as declared."""
    findings = []
    shortest, longest = int(settings.get(_SHORTEST, 0)), int(settings.get(_LONGEST, session_ms))
    if not shortest <= session_ms <= longest:
        name, limit = (_SHORTEST, shortest) if session_ms < shortest else (_LONGEST, longest)
        what = f"{name} is {limit}, but FOREWARN_SESSION_TIMEOUT is {session_ms} ms: no worker can join its group"
        cure = f"set FOREWARN_SESSION_TIMEOUT={limit}ms, or {name}={session_ms} in the broker's server.properties"
        findings.append(Finding(what, cure))
    if settings.get("log.cleaner.enable") == "false":
        what = "log.cleaner.enable is false: changelogs grow for ever, and each restart takes longer"
        findings.append(Finding(what, "remove that line from the broker's server.properties, and restart it"))
    if settings.get("auto.create.topics.enable") == "true":
        what = (
            "auto.create.topics.enable is true: a producer that comes before `forewarn topics create` makes the topic "
            "with the wrong partitions and timestamps"
        )
        cure = "set auto.create.topics.enable=false in the broker's server.properties, or create the topics first"
        findings.append(Finding(what, cure, Level.NOTE))
    return findings

"""Versions that do not go together: of the pinned libraries, of the workers of one group, and of the brokers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from agents.client_id import own_version, version_of
from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis
from forewarn.finding import Finding, Level
from forewarn.worker import ROLES
from schemas.topics import application_of

CHECK: Final = "versions"
PINNED: Final[Mapping[str, str]] = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}
BROKER_LEAST: Final = (2, 4)
BROKER_TRIED: Final = (4, 0)
_PROTOCOL: Final = "inter.broker.protocol.version"  # brokers before 4.0 have this setting, later ones do not


def check(case: Case) -> list[Diagnosis]:
    """This machine's libraries, then the workers of each role, then each broker."""
    brokers = [
        Diagnosis(CHECK, f"broker {number}", finding)
        for number, settings in (case.broker_settings.items() if case.tells_settings else ())
        for finding in judge_broker(settings)
    ]
    groups = [
        Diagnosis(CHECK, group, finding)
        for group, clients in case.clients_of(map(application_of, ROLES)).items()
        for finding in judge_workers(Counter(map(version_of, clients)), own_version())
    ]
    here = [Diagnosis(CHECK, "this machine", finding) for finding in judge_libraries(installed())]
    return [*here, *groups, *brokers]


def installed() -> dict[str, str | None]:
    """The pinned libraries as they are here; None for one that is missing."""
    return {name: _version(name) for name in PINNED}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def judge_libraries(found: Mapping[str, str | None]) -> list[Finding]:
    """Another version may have other inner parts: workers lose their repairs, silently."""
    return [
        Finding(
            f"{name} is {found.get(name) or 'missing'}, exactly {wanted} is needed",
            f"install what the lock file names (make setup), or: pip install '{name}=={wanted}'",
        )
        for name, wanted in PINNED.items()
        if found.get(name) != wanted
    ]


def judge_workers(counts: Mapping[str, int], own: str) -> list[Finding]:
    """How many workers of a group have which version: several at a time read each other's state and decide apart."""
    told = ", ".join(f"{count} of {name}" for name, count in sorted(counts.items()))
    if len(counts) > 1:
        what = (
            f"its workers are of different versions ({told}): they may decide otherwise, or not read each other's state"
        )
        return [Finding(what, f"restart those that are not of {own}, one after the other", Level.WARNING)]
    if counts and own not in counts:
        what = f"its workers are of another version than this doctor: {told}, here {own}"
        return [Finding(what, "ask the doctor of their version", Level.NOTE)]
    return []


def judge_broker(settings: Mapping[str, str]) -> list[Finding]:
    """Brokers before 2.4 cannot do what is asked of them; those before 4.0 were not tried."""
    text = settings.get(_PROTOCOL)
    spoken = re.match(r"(\d+)\.(\d+)", text or "")
    if spoken is None:
        return []
    speaks = (int(spoken[1]), int(spoken[2]))
    if speaks < BROKER_LEAST:
        return [Finding(f"it speaks the protocol of Kafka {text}, at least 2.4 is needed", "upgrade the brokers")]
    if speaks < BROKER_TRIED:
        what = f"it speaks the protocol of Kafka {text}; Forewarn is tested with 4.1"
        return [Finding(what, "nothing now; when you upgrade, choose 4.1 or newer", Level.NOTE)]
    return []

"""A worker's own word, where FOREWARN_HEALTH_PORT names its port on this machine."""

from __future__ import annotations

import http.client
from typing import Final

from forewarn.doctor.case import Case
from forewarn.doctor.diagnosis import Diagnosis
from forewarn.finding import Finding, Level

CHECK: Final = "health"
HOST: Final = "127.0.0.1"
WITHIN_S: Final = 5.0
_OK: Final = 200
_CURE: Final = {
    "/livez": "its log says what failed; let what started it start it again",
    "/readyz": "it says why; if that lasts for more than a minute, its log says more",
}


def check(case: Case) -> list[Diagnosis]:
    """Ask `/livez` and `/readyz`; nothing where no port is set."""
    port = case.settings.forewarn_health_port
    if not port:
        return []
    where = f"{HOST}:{port}"
    try:
        answers = {path: _get(port, path) for path in _CURE}
    except (OSError, http.client.HTTPException) as error:
        what = f"no worker answers, though FOREWARN_HEALTH_PORT names this port: {str(error) or type(error).__name__}"
        cure = "start it (forewarn worker), or run the doctor where it runs, or leave FOREWARN_HEALTH_PORT out"
        return [Diagnosis(CHECK, where, Finding(what, cure, Level.WARNING))]
    return [
        Diagnosis(CHECK, where, Finding(f"{path} says {status}: {body}", _CURE[path]))
        for path, (status, body) in answers.items()
        if status != _OK
    ]


def _get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=WITHIN_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, "; ".join(answer.read().decode(errors="replace").split("\n")).strip("; ")
    finally:
        connection.close()

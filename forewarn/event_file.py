"""An event that somebody hands in as a file, and the definitions to judge it by."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from forewarn.apply import read_log
from forewarn.connection import kafka_config
from forewarn.console import ExitCode, UserError, progress, warn
from forewarn.diff.difference import in_force
from schemas.definitions import load
from sla.catalogue import Catalogue


def event_in(path: str) -> dict[str, Any]:
    """A CloudEvent, or a line of `forewarn replay` or `tail --json` that holds one."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        document = orjson.loads(raw)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "name a file that holds one event, or -") from None
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path} is not JSON: {error}", "one event, as forewarn tail --json prints it") from None
    event = document.get("value") if isinstance(document, dict) and "value" in document else document
    data = event.get("data") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(data, dict) or not isinstance(event.get("type"), str):
        raise UserError(f"{path} holds no event", 'an event has at least "type" and "data"')
    for name in ("service", "severity"):
        if not isinstance(data.get(name), str):
            raise UserError(f"{path}: data.{name} is missing", "an event names its service and severity")
    return event


def catalogue_of(definitions: Sequence[Path]) -> Catalogue:
    """That of these files; of none, the one in force on the broker."""
    if not definitions:
        with progress("reading the catalogue"):
            return in_force(read_log(kafka_config())).catalogue
    loaded = load(definitions)
    if loaded.catalogue is None:
        for finding in loaded.findings:
            warn(str(finding))
        raise UserError("the definitions have errors", "correct them; forewarn lint shows them", ExitCode.FINDING)
    return loaded.catalogue

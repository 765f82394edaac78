"""Calendars whose documents name iCalendar files: what the files hold is put into the documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.definitions.fields import parse_timezone
from schemas.definitions.findings import Finding, Level
from schemas.definitions.source import Source
from schemas.definitions.values import MalformedError
from schemas.definitions.yaml_source import SIZE_MAX_BYTES

if TYPE_CHECKING:
    from schemas.definitions.ical import Held


def with_events(source: Source) -> tuple[Source, list[Finding]]:
    """A document with the `events` of the files it names beside them, and what is wrong or odd with those files.

    A file is looked for from the folder of the document. A document that names none, or that holds the events already,
    stays as it is.
    """
    value = source.value
    spec = value.get("spec") if isinstance(value, dict) and value.get("kind") == "Calendar" else None
    if not isinstance(spec, dict):
        return source, []
    findings: list[Finding] = []
    filled = dict(spec)
    for field in ("closed", "open"):
        written = spec.get(field)
        if isinstance(written, list):
            filled[field] = [_filled(source, spec, (field, n), each, findings) for n, each in enumerate(written)]
        elif isinstance(written, dict):
            filled[field] = _filled(source, spec, (field,), written, findings)
    return replace(source, value={**value, "spec": filled}), findings


def _filled(
    source: Source, spec: dict[str, Any], place: tuple[str | int, ...], written: Any, findings: list[Finding]
) -> Any:
    if not isinstance(written, dict) or not isinstance(written.get("ical"), str) or "events" in written:
        return written
    name = written["ical"]
    path = Path(source.file).parent / name
    content = _content(path)
    if isinstance(content, str):
        hint = ": save it beside the definitions and name the file" if "://" in name else ""
        findings.append(source.error("unreadable", ("spec", *place), f"{name} {content}{hint}"))
        return {**written, "events": []}
    # Its library is slow to load, and workers, who get the events in the document, never read a file.
    from schemas.definitions.ical import read_ical  # noqa: PLC0415 - as above

    held = read_ical(content, _timezone(spec), closes=place[0] == "closed")
    findings += _findings(str(path), held)
    return {**written, "events": [str(each) for each in held.stretches]}


def _timezone(spec: dict[str, Any]) -> str:
    try:
        return parse_timezone(spec.get("timezone", "UTC"))
    except MalformedError:
        return "UTC"  # the calendar is refused for that


def _content(path: Path) -> bytes | str:
    """What a file holds, or why that cannot be read."""
    try:
        with path.open("rb") as opened:
            content = opened.read(SIZE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    return content if len(content) <= SIZE_MAX_BYTES else f"is larger than {SIZE_MAX_BYTES:,} bytes"


def _findings(file: str, held: Held) -> Iterator[Finding]:
    for problem in held.problems:
        yield Finding(Level.ERROR, "ical-malformed", file, problem.line, problem.message)
    if held.left_aside:
        first, count = held.left_aside[0], len(held.left_aside)
        more = f", and {count - 1} more like it" if count > 1 else ""
        yield Finding(Level.WARNING, "ical-left-aside", file, first.line, f"{first.message}{more}")

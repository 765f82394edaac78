"""Check definitions and print what was found: one line per finding, or one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from forewarn.console import Console, ExitCode
from schemas.definitions import Finding, Level, Loaded, load


def lint(paths: Sequence[Path], *, strict: bool = False, json: bool = False) -> ExitCode:
    """Lint files and folders. Errors are findings (exit code 1), with `strict` warnings too; notes never are."""
    console = Console(as_json=json)
    loaded = load(paths)
    tell(console, loaded.findings)
    console.say(summary(loaded))
    return ExitCode.FINDING if loaded.refused(strict=strict) else ExitCode.FINE


def tell(console: Console, findings: Iterable[Finding]) -> None:
    """Each finding as a line for a person or an object for a program."""
    for finding in findings:
        record = {
            "level": finding.level,
            "rule": finding.rule,
            "file": finding.file,
            "line": finding.line,
            "message": finding.message,
        }
        console.record(record, str(finding))


def summary(loaded: Loaded) -> str:
    """One sentence for a person: how much was read and what came of it."""
    counts = {level: sum(finding.level is level for finding in loaded.findings) for level in Level}
    found = ", ".join(_counted(count, level) for level, count in counts.items() if count)
    return f"{_counted(len(loaded.documents), 'document')}: {found or 'nothing to remark'}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

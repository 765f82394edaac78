"""What `forewarn diff` does: reads both sides, refuses those with errors, and prints the difference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forewarn.apply import read_log
from forewarn.connection import kafka_config
from forewarn.console import Console, ExitCode, progress
from forewarn.diff.difference import Held, compare, in_files, in_force
from forewarn.diff.report import report
from forewarn.lint import tell
from schemas.definitions import Loaded, load


def diff(paths: Sequence[Path], against: Path | None, console: Console) -> ExitCode:
    """Compare definitions with those in force on the broker, or with those at `against`."""
    loaded = _sound([*paths], console)
    held = _held(against, console) if loaded is not None else None
    if loaded is None or held is None:
        console.say("nothing was compared")
        return ExitCode.FINDING
    return report(compare(held, loaded), console)


def _held(against: Path | None, console: Console) -> Held | None:
    if against is None:
        with progress("reading the catalogue"):
            return in_force(read_log(kafka_config()))
    other = _sound([against], console)
    return None if other is None else in_files(str(against), other)


def _sound(paths: Sequence[Path], console: Console) -> Loaded | None:
    """Definitions without errors; None after those were told. Warnings are for `lint` and `apply` to tell."""
    loaded = load(paths)
    if not loaded.refused():
        return loaded
    tell(console, (finding for finding in loaded.findings if loaded.refuses(finding)))
    return None

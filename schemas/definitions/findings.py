"""What a check says: one finding, its level and the rule it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class Level(StrEnum):
    """Errors refuse; warnings do so under `--strict`; notes only inform."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a definition, and where.

    `line` counts from 1; None when the source has no lines. What its author allowed with a reason is `allowed`.
    """

    level: Level
    rule: str
    file: str
    line: int | None
    message: str
    allowed: bool = False

    def __str__(self) -> str:
        """`file:line: level: message [rule]`, as compilers write it."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.level}: {self.message} [{self.rule}]"


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by file, line, then level, rule and message; each once, allowed ones left out."""
    levels = list(Level)
    return tuple(
        sorted(
            {f for f in findings if not f.allowed},
            key=lambda f: (f.file, f.line or 0, levels.index(f.level), f.rule, f.message),
        ),
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the closest known name, or nothing when none is close."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""

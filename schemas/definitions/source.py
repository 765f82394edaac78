"""Where a definition comes from, and what it became: the ground on which every finding stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.definitions.fields import is_tag
from schemas.definitions.findings import Finding, Level
from schemas.definitions.kinds import Document, LintAllow
from schemas.definitions.yaml_source import Node

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Source:
    """One document: its plain value, its file, and its lines where it was YAML.

    `written_as` says where a field of `spec` really stands in a document that was written in other words (OpenSLO).
    """

    value: Any
    file: str
    node: Node | None = None
    written_as: Mapping[str | int, Path] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of the deepest part of `path` that is there: of its key, or of the value where it is a scalar."""
        if self.node is None:
            return None
        node, line = self.node, self.node.line
        for part in self.written_as.get(path[1], path) if len(path) > 1 else path:
            if is_tag(part):
                continue
            child = node.children.get(part)
            if child is None:
                break
            line = child.line if not child.children else node.key_lines.get(str(part), child.line)
            node = child
        return line

    def error(self, rule: str, path: Path, message: str) -> Finding:
        """An error at a path of this document."""
        return Finding(Level.ERROR, rule, self.file, self.line(path), message)


@dataclass(frozen=True, slots=True)
class Defined:
    """One definition that was understood. An OpenSLO SLO with several objectives is several of these.

    `key` is `<kind>/<name>` of the document it is written in, by which versions count. `dropped` are the fields of
    `spec` that were refused: what is left is looked at for further errors, and never compiled.
    """

    document: Document
    source: Source
    key: str
    allow: LintAllow | None = None
    dropped: frozenset[str] | None = None

    @property
    def kind(self) -> str:
        """The kind, by Forewarn's names."""
        return self.document.kind

    @property
    def name(self) -> str:
        """The name others refer to."""
        return self.document.metadata.name

    def finding(self, level: Level, rule: str, path: Path, message: str) -> Finding:
        """A finding at a path below this definition, marked if `lint.allow` names its rule."""
        is_silent = self.dropped is not None or (self.allow is not None and rule in self.allow.allow)
        allowed = is_silent and level is not Level.ERROR
        return Finding(level, rule, self.source.file, self.source.line(path), message, allowed)

    def error(self, rule: str, path: Path, message: str) -> Finding:
        """What refuses this definition."""
        return self.finding(Level.ERROR, rule, path, message)

    def warning(self, rule: str, path: Path, message: str) -> Finding:
        """What is allowed but probably not meant."""
        return self.finding(Level.WARNING, rule, path, message)

    def note(self, rule: str, path: Path, message: str) -> Finding:
        """What is worth knowing."""
        return self.finding(Level.NOTE, rule, path, message)

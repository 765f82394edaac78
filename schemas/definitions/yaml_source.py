"""YAML, read safely: plain JSON values with the line each came from, within limits, duplicate keys refused.

Scalars follow the core schema of YAML 1.2 as far as JSON can hold them: `true` and `false`, decimal numbers, null. So
`yes`, `on`, `12:30`, timestamps, `.inf` and numbers beyond 64 bits stay the text they are written as.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn

import yaml

from schemas.definitions.findings import Finding, Level

SIZE_MAX_BYTES: Final = 4 * 1_048_576
DEPTH_MAX: Final = 50
ALIASES_MAX: Final = 500
NODES_MAX: Final = 500_000  # after aliases were followed

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"
_NULL: Final = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)
_INT_MOST_DIGITS: Final = 20
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_INT64_MAX: Final = 2**63 - 1


@dataclass(slots=True)
class Node:
    """One YAML node: its plain value, its line, and the nodes and key lines below it."""

    value: Any
    line: int
    size: int = 1
    children: dict[str | int, Node] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)


class Refused(NamedTuple):
    """Why a file or a part of it cannot be used."""

    rule: str
    line: int
    message: str


class _Stop(Exception):  # noqa: N818 - ends the reading of one file; never leaves this module
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


def read_yaml(content: bytes, file: str) -> tuple[list[Node], list[Finding]]:
    """The documents of one file that are not empty, and what is wrong with it as YAML.

    After a syntax error or a limit the documents before it still stand, so that their own errors are told too.
    """
    nodes: list[Node] = []
    refused: list[Refused] = []
    try:
        for node in _Composer(_text(content), refused).documents():
            # A list at the top is a list of documents; OpenSLO's own tools write files that way.
            nodes += node.children.values() if isinstance(node.value, list) else [node]
    except _Stop as stop:
        refused.append(stop.refused)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        refused.append(Refused("yaml-syntax", line, f"not YAML: {error.problem or error.context}"))
    except yaml.YAMLError as error:  # the reader's: a character that YAML does not allow
        refused.append(Refused("yaml-syntax", 1, f"not YAML: {' '.join(str(error).split())}"))
    found = [Finding(Level.ERROR, each.rule, file, each.line, each.message) for each in refused]
    return [node for node in nodes if node.value is not None], found


def _text(content: bytes) -> str:
    if len(content) > SIZE_MAX_BYTES:
        message = f"the file is larger than {SIZE_MAX_BYTES:,} bytes: split it"
        raise _Stop(Refused("yaml-limit", 1, message))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Stop(Refused("yaml-syntax", line, "not UTF-8: save the file as UTF-8")) from None


class _Composer:
    """Builds nodes from the parser's events, so that every limit holds before memory is spent."""

    def __init__(self, text: str, refused: list[Refused]) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._refused = refused
        self._anchors: dict[str, Node] = {}
        self._nodes_count = 0
        self._aliases_count = 0

    def documents(self) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._node(next(self._events), 1)

    def _node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        if depth > DEPTH_MAX:
            self._stop("yaml-limit", line, f"nested deeper than {DEPTH_MAX} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, line)
        self._count(1, line)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event, line), line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._check_tag(event.tag, "seq", line)
            node = self._sequence(line, depth)
        else:
            self._check_tag(event.tag, "map", line)
            node = self._mapping(line, depth)
        node.size = 1 + sum(child.size for child in node.children.values())
        if event.anchor is not None:  # only now: an alias inside its own anchor would never end
            self._anchors[event.anchor] = node
        return node

    def _alias(self, anchor: str | None, line: int) -> Node:
        self._aliases_count += 1
        if self._aliases_count > ALIASES_MAX:
            self._stop("yaml-limit", line, f"more than {ALIASES_MAX} aliases in one file")
        target = self._anchors.get(anchor or "")
        if target is None:
            self._stop("yaml-syntax", line, f"alias *{anchor} has no anchor &{anchor} before it")
        self._count(target.size, line)
        return target

    def _count(self, nodes_count: int, line: int) -> None:
        self._nodes_count += nodes_count
        if self._nodes_count > NODES_MAX:
            self._stop("yaml-limit", line, f"more than {NODES_MAX:,} values in one file, aliases followed: split it")

    def _sequence(self, line: int, depth: int) -> Node:
        children: dict[str | int, Node] = {}
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            children[len(children)] = self._node(event, depth + 1)
        return Node([child.value for child in children.values()], line, children=children)

    def _mapping(self, line: int, depth: int) -> Node:
        children: dict[str | int, Node] = {}
        key_lines: dict[str, int] = {}
        merged: list[Node] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            at = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                self._stop("yaml-syntax", at, "a key must be plain text, not a list, a mapping or an alias")
            key = self._checked(event.value, at)
            child = self._node(next(self._events), depth + 1)
            if key == "<<" and event.implicit[0]:
                merged += child.children.values() if isinstance(child.value, list) else [child]
            elif key in key_lines:
                first = key_lines[key]
                self._refused.append(Refused("yaml-duplicate-key", at, f"key {key!r} is already given on line {first}"))
            else:
                children[key], key_lines[key] = child, at
        for source in merged:
            if not isinstance(source.value, dict):
                self._stop("yaml-syntax", source.line, "<< takes a mapping or a list of mappings")
            for name, child in source.children.items():
                children.setdefault(name, child)
                key_lines.setdefault(str(name), child.line)
        return Node({name: child.value for name, child in children.items()}, line, 1, children, key_lines)

    def _check_tag(self, tag: str | None, kind: str, line: int) -> None:
        if tag not in (None, "!", _TAG + kind):
            self._refused.append(Refused("yaml-syntax", line, f"tag {tag} is not read here: leave it out"))

    def _scalar(self, event: Any, line: int) -> Any:
        text = self._checked(event.value, line)
        if event.tag is None or event.tag == "!":
            return _plain(text) if event.implicit[0] else text
        kind = event.tag.removeprefix(_TAG)
        value = text if kind == "str" else _plain(text)
        fits = {"str": str, "int": int, "float": int | float, "bool": bool, "null": type(None)}.get(kind)
        if fits is None or not isinstance(value, fits):
            self._refused.append(
                Refused("yaml-syntax", line, f"tag {event.tag} is not read here: write the plain value")
            )
        return value

    def _checked(self, text: str, line: int) -> str:
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            self._stop("yaml-syntax", line, "half a surrogate pair is not text: write the character itself")
        return text

    @staticmethod
    def _stop(rule: str, line: int, message: str) -> NoReturn:
        raise _Stop(Refused(rule, line, message))


def _plain(text: str) -> Any:
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        number = int(text) if len(text) <= _INT_MOST_DIGITS else _INT64_MAX + 1
        return number if abs(number) <= _INT64_MAX else text
    if _FLOAT.fullmatch(text):
        decimal = float(text)
        return decimal if math.isfinite(decimal) else text
    return text
